"""Lines to a syslog: by UDP, TCP or TLS, or into a socket of this machine."""

import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import SplitResult, unquote

SCHEMES = {"syslog": 514, "syslog+tcp": 514, "syslog+tls": 6514, "syslog+unix": 0}  # with the port of each
PRIORITY = 4 * 8 + 6  # facility auth, severity informational
TIMEOUT = 5.0  # seconds


def is_syslog(place: SplitResult) -> bool:
    """Raises ValueError for a port that is none."""
    if place.scheme == "syslog+unix":
        return not place.netloc and len(place.path) > 1
    return bool(place.scheme in SCHEMES and place.hostname and (place.port is None or place.port > 0))


def send(lines: Sequence[str], place: SplitResult) -> None:
    """Raises OSError. What goes by UDP is not answered, so nobody knows whether it came."""
    said = [f"<{PRIORITY}>textdesk: {line}".encode() for line in lines]
    if place.scheme == "syslog+unix":
        _into_socket(said, unquote(place.path))
        return
    address = (place.hostname or "", place.port or SCHEMES[place.scheme])
    if place.scheme == "syslog":
        family, *_, target = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as connection:
            for one in said:
                connection.sendto(one, target)
        return
    with socket.create_connection(address, timeout=TIMEOUT) as connection:
        if place.scheme == "syslog+tcp":  # each ends with its line (RFC 6587)
            connection.sendall(b"".join(one + b"\n" for one in said))
            return
        with ssl.create_default_context().wrap_socket(connection, server_hostname=address[0]) as secure:
            secure.sendall(b"".join(b"%d %b" % (len(one), one) for one in said))  # RFC 5425
            # asks whether all was read; a refusal raises, and many end without an answer
            with suppress(ssl.SSLEOFError, TimeoutError):
                secure.unwrap()


def _into_socket(said: Sequence[bytes], path: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        connection.settimeout(TIMEOUT)
        connection.connect(path)
        for one in said:
            connection.send(one)
