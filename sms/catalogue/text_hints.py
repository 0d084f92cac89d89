"""What a careful colleague would say about a template's text, each finding with its way out. Pure; called by the template pages.

lint(text)      findings that warn
unknown(text)   placeholders of another syntax, which would reach people as they stand: these refuse
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from sms.catalogue.domains.name import SHORTENERS
from sms.values import text as texts
from sms.webex.limits import SMARTLINK

# A smartlink is the provider's own and fine.
_FOREIGN = re.compile(
    rf"(?!{SMARTLINK.pattern})\{{\{{[^{{}}\n]{{0,60}}\}}\}}|"
    r"\$\{[^{}\n]{1,60}\}|%[A-Za-z_]\w{0,40}%|<<\w[^<>\n]{0,40}>>|\[\[\w[^\[\]\n]{0,40}\]\]"
)
_OPT_OUT = re.compile(
    r"\b(stop|opt[ -]?out|unsubscribe|abmelden|stopp|arr[eê]t|baja|cancelar|disiscriversi|uitschrijven)\b",
    re.IGNORECASE,
)
_ANY_SHORTENER = "|".join(map(re.escape, SHORTENERS))
_BARE = re.compile(rf"(?<![\w.@-])(?:https?://)?(?:www\.)?({_ANY_SHORTENER})(?![\w.-])", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_SIMILAR = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_LATIN = re.compile("[A-Za-z]")


@dataclass(frozen=True, slots=True)
class TextHint:
    """`code` is one of opt_out, shortener, look_alike, space, plain_link."""

    code: str
    text: str


def unknown(written: str) -> list[str]:
    """A sentence for each placeholder that is written in another way than $(name)."""
    found = {match[0]: match[0].strip("{}$%<>[] ") or "name" for match in _FOREIGN.finditer(written)}
    return [
        f"“{one}” would be sent as it stands. Write placeholders like $({ours})."
        for one, ours in found.items()
    ]


def lint(written: str) -> list[TextHint]:
    """Findings in the order of how much they matter; empty for a text without any."""
    return [TextHint(code, says) for code, says in _findings(written)]


def _findings(written: str) -> Iterator[tuple[str, str]]:
    if not _OPT_OUT.search(written):
        yield "opt_out", "It does not say how to opt out. Marketing needs it: add “Reply STOP to opt out”."
    for host in dict.fromkeys(match[1].lower() for match in _BARE.finditer(written)):
        way_out = "Write the whole address, and choose a short-link domain of your own in compose."
        yield "shortener", f"{host} is a shared shortener, which operators filter. {way_out}"
    if re.search(r"(?<![\w-])http://", written):
        yield "plain_link", "Only https:// links are shortened and counted. Write https://."
    for word in _mixed(written):
        strange = next(char for char in word if _SIMILAR.match(char))
        name = unicodedata.name(strange, f"U+{ord(strange):04X}").capitalize()
        why = "filters take such words for fraud, and one such letter makes the text cost more."
        yield "look_alike", f"“{word}” mixes alphabets: “{strange}” is {name}. Type the word again; {why}"
    if written != written.rstrip():
        yield "space", "It ends with a space or an empty line, which counts as characters."


def _mixed(written: str) -> list[str]:
    plain = written
    for name in texts.placeholders(written):
        plain = plain.replace(f"$({name})", " ")
    words = dict.fromkeys(match[0] for match in _WORD.finditer(plain))
    return [word for word in words if _SIMILAR.search(word) and _LATIN.search(word)]
