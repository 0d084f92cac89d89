"""Where a callback's connection may lead: names are looked up once, every address is judged, and the connection goes to one judged.

There is no second look-up between the judgement and the connection, so a name server that answers otherwise the second time finds
nothing to change.
"""

import socket
import time
from collections.abc import Callable, Sequence

from django.utils.translation import gettext_noop

from sms.callbacks.address import AddressPolicy
from sms.values.public_address import refusal
from sms.words import KeptSentence

Resolve = Callable[[str, int], Sequence[str]]
Connect = Callable[[str, int, float], socket.socket]
# Translators: address is what it leads to, and why that is no address to go to: “10.0.0.1 is not a public address”.
LEADS_TO = KeptSentence(gettext_noop("The name %(host)s leads to %(address)s."))


class Forbidden(Exception):
    """The name leads where no callback may go."""


def look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def plainly(address: str, port: int, seconds: float) -> socket.socket:
    """A connection to an address, not a name."""
    sock = socket.create_connection((address, port), timeout=seconds)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def dial(policy: AddressPolicy, *, resolve: Resolve = look_up, connect: Connect = plainly) -> Connect:
    """How to connect under this policy: (host, port, seconds) → socket. Raises `Forbidden`, or OSError where no server answers."""

    def to(host: str, port: int, seconds: float) -> socket.socket:
        until = time.monotonic() + seconds
        addresses = resolve(host.strip("[]"), port)
        for address in addresses:  # one bad one spoils the name: a public one beside it is the usual disguise
            if why := refusal(address, loopback=policy.loopback):
                raise Forbidden(LEADS_TO(host=host, address=why))
        problem: OSError = OSError(gettext_noop("the name has no address"))
        for address in addresses[:4]:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError(gettext_noop("connecting took half of the deadline")) from problem
            try:
                return connect(address, port, left)
            except OSError as error:
                problem = error
        raise problem

    return to
