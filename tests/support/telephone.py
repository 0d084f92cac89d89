"""A provider on this machine that takes every message, and the telephone that reads it: for codes that are posted at once."""

import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Telephone:
    """What was posted; `headers` of each request beside."""

    url: str = ""
    bodies: list[dict] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def code(self) -> str:
        """The six digits of the last message."""
        found = re.search(r"\b\d{6}\b", self.bodies[-1]["content"]["text"])
        assert found
        return found.group()


@contextmanager
def a_telephone() -> Iterator[Telephone]:
    phone = Telephone()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            phone.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            phone.headers.append(dict(self.headers))
            said = json.dumps({"messageId": str(uuid.uuid4()), "status": "queued"}).encode()
            self.send_response(201)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    phone.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield phone
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
