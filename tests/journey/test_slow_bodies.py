"""Strangers who hold requests open at every kind of address keep nobody from anything: on real processes, over real sockets."""

import os
import signal
import socket
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx
import psutil
import pytest

from sms.worker import supervisor
from tests.support.processes import ROOT, free_port, until
from tests.support.slow_bodies import SlowSocket, Target, a_receipt, slow_bodies

pytestmark = pytest.mark.once  # web server and bodies

ROWS = 40_000


@pytest.fixture(scope="module")
def token(shared_textdesk):
    return shared_textdesk.rows("Service.objects.values('receipt_token')")[0]["receipt_token"]


def asked(running, path: str, body: bytes | None = None) -> int:
    request = urllib.request.Request(
        running.url + path, data=body, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()
        return answer.status


def web_processes(running) -> list[psutil.Process]:
    children = psutil.Process(running.process.pid).children(recursive=True)
    return [one for one in children if "textdesk web" in " ".join(one.cmdline())]


@pytest.mark.parametrize("count", [8, 64, 400])
def test_everybody_else_is_answered_while_they_are_open(running, token, count):
    """A machine may be so busy that they are let go before we have asked; then it shows nothing, and they are opened anew."""
    marks = [uuid.uuid4().hex for _ in range(10)]
    for _ in range(5):
        with slow_bodies(running.port, count) as sockets:
            assert asked(running, "/healthz") == asked(running, "/accounts/login/") == 200
            answers = [asked(running, f"/receipts/{token}/", a_receipt(mark)) for mark in marks]
            still_open = not any(one.is_answered() for one in sockets)
        assert answers == [200] * len(marks)
        if still_open:
            break
    assert still_open
    stored = running.rows("bytes(one.raw).decode() for one in Receipt.objects.all()")
    assert all(any(mark in raw for raw in stored) for mark in marks), "a receipt was lost"


def test_each_is_refused_in_the_words_of_its_address_and_closed(running):
    with slow_bodies(running.port, 78) as sockets:
        until(lambda: all(one.is_answered() for one in sockets), "all are answered")
        for one in sockets:
            assert one.status == one.target.status, (one.target, one.way)
        until(lambda: all(one.http2 or one.is_closed() for one in sockets), "their connections are closed")
    answered = {one.target.path: one.came.decode() for one in sockets if one.way == "silent"}
    assert "/api/problems/unreadable" in answered["/api/v1/sends"]
    assert '"code":"7000"' in answered["/v2/messages"] and '"code":"7000"' in answered["/v1/sms/messages"]
    assert '"response":{"code":"7000"' in answered["/resources/v1/messaging"]
    assert "It came too slowly" in answered["/accounts/login/"]
    assert "retry-after: 30" in answered["/receipts/guessed/"]


def test_a_get_with_a_body_waits_for_none_of_it(running):
    one = SlowSocket(Target("GET", "/accounts/login/", "text/plain"), "stopped", running.port)
    until(one.is_answered, "it is answered")
    assert one.status == 200
    one.sock.close()


@pytest.mark.parametrize("cookie", [(), ("-H", "Cookie: sessionid=madeupmadeupmadeupmadeupmadeup12")])
@pytest.mark.parametrize("version", ["--http1.1", "--http2-prior-knowledge"])
@pytest.mark.parametrize("length", [(), ("-H", "Transfer-Encoding: chunked")])
def test_a_visitors_large_form_is_refused_and_nothing_of_it_is_written(running, cookie, version, length):
    def written() -> int:
        return sum(one.io_counters().write_chars for one in web_processes(running))

    if version != "--http1.1" and length:
        length = ("-T", "-")
    before = written()
    form = ("-H", "Content-Type: multipart/form-data; boundary=xyz", "-H", "Expect:")
    body = () if length == ("-T", "-") else ("--data-binary", "@-")
    url = f"{running.url}/accounts/login/"
    done = subprocess.run(
        ["curl", "-sS", version, "-X", "POST", *form, *cookie, *length, *body, "-w", "\n%{http_code}", url],
        input=b"--xyz\r\n" + bytes(120_000_000),
        capture_output=True,
        timeout=300,
    )
    assert done.stdout.decode().endswith("\n413"), (done.stdout[-300:], done.stderr)
    assert "Too large" in done.stdout.decode()
    assert written() - before < 1_000_000


def test_one_that_asks_first_is_refused_by_its_length(running):
    head = "POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nContent-Length: 300000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", running.port), timeout=60) as sock:
        sock.sendall(head.encode())
        assert sock.recv(65536).startswith(b"HTTP/1.1 413")


def test_readers_who_do_not_read_keep_nobody_from_anything(running):
    """Each download is longer than what sockets hold. Of one person two are made at once; the others are asked for again."""
    code = (
        "from sms.models import *; service = Service.objects.get(slug='demo');"
        "OptOut.objects.bulk_create([OptOut(service=service, msisdn=f'+4477{n:08d}', evidence='x' * 200)"
        f" for n in range({ROWS})])"
    )
    running.manage("shell", "--no-imports", "-c", code)
    with httpx.Client(base_url=running.url, timeout=60) as browser:
        browser.get("/accounts/login/")
        form = {"login": "admin@demo.test", "password": running.password}
        assert browser.post("/accounts/login/", data=form | csrf(browser)).status_code == 302
        sent = urlencode(csrf(browser))
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        request = (
            f"POST /s/demo/opt-outs/export/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nCookie: {cookies}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(sent)}\r\n\r\n{sent}"
        )
        with ExitStack() as open_ones:
            readers = [open_ones.enter_context(slow_reader(running.port, request)) for _ in range(10)]
            assert asked(running, "/healthz") == 200
            assert browser.get("/s/demo/").status_code == 200
            whole = readers[-1].makefile("rb").read()
            assert whole.count(b"+4477") == ROWS


def csrf(browser: httpx.Client) -> dict[str, str]:
    return {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}


@contextmanager
def slow_reader(port: int, request: str) -> Iterator[socket.socket]:
    """A download of which no more than the first bytes are read."""
    for _ in range(200):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        sock.settimeout(120)
        sock.connect(("127.0.0.1", port))
        sock.sendall(request.encode())
        status = sock.recv(12)
        if status == b"HTTP/1.1 200":
            break
        assert status == b"HTTP/1.1 429", status
        sock.close()
        time.sleep(0.2)
    with sock:
        yield sock


@contextmanager
def web_of_its_own(running, log: Path, **settings: str) -> Iterator[tuple[int, subprocess.Popen]]:
    """Another web server on the same database."""
    port = free_port()
    env = running.env | {"DJANGO_SETTINGS_MODULE": "portal.settings"} | settings
    with log.open("wb") as out:
        web = subprocess.Popen(
            supervisor.web(port).command, cwd=ROOT, env=env, stdout=out, stderr=out, start_new_session=True
        )

    def is_alive() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False

    try:
        until(is_alive, "the web server answers")
        yield port, web
    finally:
        if web.poll() is None:
            os.killpg(web.pid, signal.SIGKILL)
            web.wait()


@pytest.mark.parametrize("http2", [False, True])
def test_a_header_with_an_underscore_never_counts(running, tmp_path, http2):
    """Behind a proxy that passes such names on: a key bound to an address opens from there alone."""
    made = running.manage(
        *("api_key", "--service", "demo", "--name", f"bound {http2}", "--scopes", "read"),
    )
    bind = f"ApiKey.objects.filter(name='bound {http2}').update(networks=['203.0.113.5'])"
    running.manage("shell", "--no-imports", "-c", f"from sms.models import ApiKey; {bind}")
    key = ("key", made.stdout.strip().splitlines()[-1])
    bound, other = "203.0.113.5", "198.51.100.9"
    real, forged = "X-Forwarded-For", "X_Forwarded_For"
    with web_of_its_own(running, tmp_path / "web.log", BEHIND_PROXY="true") as (port, _):
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", http1=not http2, http2=http2, timeout=60)
        with client:
            for headers, status in (
                ([(real, bound), (forged, other)], 200),
                ([(forged, other), (real, bound)], 200),
                ([(real, other), (forged, bound)], 403),
                ([(forged, bound), (real, other)], 403),
                ([(forged, bound)], 403),
            ):
                answer = client.get("/api/v1/sends", headers=[key, *headers])
                assert answer.status_code == status, (headers, answer.text)


def test_slow_bodies_do_not_hold_up_the_stop(running, tmp_path):
    with web_of_its_own(running, tmp_path / "web.log") as (port, web), slow_bodies(port, 64):
        web.send_signal(signal.SIGTERM)
        web.wait(timeout=60)
