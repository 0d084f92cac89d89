"""What an IP address says: blocks of link scanners, of crawlers, and of hosting, where few people sit.

A short list of large, long-lived blocks, written down by hand and not fetched from the owners: for evidence, not for completeness. An
address that is not in it says nothing. Left out on purpose are the exits of privacy relays (Apple's run at Akamai, Cloudflare and
Fastly) and company proxies such as Zscaler's, because people sit behind them. Raise `sms.inbound.clicks.verdicts.RULES` with every change.
"""

import ipaddress
from bisect import bisect_right
from enum import StrEnum


class NetworkOwner(StrEnum):
    """Whose block an address is in."""

    SCANNER = "scanner"
    CRAWLER = "crawler"
    HOSTING = "hosting"
    OTHER = "other"


_BLOCKS: dict[NetworkOwner, str] = {
    # mail and link security services, which fetch what is sent to their customers
    NetworkOwner.SCANNER: """
        64.235.144.0/20 209.222.80.0/21
        67.231.144.0/20 148.163.128.0/19
        205.139.110.0/24 207.211.30.0/24 91.220.42.0/24 195.130.217.0/24
        67.219.240.0/20 85.158.136.0/21 46.226.48.0/21 216.82.240.0/20 117.120.16.0/21 195.245.230.0/23
        40.92.0.0/15 40.94.0.0/16 40.107.0.0/16 104.47.0.0/17
        150.70.0.0/16
    """,
    # search engines and social networks
    NetworkOwner.CRAWLER: """
        66.249.64.0/19
        40.77.167.0/24 157.55.39.0/24 207.46.13.0/24
        31.13.24.0/21 66.220.144.0/20 69.63.176.0/20 69.171.224.0/19 173.252.64.0/18 2a03:2880::/32
    """,
    # rented machines: AWS, Google Cloud, Azure, Hetzner, OVH, DigitalOcean, Linode
    NetworkOwner.HOSTING: """
        3.80.0.0/12 3.208.0.0/12 18.204.0.0/14 18.208.0.0/13 34.192.0.0/10 35.152.0.0/13 44.192.0.0/10
        52.0.0.0/13 52.16.0.0/14 52.48.0.0/13 52.208.0.0/13 54.64.0.0/11 54.144.0.0/12 54.160.0.0/11 54.208.0.0/13
        54.216.0.0/14 54.240.0.0/12
        34.64.0.0/10 35.184.0.0/13 35.192.0.0/11 35.224.0.0/12 35.240.0.0/13 104.154.0.0/15 104.196.0.0/14
        20.33.0.0/16 20.36.0.0/14 20.40.0.0/13 20.48.0.0/12 20.64.0.0/10 40.64.0.0/13 40.74.0.0/15 51.104.0.0/15
        51.140.0.0/14 52.160.0.0/11 52.224.0.0/11 104.40.0.0/14 104.44.0.0/15 104.46.0.0/16 104.47.128.0/17
        104.208.0.0/13 137.116.0.0/15 168.61.0.0/16
        5.9.0.0/16 49.12.0.0/15 65.108.0.0/15 78.46.0.0/15 88.198.0.0/16 95.216.0.0/15 116.202.0.0/15 135.181.0.0/16
        136.243.0.0/16 138.201.0.0/16 144.76.0.0/16 148.251.0.0/16 157.90.0.0/16 159.69.0.0/16 162.55.0.0/16
        167.235.0.0/16 168.119.0.0/16 176.9.0.0/16 178.63.0.0/16 188.40.0.0/16 195.201.0.0/16 2a01:4f8::/29
        51.38.0.0/16 51.68.0.0/16 51.75.0.0/16 51.77.0.0/16 51.83.0.0/16 51.89.0.0/16 51.91.0.0/16 51.178.0.0/16
        54.36.0.0/15 54.38.0.0/16 91.121.0.0/16 137.74.0.0/16 141.94.0.0/15 145.239.0.0/16 147.135.0.0/16
        149.202.0.0/16 151.80.0.0/16 176.31.0.0/16 178.32.0.0/15 188.165.0.0/16 192.99.0.0/16 193.70.0.0/17
        2001:41d0::/32
        104.131.0.0/16 104.236.0.0/16 134.209.0.0/16 138.68.0.0/16 138.197.0.0/16 139.59.0.0/16 142.93.0.0/16
        157.230.0.0/16 157.245.0.0/16 159.65.0.0/16 159.89.0.0/16 159.203.0.0/16 161.35.0.0/16 164.90.0.0/16
        165.22.0.0/16 165.227.0.0/16 167.71.0.0/16 167.99.0.0/16 174.138.0.0/16 178.62.0.0/16 188.166.0.0/16
        206.189.0.0/16 2604:a880::/32
        45.33.0.0/17 45.56.64.0/18 45.79.0.0/16 139.144.0.0/16 139.162.0.0/16 172.104.0.0/15 2600:3c00::/28
    """,
}


def _table(version: int) -> tuple[list[int], list[tuple[int, NetworkOwner]]]:
    """First addresses in order, each with its last address and whose it is."""
    rows = []
    for network, blocks in _BLOCKS.items():
        for written in blocks.split():
            block = ipaddress.ip_network(written)
            if block.version == version:
                rows.append((int(block.network_address), int(block.broadcast_address), network))
    rows.sort()
    return [first for first, _, _ in rows], [(last, network) for _, last, network in rows]


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
