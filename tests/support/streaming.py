"""Requests whose body has no length, as programs and proxies that stream send them: chunked, or over HTTP/2."""

import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import Textdesk

VERSIONS = {"chunked": "--http1.1", "h2c": "--http2-prior-knowledge"}


@dataclass
class Streaming:
    """curl, which gives no length for what it reads from a pipe. It keeps cookies."""

    running: Textdesk
    version: str
    jar: Path

    @property
    def cookies(self) -> dict[str, str]:
        lines = [line.split("\t") for line in self.jar.read_text().splitlines()]
        return {cells[5]: cells[6] for cells in lines if len(cells) == 7}

    def command(self, method: str, path: str, *headers: str) -> list[str]:
        jar = str(self.jar)
        given = [word for header in ("Expect:", *headers) for word in ("-H", header)]
        return [
            *("curl", "-sS", VERSIONS[self.version], "-X", method, "-b", jar, "-c", jar, *given),
            *("-w", "\n%{http_code} %{content_type}", self.running.url + path),
        ]

    def call(self, method: str, path: str, body: bytes | None, *headers: str) -> tuple[int, str, str]:
        """Status, type and content of the answer."""
        upload = [] if body is None else ["-T", "-"]
        done = subprocess.run(
            [*self.command(method, path, *headers), *upload], input=body, capture_output=True, timeout=120
        )
        content, _, end = done.stdout.decode().rpartition("\n")
        status, _, kind = end.partition(" ")
        assert status.isdecimal() and status != "000", done.stderr.decode()
        return int(status), kind, content


def vanish_over_http2(running: Textdesk, path: str, part: bytes) -> None:
    """POST a part of a body and close the connection, once the server has read all that was sent."""

    def text(word: str) -> bytes:
        return bytes([len(word)]) + word.encode()

    names = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "127.0.0.1"}
    headers = b"".join(b"\0" + text(name) + text(value) for name, value in names.items())
    with socket.create_connection(("127.0.0.1", running.port), timeout=60) as sock:
        frames = (
            _frame(4, 0, 0, b""),
            _frame(1, 4, 1, headers),
            _frame(0, 0, 1, part),
            _frame(6, 0, 0, b"whole it"),
        )
        sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"".join(frames))
        came = b""
        while _frame(6, 1, 0, b"whole it") not in came:  # the ping came back
            more = sock.recv(4096)
            assert more, came
            came += more


def _frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    return len(content).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + content


def half_closed(running: Textdesk, method: str, path: str, sent: bytes, *headers: str) -> tuple[int, str]:
    """What is answered to a request that ends with `sent`, by a connection that still reads."""
    head = "\r\n".join((f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers))
    with socket.create_connection(("127.0.0.1", running.port), timeout=60) as sock:
        sock.sendall(head.encode() + b"\r\n\r\n" + sent)
        sock.shutdown(socket.SHUT_WR)
        with sock.makefile("rb") as answer:
            raw = answer.read().decode()
    return int(raw.split()[1]), raw


def chunk(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)
