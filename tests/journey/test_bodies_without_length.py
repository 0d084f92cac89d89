"""Bodies without a length at every kind of address, on real processes: taken whole, refused when too large, nothing kept of a part."""

import json
import os
import signal
import subprocess
import time
import urllib.request
import uuid
from pathlib import Path
from urllib.parse import urlencode

import pytest

from sms.worker import supervisor
from tests.support.drop_in import body as drop_in_body
from tests.support.processes import ROOT, free_port, until
from tests.support.streaming import Streaming, chunk, half_closed, vanish_over_http2

pytestmark = pytest.mark.once  # web server and bodies

JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"
MULTIPART = "Content-Type: multipart/form-data; boundary=xyz"
PHONE = "+447712399001"


@pytest.fixture(scope="module")
def key(shared_textdesk):
    return shared_textdesk.manage(
        *("api_key", "--service", "demo", "--name", "streams", "--scopes", "send,read")
    ).stdout.strip()


@pytest.fixture(scope="module")
def token(shared_textdesk):
    return shared_textdesk.rows("Service.objects.values('receipt_token')")[0]["receipt_token"]


@pytest.fixture(params=["chunked", "h2c"])
def streaming(request, running, tmp_path):
    return Streaming(running, request.param, tmp_path / "cookies")


def order(text: str) -> bytes:
    return json.dumps(
        drop_in_body(**{"from": "TEXTDESK", "content": {"type": "text", "text": text}})
    ).encode()


def stored(running, model: str) -> list[str]:
    return running.rows(f"bytes(one.raw).decode() for one in {model}.objects.all()")


def texts(running) -> set[str]:
    return {row["text"] for row in running.rows("Send.objects.values('text')")}


def audiences(running) -> set[str]:
    return {row["name"] for row in running.rows("SavedAudience.objects.values('name')")}


def out(running) -> set[str]:
    return {row["msisdn"] for row in running.rows("OptOut.objects.values('msisdn')")}


def receipt(mark: str) -> bytes:
    told = {"transid": mark, "deliveryInfo": {"deliveryStatus": "Delivered", "code": "7500"}}
    return json.dumps({"deliveryInfoNotification": told}).encode()


def sms(mark: str) -> bytes:
    return json.dumps({"oa": "447712399009", "da": "72345", "message": f"Hello {mark}", "tid": mark}).encode()


def sign_in(streaming: Streaming) -> str:
    """The CSRF token; the form that signs in goes without a length, too."""
    streaming.call("GET", "/accounts/login/", None)
    form = {"login": "admin@demo.test", "password": streaming.running.password}
    asked = urlencode(form | {"csrfmiddlewaretoken": streaming.cookies["csrftoken"]}).encode()
    status, _, content = streaming.call("POST", "/accounts/login/", asked, FORM)
    assert status == 302, content
    return streaming.cookies["csrftoken"]


def multipart(token: str, content: bytes) -> bytes:
    head = b'--xyz\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    file = b'--xyz\r\nContent-Disposition: form-data; name="upload-file"; filename="a.csv"\r\n\r\n%s\r\n--xyz--\r\n'
    return (
        head % (b"csrfmiddlewaretoken", token.encode())
        + head % (b"upload-evidence", b"a list")
        + file % content
    )


def test_a_whole_body_is_taken_at_every_address(streaming, running, key, token):
    mark = uuid.uuid4().hex
    given = (JSON, f"key: {key}")
    assert streaming.call("POST", "/v2/messages", order(mark), *given)[0] == 201
    assert mark in texts(running)

    made = json.dumps({"name": f"A {mark}", "csv": "number\n" + f"{PHONE}\n"}).encode()
    status, _, content = streaming.call("POST", "/api/v1/audiences", made, *given)
    assert status == 201, content
    where = f"/api/v1/audiences/{json.loads(content)['id']}"
    status, _, content = streaming.call("PATCH", where, json.dumps({"name": f"B {mark}"}).encode(), *given)
    assert (status, json.loads(content)["name"]) == (200, f"B {mark}")

    pages = sign_in(streaming)
    form = urlencode({"csrfmiddlewaretoken": pages, "number": PHONE, "evidence": "they called"}).encode()
    assert streaming.call("POST", "/s/demo/opt-outs/add/", form, FORM)[0] == 302
    rows = "number\n" + "".join(f"+4477124{row:05d}\n" for row in range(200))
    file = multipart(pages, rows.encode())
    assert streaming.call("POST", "/s/demo/opt-outs/upload/", file, MULTIPART)[0] == 200
    assert {PHONE, "+447712400199"} <= out(running)

    for path, raw, model in (
        (f"/receipts/{token}/", receipt(mark), "Receipt"),
        (f"/inbound/{token}/", sms(mark), "InboundMessage"),
    ):
        assert streaming.call("POST", path, raw, JSON)[0] == 200
        assert raw.decode() in stored(running, model)


def test_too_large_a_body_is_refused_in_the_callers_own_format(streaming, running, key, token):
    given = (JSON, f"key: {key}")
    mark = uuid.uuid4().hex
    status, kind, content = streaming.call("POST", "/v2/messages", order(mark + "x" * 5_000_000), *given)
    assert (status, kind, json.loads(content)["code"]) == (400, "application/json", "7022")
    made = json.dumps({"name": f"A {mark}", "csv": f"number\n{PHONE}\n" + "x" * 11_000_000}).encode()
    status, kind, content = streaming.call("POST", "/api/v1/audiences", made, *given)
    assert (status, kind, json.loads(content)["code"]) == (413, "application/problem+json", "too_large")
    assert "11,000,000 bytes" in json.loads(content)["detail"]
    pages = sign_in(streaming)
    file = multipart(pages, f"number\n{PHONE}\n".encode() + b"x" * 11_000_000)
    status, kind, content = streaming.call("POST", "/s/demo/opt-outs/upload/", file, MULTIPART)
    assert (status, kind) == (413, "text/html; charset=utf-8")
    assert "Too large" in content and "11,000,000 bytes" in content
    for path in (f"/receipts/{token}/", f"/inbound/{token}/"):
        assert streaming.call("POST", path, receipt(mark) + b" " * 65_536, JSON)[0] == 413
    assert mark not in texts(running)
    assert f"A {mark}" not in audiences(running)
    assert PHONE not in out(running)
    assert not any(mark in raw for raw in stored(running, "Receipt") + stored(running, "InboundMessage"))


@pytest.mark.parametrize("counted", [False, True], ids=["chunked", "with a length"])
def test_a_body_that_breaks_off_is_refused_and_nothing_of_it_is_kept(counted, running, key, token, tmp_path):
    mark = uuid.uuid4().hex

    def broken(method: str, path: str, whole: bytes, part: int, *headers: str) -> tuple[int, str]:
        if counted:
            return half_closed(running, method, path, whole[:part], *headers, f"Content-Length: {len(whole)}")
        sent = chunk(whole[:part]) if part else b""
        return half_closed(running, method, path, sent, *headers, "Transfer-Encoding: chunked")

    given = (JSON, f"key: {key}")
    status, answer = broken("POST", "/v2/messages", order(mark), -1, *given)
    assert status == 400 and '"code":"7000"' in answer
    made = json.dumps({"name": f"A {mark}", "csv": f"number\n{PHONE}\n"}).encode()
    status, answer = broken("POST", "/api/v1/audiences", made, -1, *given)
    assert status == 400 and "/api/problems/unreadable" in answer
    assert audiences(running)
    first = running.rows("SavedAudience.objects.values('id')")[0]["id"]
    change = json.dumps({"name": f"B {mark}"}).encode()
    for part in (-1, 0):
        status, answer = broken("PATCH", f"/api/v1/audiences/{first}", change, part, *given)
        assert status == 400 and "/api/problems/unreadable" in answer
    streaming = Streaming(running, "chunked", tmp_path / "cookies")
    pages = sign_in(streaming)
    signed_in = "Cookie: " + "; ".join(f"{name}={value}" for name, value in streaming.cookies.items())
    file = multipart(pages, f"number\n{PHONE}\n+447712399002\n".encode())
    status, answer = broken(
        "POST", "/s/demo/opt-outs/upload/", file, file.index(b"+4477123990") + 13, MULTIPART, signed_in
    )
    assert status == 400 and "It did not arrive whole" in answer
    for path, raw in ((f"/receipts/{token}/", receipt(mark)), (f"/inbound/{token}/", sms(mark))):
        assert broken("POST", path, raw, -1, JSON)[0] == 503, "so that it is posted again"
    assert mark not in texts(running)
    assert not any(mark in name for name in audiences(running))
    assert PHONE not in out(running)
    assert not any(mark in raw for raw in stored(running, "Receipt") + stored(running, "InboundMessage"))


def test_of_a_caller_that_vanishes_over_http2_nothing_is_kept(running, token):
    mark = uuid.uuid4().hex
    for path, raw in ((f"/receipts/{token}/", receipt(mark)), (f"/inbound/{token}/", sms(mark))):
        before = running.log.read_text().count("body_refused")
        vanish_over_http2(running, path, raw[:-1])
        deadline = time.monotonic() + 60
        while running.log.read_text().count("body_refused") == before:
            assert time.monotonic() < deadline, running.log.read_text()[-2000:]
            time.sleep(0.05)
    assert not any(mark in raw for raw in stored(running, "Receipt") + stored(running, "InboundMessage"))


def test_a_body_over_http2_without_an_end_is_refused_and_takes_no_memory(running, tmp_path):
    """The worker would be replaced if it took what comes."""
    port, log = free_port(), tmp_path / "web.log"
    env = running.env | {"DJANGO_SETTINGS_MODULE": "portal.settings"}
    endless = (
        *("curl", "-sS", "--http2-prior-knowledge", "-X", "POST", "-H", "Expect:", "-H", JSON, "-T", "-"),
        *("--limit-rate", "60M", f"http://127.0.0.1:{port}/v2/messages"),
    )
    with log.open("wb") as out, Path("/dev/zero").open("rb") as zeros:
        web = subprocess.Popen(
            supervisor.web(port, most_memory=300).command,
            cwd=ROOT,
            env=env,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            until(lambda: is_alive(port), "the web server answers")
            caller = subprocess.Popen(endless, stdin=zeros, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            try:
                until(lambda: caller.poll() is not None, "the caller is refused")
                assert b'"code":"7022"' in caller.stdout.read()
                assert is_alive(port)
            finally:
                caller.kill()
                caller.communicate()
        finally:
            os.killpg(web.pid, signal.SIGKILL)
            web.wait()
    assert "worker" not in log.read_text()


def is_alive(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
            return answer.status == 200
    except OSError:
        return False
