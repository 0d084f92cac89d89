"""Links that the provider replaces after the text left us: how they look, and segments from the fewest to the most. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sms.values import text
from sms.webex.limits import SMARTLINK

LINK = re.compile(r"https://[^\s<>\"]+")
_EITHER = re.compile(f"{SMARTLINK.pattern}|{LINK.pattern}")
_PATH = "x" * 6  # after the host, as long as in the provider's examples
_SMARTLINKS = ("https://s.co/xxxxxx", "https://" + "x" * 32)  # what one may become


@lru_cache(maxsize=4096)
def span(written: str, host: str) -> tuple[int, int]:
    """Fewest and most segments of a text; `host` is the domain its links are shortened on, empty where they stay."""
    versions = {written}
    if host:
        versions |= {LINK.sub(f"https://{host}/{_PATH}", one) for one in versions}
    if SMARTLINK.search(written):
        versions = {SMARTLINK.sub(link, one) for one in versions for link in _SMARTLINKS}
    counts = [text.segments(one).count for one in versions]
    return min(counts), max(counts)


@lru_cache(maxsize=16)
def of_template(limit: int) -> tuple[int, int]:
    """Of a text that only the provider knows: one segment at least, `limit` characters in Unicode at most."""
    return 1, text.segments("ж" * limit).count


@dataclass(frozen=True, slots=True)
class ShownLink:
    """A link of a text as it is shown: where it begins and ends there, and what it was written as."""

    start: int
    end: int
    written: str

    @property
    def is_smartlink(self) -> bool:
        return self.written.startswith("{{")


def shortened(written: str, host: str) -> tuple[str, Sequence[ShownLink]]:
    """A text with its links as they are shortened on `host`, and where its links and smartlinks are."""
    found: list[ShownLink] = []
    parts: list[str] = []
    end = size = 0
    for match in _EITHER.finditer(written):
        link = match[0]
        if link.startswith("https") and not host:
            continue
        shown = f"https://{host}/{_PATH}" if link.startswith("https") else link
        parts += written[end : match.start()], shown
        size += match.start() - end
        found.append(ShownLink(size, size + len(shown), link))
        size += len(shown)
        end = match.end()
    return "".join([*parts, written[end:]]), found
