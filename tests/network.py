"""A guard: Python code under test reaches loopback and Unix sockets only; everything else raises `NetworkBlocked`.

Installed for every test by `conftest.py`. It patches `socket.socket` and name look-ups, so it covers httpx, dnspython, asyncio and
urllib. It does not cover child processes or C libraries (libpq, Chromium has its own rule in `tests/browser`).
"""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class NetworkBlocked(AssertionError):
    """A test tried to leave the machine. An AssertionError, so that `except OSError` in our code cannot hide it."""


def _is_loopback(host: object) -> bool:
    if host in (None, "", "localhost", b"localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host).split("%")[0])
    except ValueError:
        return False
    # the unspecified address means "every interface" to bind and "this machine" to connect
    return address.is_loopback or address.is_unspecified


def _check(family: int, address: Any) -> None:
    if family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
        raise NetworkBlocked(
            f"A test tried to reach {address[0]}:{address[1]}. Tests use loopback or a transport of their own."
        )


@contextmanager
def blocked() -> Iterator[None]:
    """Within this block only loopback can be reached."""
    plain = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex", "sendto")}
    look_up = socket.getaddrinfo

    def connect(self: socket.socket, address: Any) -> None:
        _check(self.family, address)
        plain["connect"](self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        _check(self.family, address)
        return int(plain["connect_ex"](self, address))

    def sendto(self: socket.socket, data: Any, *rest: Any) -> int:
        _check(self.family, rest[-1])
        return int(plain["sendto"](self, data, *rest))

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        # reserved: no name server knows such a name, so none is asked
        if str(host).rstrip(".").endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if not _is_loopback(host):
            raise NetworkBlocked(
                f"A test tried to look up the name {host!r}. Give the code a resolver of the test's own."
            )
        return look_up(host, *args, **kwargs)

    guarded = {"connect": connect, "connect_ex": connect_ex, "sendto": sendto}
    for name, function in guarded.items():
        setattr(socket.socket, name, function)
    socket.getaddrinfo = getaddrinfo
    try:
        yield
    finally:
        for name, function in plain.items():
            setattr(socket.socket, name, function)
        socket.getaddrinfo = look_up
