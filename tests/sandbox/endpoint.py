"""An endpoint for receipts whose paths decide its answer: `/answer/503`, `/slow`, `/drop`, `/head/405`, `/once/503`.

A connection that carried one POST to `/hang-up` seems to be kept, and closes on the next without an answer.
"""

import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SLOW = 0.8


@dataclass
class Call:
    """A request as it came in; `at` is monotonic seconds."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Endpoint:
    """Every call so far. `url` is without a path."""

    url: str
    calls: list[Call] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, count: int, seconds: float = 60) -> list[Call]:
        """The calls, once there are as many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.calls) >= count, seconds), self.calls
            return list(self.calls)

    def methods(self) -> list[str]:
        return [one.method for one in self.calls]


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """Start one on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        used = False  # this connection, by a POST

        def take(self) -> tuple[str, list[str]]:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            names = {name.lower(): value for name, value in self.headers.items()}
            with made.arrived:
                seen = sum(one.path == self.path and one.method == self.command for one in made.calls)
                made.calls.append(Call(self.command, self.path, names, body, time.monotonic()))
                made.arrived.notify_all()
            return ("first" if seen == 0 else "later"), self.path.partition("?")[0].strip("/").split("/")

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0" if self.command == "POST" else "99")
            self.end_headers()

        def do_HEAD(self) -> None:
            _, words = self.take()
            self.answer(int(words[1]) if words[0] == "head" else 200)

        def do_POST(self) -> None:
            if self.path == "/hang-up" and self.used:
                self.close_connection = True
                return
            self.used = True
            turn, words = self.take()
            if words[0] == "slow":
                time.sleep(SLOW)
                self.close_connection = True
            elif words[0] == "drop":
                self.close_connection = True
            elif words[0] == "answer" or (words[0] == "once" and turn == "first"):
                self.answer(int(words[1]))
            else:
                self.answer(200)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made = Endpoint(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            server.server_close()
