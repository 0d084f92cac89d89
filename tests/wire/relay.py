"""A wire tap: it passes one connection after another on to a port of this machine, and keeps every byte the caller sent."""

import contextlib
import socket
import threading
from collections.abc import Iterator


class Relay:
    """Listens at `url`. `bodies()` are the requests' bodies so far, told apart by their Content-Length."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = [self._listening]
        self._sent: list[bytearray] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def bodies(self) -> list[bytes]:
        found = []
        for sent in self._sent:
            rest = bytes(sent)
            while rest:
                head, _, rest = rest.partition(b"\r\n\r\n")
                fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
                length = int(fields[b"content-length"])
                found.append(rest[:length])
                rest = rest[length:]
        return found

    def close(self) -> None:
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "the relay did not stop"

    def _start(self, work, *given) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listening.accept()
                callee = socket.create_connection(("127.0.0.1", self._port))
                self._open += [caller, callee]
                sent = bytearray()
                self._sent.append(sent)
                self._start(self._pass, caller, callee, sent)
                self._start(self._pass, callee, caller, bytearray())

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                kept += data
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def relay(port: int) -> Iterator[Relay]:
    """Pass on to `port` until the block ends."""
    made = Relay(port)
    try:
        yield made
    finally:
        made.close()
