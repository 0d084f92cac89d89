"""Segments of a text whose links the provider replaces after it left us: from the fewest to the most. Pure."""

import re
from functools import lru_cache

from sms.values import text

LINK = re.compile(r"https://[^\s<>\"]+")
SMARTLINK = re.compile(r"\{\{smartlink_(\d{1,16})\}\}", re.ASCII)
_PATH = 6  # characters after the host in the provider's examples
_SMARTLINKS = ("https://s.co/xxxxxx", "https://" + "x" * 32)  # what one may become


@lru_cache(maxsize=4096)
def span(written: str, host: str) -> tuple[int, int]:
    """Fewest and most segments of a text; `host` is the domain its links are shortened on, empty where they stay."""
    versions = {written}
    if host:
        versions |= {LINK.sub(f"https://{host}/{'x' * _PATH}", one) for one in versions}
    if SMARTLINK.search(written):
        versions = {SMARTLINK.sub(link, one) for one in versions for link in _SMARTLINKS}
    counts = [text.segments(one).count for one in versions]
    return min(counts), max(counts)


def of_template(limit: int) -> tuple[int, int]:
    """Of a text that only the provider knows: one segment at least, `limit` characters in Unicode at most."""
    return 1, text.segments("ж" * limit).count
