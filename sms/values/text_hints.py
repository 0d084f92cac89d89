"""What a careful colleague would say about a template's text, each finding with its way out. Pure; called by the template pages.

lint(text)      findings that warn
unknown(text)   placeholders of another syntax, which would reach people as they stand: these refuse
"""

import re
import unicodedata
from dataclasses import dataclass

from sms.values import text as texts

# {{smartlink_ID}} is the provider's own and fine.
_FOREIGN = re.compile(
    r"\{\{(?!smartlink_\d+\}\})[^{}\n]{0,60}\}\}|\$\{[^{}\n]{1,60}\}|%[A-Za-z_]\w{0,40}%|<<\w[^<>\n]{0,40}>>|\[\[\w[^\[\]\n]{0,40}\]\]"
)
_OPT_OUT = re.compile(
    r"\b(stop|opt[ -]?out|unsubscribe|abmelden|stopp|arr[eê]t|baja|cancelar|disiscriversi|uitschrijven)\b",
    re.IGNORECASE,
)
_SHORTENERS = (
    "bit.ly", "tinyurl.com", "goo.gl", "t.co", "ow.ly", "is.gd", "buff.ly", "rebrand.ly", "cutt.ly", "rb.gy", "t.ly", "shorturl.at"
)  # fmt: skip
_BARE = re.compile(
    rf"(?<![\w.@-])(?:https?://)?(?:www\.)?({'|'.join(map(re.escape, _SHORTENERS))})(?![\w.-])", re.IGNORECASE
)
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
    found = dict.fromkeys(match[0] for match in _FOREIGN.finditer(written))
    return [f"“{one}” would be sent as it stands. Write placeholders like {_ours(one)}." for one in found]


def _ours(one: str) -> str:
    return f"$({one.strip('{}$%<>[] ') or 'name'})"


def lint(written: str) -> list[TextHint]:
    """Findings in the order of how much they matter; empty for a text without any."""
    found = []
    if not _OPT_OUT.search(written):
        found.append(
            TextHint(
                "opt_out",
                "It does not say how to opt out. Marketing needs it: add “Reply STOP to opt out”.",
            )
        )
    found.extend(
        TextHint(
            "shortener",
            f"{host} is a shared shortener, which operators filter. Write the whole address, "
            "and choose a short-link domain of your own in compose.",
        )
        for host in dict.fromkeys(match[1].lower() for match in _BARE.finditer(written))
    )
    if re.search(r"(?<![\w-])http://", written):
        found.append(TextHint("plain_link", "Only https:// links are shortened and counted. Write https://."))
    for word in _mixed(written):
        strange = next(char for char in word if _SIMILAR.match(char))
        name = unicodedata.name(strange, f"U+{ord(strange):04X}").capitalize()
        found.append(
            TextHint(
                "look_alike",
                f"“{word}” mixes alphabets: “{strange}” is {name}. Type the word again; "
                "filters take such words for fraud, and one such letter makes the text cost more.",
            )
        )
    if written != written.rstrip():
        found.append(TextHint("space", "It ends with a space or an empty line, which counts as characters."))
    return found


def _mixed(written: str) -> list[str]:
    plain = written
    for name in texts.placeholders(written):
        plain = plain.replace(f"$({name})", " ")
    words = dict.fromkeys(match[0] for match in _WORD.finditer(plain))
    return [word for word in words if _SIMILAR.search(word) and _LATIN.search(word)]
