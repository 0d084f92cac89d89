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

    def break_off(self, method: str, path: str, part: bytes, *headers: str) -> None:
        """Send a part of a body and vanish."""
        process = subprocess.Popen(
            [*self.command(method, path, *headers), "-v", "-T", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with process:
            assert process.stdin is not None and process.stderr is not None
            process.stdin.write(part)
            process.stdin.flush()
            while b"bytes data]" not in process.stderr.readline():  # the part has gone
                assert process.poll() is None
            process.kill()


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
