"""What an IP address says: blocks of link scanners, of crawlers, and of hosting, where few people sit.

A short list of large, long-lived blocks, written down by hand and not fetched from the owners: for evidence, not for completeness. An
address that is not in it says nothing. Left out on purpose are the exits of privacy relays (Apple's run at Akamai, Cloudflare and
Fastly) and company proxies such as Zscaler's, because people sit behind them. Raise `sms.inbound.clicks.verdicts.RULES` with every change.
"""

import ipaddress
import tomllib
from bisect import bisect_right
from enum import StrEnum
from pathlib import Path


class NetworkOwner(StrEnum):
    SCANNER = "scanner"
    CRAWLER = "crawler"
    HOSTING = "hosting"
    OTHER = "other"


BLOCKS: dict[str, str] = tomllib.loads(Path(__file__).with_name("networks.toml").read_text("utf-8"))


def _table(version: int) -> tuple[list[int], list[tuple[int, NetworkOwner]]]:
    """First addresses in order, each with its last address and whose it is."""
    rows = sorted(
        (int(block.network_address), int(block.broadcast_address), NetworkOwner(owner))
        for owner, blocks in BLOCKS.items()
        for block in map(ipaddress.ip_network, blocks.split())
        if block.version == version
    )
    return [first for first, _, _ in rows], [(last, owner) for _, last, owner in rows]


_TABLES = {version: _table(version) for version in (4, 6)}


def network_of(text: str) -> NetworkOwner:
    """Whose block an address is in; OTHER for what is in none, or is no address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return NetworkOwner.OTHER
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    firsts, rows = _TABLES[address.version]
    value = int(address)
    place = bisect_right(firsts, value) - 1
    if place < 0:
        return NetworkOwner.OTHER
    last, network = rows[place]
    return network if value <= last else NetworkOwner.OTHER
