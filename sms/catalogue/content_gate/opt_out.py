"""Whether a text says how to opt out, and whether its sender can receive the answer that it asks for (`opt_out.toml`)."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation import gettext as _

from sms.catalogue.content_gate.finding import ADVICE, DOUBTFUL, ContentFinding
from sms.models import Sender, SenderKind

_TABLES: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_name("opt_out.toml").read_text("utf-8")
)


def _any(name: str) -> str:
    entries = {entry for row in _TABLES[name].values() for entry in row.split("|")}
    return "|".join(sorted(entries, key=len, reverse=True))


_SPACED = "(?![\\w-])"
_WORD = re.compile(rf"(?<!\w)(?:{_any('words')}){_SPACED}|{_any('unspaced')}", re.IGNORECASE)
_BETWEEN = r"(?:[^\w.!?]+[\w'’]+){0,3}?[^\w.!?]+"
_SAID = rf"(?i:{_any('words')}|help){_SPACED}"
# an answer to the message itself: a word in capitals or quotes, a digit, or a word to opt out with
_REPLY = re.compile(
    rf"(?<!\w)(?i:{_any('reply')}){_BETWEEN}(?:{_SAID}|[A-Z]{{1,12}}{_SPACED}|[0-9]{_SPACED}|[\"“'‘«])"
)
_SEND = re.compile(rf"(?<!\w)(?i:{_any('send')}){_BETWEEN}[\"“'‘«]?(?:{_SAID})")
_ALONE = re.compile(r"(?<![\w-])STOP{1,2}\b(?=\s*(?:=|(?:to|2|for|pour|um|zum|para|per|om|för)\b|\W*\Z))")
_NOT = re.compile(rf"(?<!\w)(?:{_any('not')})\s*\Z", re.IGNORECASE)
# "STOP to 60777", "STOP an die 60777"
_NUMBER = re.compile(r"[\"”'’»]?\W{0,3}(?:\w{1,6}\W{1,3}){0,3}?\+?\(?[0-9][0-9 ()-]{1,20}[0-9]")
_NUMBER_INSIDE = re.compile(r"[0-9]{3,}")


def findings(written: str, sender: Sender | None, *, advises: bool = True) -> Iterator[ContentFinding]:
    """`sender` is None where nobody knows it yet. Without `advises` only what is wrong: programs are given no advice, at their rate."""
    deaf = sender is not None and sender.kind == SenderKind.ALPHANUMERIC
    if deaf and (asked := asks_for_a_reply(written)):
        says = _("No one can reply to %(sender)s, but the text says “%(asked)s”.")
        says %= {"sender": sender, "asked": asked}
        yield ContentFinding("reply", f"{says} {_instead(sender)}", DOUBTFUL)
    elif advises and not _WORD.search(written):
        yield ContentFinding("opt_out", _advice(sender, deaf=deaf), ADVICE)


def _advice(sender: Sender | None, *, deaf: bool) -> str:
    if deaf:
        says = _("It does not say how to opt out. Marketing needs it, and no one can reply to %(sender)s.")
        return f"{says % {'sender': sender}} {_instead(sender)}"
    if sender:
        return _("It does not say how to opt out. Marketing needs it: add “Reply STOP to opt out”.")
    return _("It does not say how to opt out. Marketing needs it: add a link, or where to send STOP.")


def asks_for_a_reply(written: str) -> str:
    """The words that ask for an answer to the message itself; empty where there are none, or they name a number."""
    asked = [match for pattern in (_REPLY, _SEND) for match in pattern.finditer(written)]
    for match in asked or _ALONE.finditer(written):
        elsewhere = _NUMBER.match(written, match.end()) or _NUMBER_INSIDE.search(match[0])
        if not elsewhere and not _NOT.search(written, 0, match.start()):
            return " ".join(match[0].split())[:60]
    return ""


def _instead(sender: Sender | None) -> str:
    """What works: a link, or a number. One of the service's own, if it has one."""
    own = Sender.objects.filter(service=sender.service_id, active=True) if sender else Sender.objects.none()
    found = own.exclude(kind=SenderKind.ALPHANUMERIC).first()
    number = found.address.removeprefix("+") if found else "…"
    if found and found.kind == SenderKind.LONG_CODE:
        number = f"+{number}"  # a phone takes the digits alone for a number of its own country
    return _("Give a link, or name a number: “text STOP to %(number)s”.") % {"number": number}
