"""The real sandbox in a thread of its own, on a port that the system chooses, called over HTTP.

`with sandbox(tps=5, fault=["slow=100"]) as running:` takes the options of the command line as keywords: `_` stands for `-`, a list
repeats the option. `clock` replaces the sandbox's clock; see `Clock`.
"""

import asyncio
import http.client
import json
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sms.webex.sandbox import command

WAIT = 10.0


class Clock:
    """Epoch seconds that move only when told, by `clock.at += 60`."""

    def __init__(self, at: float | None = None) -> None:
        self.at = time.time() if at is None else at

    def __call__(self) -> float:
        return self.at


@dataclass
class Answer:
    """What came back; `headers` by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The provider's code of a refusal; empty without a body."""
        return self.json["code"] if self.body else ""


def order(to: str | list[str] = "447700900999", text: str = "Hello", **more: Any) -> dict[str, Any]:
    """A small request that breaks no rule; a field given as None is left out."""
    numbers = [to] if isinstance(to, str) else to
    body = {
        "channel": "sms",
        "from": "TEXTDESK",
        "to": [{"msisdn": numbers, "correlationId": "c-1"}],
        "content": {"type": "text", "text": text},
    }
    return {name: value for name, value in (body | more).items() if value is not None}


@dataclass
class Running:
    """A sandbox that listens, and one kept connection to it."""

    listening: command.Listening
    loop: asyncio.AbstractEventLoop
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)

    @property
    def port(self) -> int:
        return self.listening.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """One request; a body that is neither text nor bytes is written as JSON. Redirects are not followed."""
        if body is not None and not isinstance(body, str | bytes):
            body = json.dumps(body)
        given = {"Content-Type": "application/json"} if body is not None else {}
        raw = body.encode() if isinstance(body, str) else body
        try:
            self.connection.request(method, path, raw, given | (headers or {}))
            answer = self.connection.getresponse()
            return Answer(
                answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
            )
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        return self.call("GET", path, headers=headers)

    def post(self, body: Any, headers: dict[str, str] | None = None) -> Answer:
        """A send request, with a key unless other headers are given."""
        return self.call("POST", "/v2/messages", body, {"key": "any"} if headers is None else headers)

    def send(self, *given: Any, **more: Any) -> Answer:
        """`order(…)`, posted."""
        return self.post(order(*given, **more))

    def log(self, kind: str = "") -> list[dict[str, Any]]:
        """The lines of the log, of one kind (`message`, `receipt`) or all."""
        lines = [json.loads(line) for line in self.get("/__sandbox__/log").body.decode().splitlines()]
        return [line for line in lines if not kind or line["kind"] == kind]

    def await_log(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """The lines of one kind, once there are as many as `count`."""
        end = time.monotonic() + WAIT
        while len(lines := self.log(kind)) < count:
            assert time.monotonic() < end, lines
            time.sleep(0.01)
        return lines

    def last(self) -> dict[str, Any]:
        """The youngest message of the log."""
        return self.log("message")[-1]


@contextmanager
def sandbox(*, clock: Any = None, **options: Any) -> Iterator[Running]:
    """Start a sandbox, yield it, and fail if it stumbled over a request of its own."""
    words = ["--port", "0"]
    for name, value in options.items():
        for one in value if isinstance(value, list | tuple) else [value]:
            words += [f"--{name.replace('_', '-')}"] + ([] if one is True else [str(one)])
    _, settings = command.read(words)
    stumbles: list[str] = []
    ready = threading.Event()
    found: dict[str, Any] = {}

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: stumbles.append(repr(context)))
        stop = asyncio.Event()
        try:
            listening = await command.listen(0, settings, *([clock] if clock else []))
            found.update(listening=listening, loop=loop, stop=stop)
        finally:
            ready.set()
        await stop.wait()
        await listening.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(WAIT) and found, "the sandbox did not start"
    running = Running(found["listening"], found["loop"])
    try:
        yield running
    finally:
        running.connection.close()
        found["loop"].call_soon_threadsafe(found["stop"].set)
        thread.join(WAIT)
    assert not thread.is_alive(), "the sandbox did not stop"
    assert not stumbles, stumbles


@dataclass
class Received:
    """A receipt as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return self.json["deliveryInfoNotification"]["deliveryInfo"]["code"]


@dataclass
class Receiver:
    """Takes receipts at `url`; answers with the next of `answers`, then with 200."""

    url: str
    answers: list[int] = field(default_factory=list)
    got: list[Received] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, count: int = 1, seconds: float = WAIT) -> list[Received]:
        """What has arrived, once there is as much as `count`."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.got) >= count, seconds), [
                one.body for one in self.got
            ]
            return list(self.got)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receipt endpoint of the test's own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            names = {name.lower(): value for name, value in self.headers.items()}
            with taken.arrived:
                taken.got.append(Received(self.path, names, body))
                status = taken.answers.pop(0) if taken.answers else 200
                taken.arrived.notify_all()
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    taken = Receiver(f"http://127.0.0.1:{server.server_port}/receipts")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        thread.join()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            server.server_close()
