"""Where a callback's connection may lead: names are looked up once, every address is judged, and the connection goes to one judged.

There is no second look-up between the judgement and the connection, so a name server that answers otherwise the second time finds
nothing to change.
"""

import ipaddress
import socket
import time
from collections.abc import Callable, Sequence

from sms.callbacks.address import Policy

Resolve = Callable[[str, int], Sequence[str]]
Connect = Callable[[str, int, float], socket.socket]

# Not ours to talk to although some version of Python calls them global, and what tunnels to an IPv4 address hidden inside.
_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; also a cloud's metadata
        "168.63.129.16/32",  # a cloud's host, reached from any of its machines
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "240.0.0.0/4",
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b:1::/48",  # NAT64 of private networks
        "100::/64",
        "2001::/23",  # Teredo, ORCHID and other assignments to protocols
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Forbidden(Exception):
    """The name leads where no callback may go."""


def refusal(text: str, policy: Policy) -> str:
    """Why this address may not be reached, empty where it may."""
    if "%" in text:
        return f"{text} names an interface of this machine"
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return f"{text[:60]} is not an address"
    if policy.loopback and address.is_loopback:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address in _NAT64:
        inside = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return refusal(str(inside), Policy())
    if (
        not address.is_global
        or address.is_private
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or address.is_loopback
        or address.is_link_local
        or any(address in network for network in _NETWORKS if network.version == address.version)
    ):
        return f"{text} is not a public address"
    return ""


def look_up(host: str, port: int) -> list[str]:
    """The system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def plainly(address: str, port: int, seconds: float) -> socket.socket:
    """A connection to an address, not a name."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        sock.connect((address, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def dial(policy: Policy, *, resolve: Resolve = look_up, connect: Connect = plainly) -> Connect:
    """How to connect under this policy: (host, port, seconds) → socket. Raises `Forbidden`, or OSError where nobody answers."""

    def to(host: str, port: int, seconds: float) -> socket.socket:
        until = time.monotonic() + seconds
        addresses = resolve(host.strip("[]"), port)
        for address in addresses:  # one bad one spoils the name: a public one beside it is the usual disguise
            if why := refusal(address, policy):
                raise Forbidden(f"The name {host} leads to {why}.")
        problem: OSError = OSError("the name has no address")
        for address in addresses[:4]:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError("connecting took half of the deadline") from problem
            try:
                return connect(address, port, left)
            except OSError as error:
                problem = error
        raise problem

    return to
