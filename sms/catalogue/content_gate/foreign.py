"""Placeholders as other products write them (`foreign.toml`): people would read them as they stand."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.translation import gettext as _

from sms.catalogue.content_gate.finding import CERTAIN, DOUBTFUL, ContentFinding, Level
from sms.values.text import match_key
from sms.webex.limits import SMARTLINK

_TABLE = tomllib.loads(Path(__file__).with_name("foreign.toml").read_text("utf-8"))
_REFUSED_IN_TEMPLATES = frozenset(_TABLE["refused_in_templates"])
_MOST = 20
_LINK = re.compile(r"https?://\S+", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_][\w'’.-]+(?: [\w'’.-]+){0,2}")  # what looks like one: up to three words
# around the name in {{ name | upper }}, ((name??Sir)), {!name}
_BEFORE, _BEHIND = re.compile(r"^[\s$!=#^&~/.@*-]+"), re.compile(r"\s*(?:[|:,]|\?\?).*$|[\s*~-]+$")
_OPEN_ENDED = re.compile(r"(?<![\w$@:%/])[$@:%]([^\W\d]\w{1,40})")  # $name, :name
# a beginning whose end is missing, is another's or is written otherwise: {{name, %(name)s, $ (name)
_HALF = re.compile(
    r"(?:\{|\[\[|\(\(|<<|\$ [\[({]|\$[\[{\uff08]|[%\\]\(|\uff5b|\uff3b)\s*([^\W\d][\w-]{0,59})(?![\w-])"
)
_AROUND = re.compile(r"(?:\{|\[\[|<<)\0(?:\}|\]\]|>>)")  # {{$(name)}}


@dataclass(frozen=True, slots=True)
class ForeignForm:
    """A row of the table."""

    opening: str
    pattern: re.Pattern[str]
    known: Level
    otherwise: str


@cache
def _forms() -> tuple[ForeignForm, ...]:
    return tuple(
        ForeignForm(opening, _pattern(opening, closing), known, otherwise)
        for opening, closing, known, otherwise in _TABLE["forms"]
    )


def _pattern(opening: str, closing: str) -> re.Pattern[str]:
    begin, end, signs = re.escape(opening), re.escape(closing), re.escape(opening + closing)
    if opening != closing:  # headings have brackets of their own: ((Amount (GBP)))
        plain = rf"[^{signs}\0\r\n]"
        nested = rf"{re.escape(opening[-1])}{plain}{{0,60}}+{re.escape(closing[0])}"
        return re.compile(rf"{begin}((?>(?:{plain}|{nested}){{0,60}})){end}")
    # nothing else tells a beginning from an end: 20% off, 30% off
    return re.compile(rf"(?<!\w){begin}([^\W\d][^{signs}\0\r\n]{{0,59}}(?<=\S)){end}(?!\w)")


def findings(
    literals: Sequence[str], *, names: Iterable[str], in_template: bool = False, doubted: str = ""
) -> list[ContentFinding]:
    """Each once, those that are certain first. `doubted` begins a form that may be filled after all."""
    written = SMARTLINK.sub("\0", "\0".join(literals))
    known = {match_key(name): name for name in names if name}
    found = {one.text: one for one in _findings(written, known, in_template, doubted)}
    return sorted(found.values(), key=lambda one: one.level != CERTAIN)[:_MOST]


def _findings(
    written: str, known: Mapping[str, str], in_template: bool, doubted: str
) -> Iterator[ContentFinding]:
    if _AROUND.search(written):
        yield _finding("{$(…)}", "name", DOUBTFUL)
    links = [range(*match.span()) for match in _LINK.finditer(written)]
    for form in _forms():
        if form.opening not in written:
            continue
        for match in form.pattern.finditer(written):
            name = _BEHIND.sub("", _BEFORE.sub("", match[1]))
            refused = in_template and form.opening in _REFUSED_IN_TEMPLATES
            if ours := _meant(name, known):
                level = CERTAIN if refused else DOUBTFUL if form.opening == doubted else form.known
                yield _finding(match[0], ours, level)
            elif form.opening == "%" and any(match.start() in link for link in links):
                continue  # %C3%A9 is a letter there
            elif form.otherwise == "doubtful" or (form.otherwise == "named" and _looks_named(name, match[1])):
                yield _finding(match[0], name or "name", CERTAIN if refused else DOUBTFUL)
        # what is read once is no other form's
        written = form.pattern.sub(lambda match: "\0" * len(match[0]), written)
    for match in (*_HALF.finditer(written), *_OPEN_ENDED.finditer(written)):
        if ours := _meant(match[1], known):
            yield _finding(match[0], ours, DOUBTFUL)


def _meant(name: str, known: Mapping[str, str]) -> str:
    """As it stands, or by its last part, as in {{contact.first_name}}."""
    keys = [match_key(part) for part in (name, name.rpartition(".")[2]) if part]
    return next((known[key] for key in keys if key in known), "")


def _looks_named(name: str, inner: str) -> bool:
    return _NAME.fullmatch(name) is not None and inner.strip().endswith(name)


def _finding(shown: str, ours: str, level: Level) -> ContentFinding:
    says = _("“%(shown)s” would be sent as it stands. Write placeholders like $(%(name)s).")
    says %= {"shown": shown, "name": ours}
    if level == CERTAIN:
        says += " " + _("If the word itself is meant, write it without these signs.")
    return ContentFinding("placeholder", says, level)
