"""A partner's receiver on this machine: it keeps what it heard and answers what it is told to."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Heard:
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """`answer` is a status, or a function from what was heard to (status, headers, body); `slow` seconds pass before it."""

    answer: int | Callable[[Heard], tuple[int, dict[str, str], bytes]] = 200
    slow: float = 0.0
    heard: list[Heard] = field(default_factory=list)
    url: str = ""
    most_at_once: int = 0
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.heard]

    def take(self, heard: Heard) -> tuple[int, dict[str, str], bytes]:
        with self._lock:
            self.heard.append(heard)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            if self.slow:
                time.sleep(self.slow)
            return (self.answer, {}, b"") if isinstance(self.answer, int) else self.answer(heard)
        finally:
            with self._lock:
                self._now -= 1


@contextlib.contextmanager
def receiving(**options) -> Iterator[Receiver]:
    receiver = Receiver(**options)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, extra, answer = receiver.take(Heard(self.path, headers, body, time.monotonic()))
            with contextlib.suppress(OSError):
                self.send_response(status)
                for name, value in extra.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, *args) -> None:
            del args

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *args) -> None:
            del args  # whoever hangs up on us is a test's business

    server = Server(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)
