"""What a careful colleague would say about the wording of a text: links, look-alike letters, the space at its end."""

import re
import unicodedata
from collections.abc import Iterator

from django.utils.translation import gettext as _

from sms.catalogue.content_gate.finding import ADVICE, DOUBTFUL, ContentFinding
from sms.catalogue.domains.name import SHORTENERS
from sms.values import text as texts

_ANY_SHORTENER = "|".join(map(re.escape, SHORTENERS))
_BARE = re.compile(rf"(?<![\w.@-])(?:https?://)?(?:www\.)?({_ANY_SHORTENER})(?![\w.-])", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_SIMILAR = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_LATIN = re.compile("[A-Za-z]")


def findings(written: str) -> Iterator[ContentFinding]:
    """In the order of how much they matter."""
    for code, says in _findings(written):
        yield ContentFinding(code, says, DOUBTFUL if code == "look_alike" else ADVICE)


def _findings(written: str) -> Iterator[tuple[str, str]]:
    for host in dict.fromkeys(match[1].lower() for match in _BARE.finditer(written)):
        says = _(
            "%(host)s is a shared shortener, which operators filter. "
            "Write the whole address, and choose a short-link domain of your own in compose."
        )
        yield "shortener", says % {"host": host}
    if re.search(r"(?<![\w-])http://", written):
        yield "plain_link", _("Only https:// links are shortened and counted. Write https://.")
    for word in _mixed(written):
        strange = next(char for char in word if _SIMILAR.match(char))
        name = unicodedata.name(strange, f"U+{ord(strange):04X}").capitalize()
        # Translators: name is what Unicode calls the letter, like “Cyrillic small letter a”.
        says = _(
            "“%(word)s” mixes alphabets: “%(letter)s” is %(name)s. Type the word again; "
            "filters take such words for fraud, and one such letter makes the text cost more."
        )
        yield "look_alike", says % {"word": word, "letter": strange, "name": name}
    if written != written.rstrip():
        yield "space", _("It ends with a space or an empty line, which counts as characters.")


def _mixed(written: str) -> list[str]:
    plain = written
    for name in texts.placeholders(written):
        plain = plain.replace(f"$({name})", " ")
    words = dict.fromkeys(match[0] for match in _WORD.finditer(plain))
    return [word for word in words if _SIMILAR.search(word) and _LATIN.search(word)]
