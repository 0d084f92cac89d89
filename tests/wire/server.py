"""A TCP server for one test: it says exactly the bytes it is told to, as slowly as it is told to, and keeps what it heard."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

Script = Callable[[socket.socket, bytes], None]


class Server:
    """Listens on a free port of this machine. `script` gets each connection once per request, with the request's bytes."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None, read: bool = True) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._script = script
        self._tls = tls
        self._read = read
        self._over = threading.Event()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._over.set()
        for sock in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(60)

    def drip(self, sock: socket.socket, data: bytes, *, every: float) -> None:
        """One byte at a time, until the other side or the test has had enough."""
        with contextlib.suppress(OSError):
            for byte in data:
                if self._over.wait(every):
                    return
                sock.sendall(bytes([byte]))

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self._open.append(sock)
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._open.append(sock)
            if not self._read:
                self._script(sock, b"")
                return
            while request := _request(sock):
                self.requests.append(request)
                self._script(sock, request)


def _request(sock: socket.socket) -> bytes:
    """One request with its body, or nothing where the connection ended."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        more = sock.recv(65536)
        if not more:
            return b""
        heard += more
    head, _, body = heard.partition(b"\r\n\r\n")
    length = next(
        int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body


def reply(status: int, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of a whole reply."""
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


def say(data: bytes) -> Script:
    """A script that answers every request with the same bytes."""
    return lambda sock, _: sock.sendall(data)


@contextlib.contextmanager
def serving(script: Script, **options) -> Iterator[Server]:
    server = Server(script, **options)
    try:
        yield server
    finally:
        server.close()
