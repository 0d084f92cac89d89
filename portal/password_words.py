"""Words that no password may lean on: of the product and its trade (`password_words.txt`), of this desk's address, of its services.

A validator in `AUTH_PASSWORD_VALIDATORS`. Such a word may stand in a password; it counts for nothing, and enough has to be left.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from portal.models import User
from sms.models import Service
from sms.words import number

SHORTEST = 4  # letters of a word; what is shorter stands in other words
LEFT = 8  # characters besides
LOOKS_LIKE = str.maketrans("013457@$!", "oieastasi")


class WordsOfThisDesk:
    def validate(self, password: str, user: User | None = None) -> None:
        rest = _plain(password)
        for word in sorted(_words(), key=len, reverse=True):
            rest = rest.replace(word, "")
        if len(rest) < LEFT:
            raise ValidationError(
                _(
                    "Besides words that anybody would try here, such as Textdesk, this address or a service, it has fewer than "
                    "%(least)s characters. Add words that have nothing to do with your work."
                )
                % {"least": number(LEFT)},
                code="password_of_known_words",
            )

    def get_help_text(self) -> str:
        says = _(
            "Besides the names of Textdesk, of its address and of services it needs %(least)s characters or more."
        )
        return says % {"least": number(LEFT)}


def _words() -> set[str]:
    names = (*_listed(), settings.PUBLIC_HOST, *Service.objects.values_list("name", flat=True))
    return {word for name in names for word in _parts(name) if len(word) >= SHORTEST}


def _parts(name: str) -> Iterator[str]:
    """A name's words, and all of it written as one."""
    words = re.split(r"[^\w]+|_", name)
    yield from map(_plain, (*words, "".join(words)))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().translate(LOOKS_LIKE)


@cache
def _listed() -> list[str]:
    return Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").split()
