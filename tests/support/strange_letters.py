"""A language that is English in other letters: what still stands in plain letters on a page went through no catalogue, or is data."""

import gettext
import re
import string
from collections.abc import Container, Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import allauth
import django
import polib
from django.apps import apps
from django.utils.translation import trans_real

from tests.support.untranslated import SPOKEN

CODE = "de"  # takes its place, so that everything else takes it for one of our languages
FULL_WIDTH = {ord(one): chr(ord(one) + 0xFEE0) for one in string.ascii_letters}
KEPT = re.compile(r"<[^>]*>?|%(?:\(\w+\))?[sd]|\{\w*\}|&\w+;|\$\(\w*\)")
DAYS = re.compile(r"(?=.*[ ,:])[jFMYDlHisTNdm ,:.]+")
UNSPOKEN = {"script", "style", "code", "kbd", "samp", "pre", "title", "bdi", "option"}
PLAIN = re.compile(r"[A-Za-z][A-Za-z'’-]*[A-Za-z](?: [A-Za-z][A-Za-z'’-]*)*")


def strange(text: str) -> str:
    """With other letters, but for tags, placeholders and formats of days."""
    if DAYS.fullmatch(text):
        return text
    parts, end = list[str](), 0
    for kept in KEPT.finditer(text):
        parts += [text[end : kept.start()].translate(FULL_WIDTH), kept[0]]
        end = kept.end()
    return "".join((*parts, text[end:].translate(FULL_WIDTH)))


class StrangeLetters(trans_real.DjangoTranslation):
    """Of what is `known`, with its context, and of what Django and its packages say."""

    def __init__(self, known: Container[str]) -> None:
        gettext.NullTranslations.__init__(self)
        like = trans_real.translation(CODE)
        self.__dict__.update(like.__dict__)
        self._fallback = None
        self.known, self.theirs = known, _of_packages() | set(like._catalog.keys())

    def gettext(self, message: str) -> str:
        if message not in self.known and not {message, (message, 0)} & self.theirs:
            return message
        return strange(message.rpartition("\x04")[2])

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        said = self.gettext(msgid1)
        return said if n == 1 or said == msgid1 else strange(msgid2)


@cache
def _of_packages() -> set[str]:
    """What Django and allauth mark, whether or not they have it in that language."""
    roots = [Path(package.__file__).parent for package in (django, allauth)]
    return {
        text
        for root in roots
        for path in root.rglob("locale/en/LC_MESSAGES/django.po")
        for text in of_catalogue(path)
    }


def of_catalogue(path: Path) -> set[str]:
    """What the source says, as `gettext` is asked for it."""
    return {f"{one.msgctxt}\x04{one.msgid}" if one.msgctxt else one.msgid for one in polib.pofile(str(path))}


class _Spoken(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        untranslated = ("translate", "no") in attrs or any(
            name == "lang" for name, _ in attrs if tag != "html"
        )
        if (tag in UNSPOKEN or untranslated or (self.silent and tag == self.silent[-1])) and tag not in (
            "input",
            "img",
            "br",
        ):
            self.silent.append(tag)
        self.texts += [value for name, value in attrs if value and name in SPOKEN]

    def handle_endtag(self, tag: str) -> None:
        if self.silent and self.silent[-1] == tag:
            self.silent.pop()

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.texts.append(data)


def plain_texts(html: str) -> Iterator[str]:
    """What is written in plain letters, in order."""
    page = _Spoken()
    page.feed(html)
    for text in page.texts:
        yield from (found[0] for found in PLAIN.finditer(text))


def stored_texts() -> set[str]:
    """Of every row of every table of ours: data on a page."""
    found = set[str]()
    for label in ("sms", "portal"):
        for model in apps.get_app_config(label).get_models():
            for row in model._default_manager.values_list():
                found.update(_strings(row))
            found.update(str(row) for row in model._default_manager.all())  # as the admin names it
    return found


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from (*_strings(key), *_strings(one))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _strings(one)
