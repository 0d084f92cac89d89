"""Which addresses may be typed for the provider, and how its https connections are made.

The same rules as for callbacks: a public name, no address of this machine or a private network, no path or query of one's choosing. Only a
sandbox is on this machine, and nothing is Textdesk itself, whose own messages would come back to it for ever. Called by the forms, by
dispatch and by the connection test.
"""

import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from sms.callbacks.address import AddressPolicy, BadAddress, read
from sms.callbacks.resolve import Connect, Forbidden, Resolve, dial, look_up
from sms.webex.origin import origin_of

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_ENDINGS = ("/v2/messages", "/v2", "/v1/sms/messages", "/resources/v1/messaging")

Dial = Callable[[str, int, float], socket.socket]


def usable(text: str, *, loopback: bool, public_url: str, own_hosts: frozenset[str]) -> str:
    """The origin that was typed, without what people paste along; "" for nothing. Raises BadAddress.

    `loopback` lets a sandbox on this machine in; `public_url` is our own address, and `own_hosts` are its other names.
    """
    url = bare_base(text)
    if not url:
        return ""
    address = read(url, AddressPolicy(loopback=loopback, own_hosts=own_hosts))
    if address.target != "/":
        raise BadAddress(_("Leave out everything after the host: the path is Webex Connect's own."))
    if _is_same_place(address.origin, origin_of(public_url)):
        raise BadAddress(_("That is Textdesk itself."))
    return address.origin


def bare_base(text: str) -> str:
    """Without what people paste along with a base URL: spaces, slashes, the path of the API."""
    url = text.strip().rstrip("/")
    for ending in _ENDINGS:
        if url.lower().endswith(ending):
            url = url[: -len(ending)].rstrip("/")
    return url


def dial_for(base_url: str, *, resolve: Resolve = look_up) -> Dial | None:
    """How to connect to it: an https name that leads to no public address is not connected to.

    Plain http is written by an operator only (`manage.py up --webex`) or leads to this machine, and is left alone.
    """
    parts = urlsplit(base_url)
    if parts.scheme != "https":
        return None
    vetted: Connect = dial(AddressPolicy(loopback=parts.hostname in _LOOPBACK), resolve=resolve)

    def to(host: str, port: int, seconds: float) -> socket.socket:
        try:
            return vetted(host, port, seconds)
        except Forbidden as problem:  # nothing has left, as where no server answers
            raise ConnectionRefusedError(str(problem)) from problem

    return to


def _is_same_place(one: str, other: str) -> bool:
    """Also under another name of this machine."""
    here, there = urlsplit(one), urlsplit(other)
    same_host = here.hostname == there.hostname or {here.hostname, there.hostname} <= _LOOPBACK
    return same_host and here.port == there.port
