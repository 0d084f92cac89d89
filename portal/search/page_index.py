"""The pages of a service by their words, which `pages` lists, in the reader's language."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from django.urls import resolve, reverse

from portal.search.pages import PAGES, IndexedPage


def pages_with(text: str, *, may: frozenset[str], sandbox: bool) -> list[IndexedPage]:
    """Where each word of the text begins one of theirs, for somebody who may do this; what is in the title comes first."""
    wanted = _plain(text).split()
    ranked = sorted(
        (
            (not _all_begin(wanted, str(page.title)), place, page)
            for place, page in enumerate(PAGES)
            if sandbox >= page.sandbox and _all_begin(wanted, f"{page.title} {page.words}")
        ),
        key=lambda one: one[:2],
    )
    return [page for *_, page in ranked if _act_of(page) in may | {""}]


def _all_begin(wanted: list[str], words: str) -> bool:
    return all(any(word.startswith(one) for word in _words(words)) for one in wanted)


def _words(text: str) -> Iterator[str]:
    """`four-eyes` is found by either of its words, and as it is written; `journal d’audit` by *audit*."""
    for word in _plain(text).split():
        yield word
        yield from re.split("[-’']", word)[1:]


def _plain(text: str) -> str:
    """Without accents, which not everybody types."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in apart if not unicodedata.combining(one))


@cache
def _act_of(page: IndexedPage) -> str:
    """What its view asks of a role; "" for a page of every person."""
    act: str = getattr(resolve(reverse(page.name, args=() if page.alone else ("any",))).func, "act", "")
    return act
