"""Texts and tables in the form in which they are compared: words without case, accents, marks and signs. Read beside it."""

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

TABLES: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_name("keywords.toml").read_text("utf-8")
)

_KEPT_APART = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "’": "'", "ʼ": "'"}
)
_APOSTROPHES = re.compile(r"(?<=\w)['`´](?=\w)")
_WORDS = re.compile(r"[^\W_]+", re.UNICODE)


def words_of(text: str) -> list[str]:
    """ "Arrêt!!" and "ARRET" are one word."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = unicodedata.normalize("NFKD", text).translate(_KEPT_APART)
    text = "".join(char for char in text if unicodedata.category(char) not in ("Mn", "Cf", "Me"))
    return _WORDS.findall(_APOSTROPHES.sub("", text))


@cache
def table(name: str) -> frozenset[str]:
    """A table of `keywords.toml`, its entries folded as what is compared with them."""
    entries = [entry for row in TABLES[name].values() for entry in row.split("|")]
    return frozenset(" ".join(words_of(entry)) for entry in entries) - {""}
