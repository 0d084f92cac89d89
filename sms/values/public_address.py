"""Whether an IP address is one of the public internet. Pure; called before connecting to a host that a user or partner named."""

import ipaddress

from sms.words import KeptSentence, gettext_noop

INTERFACE = KeptSentence(gettext_noop("%(address)s names an interface of this machine"))
NO_ADDRESS = KeptSentence(gettext_noop("%(address)s is not an address"))
NOT_PUBLIC = KeptSentence(gettext_noop("%(address)s is not a public address"))

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


def refusal(text: str, *, loopback: bool = False) -> str:
    """Why this address may not be reached, empty where it may."""
    if "%" in text:
        return INTERFACE(address=text)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return NO_ADDRESS(address=text[:60])
    if loopback and address.is_loopback:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address in _NAT64:
        inside = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return refusal(str(inside))
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
        return NOT_PUBLIC(address=text)
    return ""
