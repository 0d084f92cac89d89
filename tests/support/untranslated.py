"""Words in the source of a template that no translation reaches: text, attributes that are read out, what tags and filters are given."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from django.template.base import DebugLexer, TokenType

SPOKEN = {
    *(
        "alt",
        "aria-description",
        "aria-label",
        "aria-roledescription",
        "aria-valuetext",
        "label",
        "placeholder",
    ),
    *("summary", "title", "data-label", "data-once", "data-announce", "data-ask", "data-missing"),
}
UNSPOKEN = {"script", "style", "code", "kbd", "samp", "pre", "svg"}
WORD = re.compile(r"[^\W\d_]{2,}")
FILLED = "\ue000"  # stands for what a tag or a variable writes
LITERAL = re.compile(r"_\((?:\"[^\"]*\"|'[^']*')\)|\"([^\"]*)\"|'([^']*)'")
OF_WORDS = re.compile(r"\|(?:default|default_if_none|yesno|pluralize|add)(?::|$|\|| )")
IS_WORDS = re.compile(r"[A-Z][a-z]|[^\W\d_]{2,} [^\W\d_]+|…")
UNSAID = re.compile(r"\s(?:class|href|id|src)=\"[^\"<>]*\Z")
BARE = {"url", "static", "load", "extends", "if", "elif", "timezone", "csrf_token", "now", "block", "for"}


class _Texts(HTMLParser):
    """Collects each piece of text, and each attribute that is spoken, with its line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[int, str]] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNSPOKEN or ("translate", "no") in attrs or (self.silent and tag == self.silent[-1]):
            self.silent.append(tag)
        self._attributes(tag, attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._attributes(tag, attrs)

    def _attributes(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for name, value in attrs:
            submits = tag == "input" and name == "value" and given.get("type") in ("submit", "button")
            if value and (name in SPOKEN or submits) and WORD.search(value):
                self.found.append((self.getpos()[0], f"{name}={value}"))

    def handle_endtag(self, tag: str) -> None:
        if self.silent and self.silent[-1] == tag:
            self.silent.pop()

    def handle_data(self, data: str) -> None:
        if (
            not self.silent and WORD.search(data) and '="' not in data
        ):  # which are attributes of a tag that tags write
            self.found.append((self.getpos()[0], " ".join(data.replace(FILLED, "{}").split())))


def _without_tags(source: str) -> tuple[str, list[tuple[int, str]]]:
    """The source without Django's tags and what is translated, in as many lines; and words that are given to tags and filters."""
    kept, given = list[str](), list[tuple[int, str]]()
    inside = ""
    for token in DebugLexer(source).tokenize():
        name = token.contents.split(maxsplit=1)[0] if token.token_type == TokenType.BLOCK else ""
        written = FILLED
        if token.token_type == TokenType.TEXT:
            written = "\n" * token.contents.count("\n") if inside else token.contents
        elif inside:
            written, inside = "", "" if name == f"end{inside}" else inside
        elif name in ("blocktranslate", "blocktrans", "comment", "verbatim"):
            inside = name
        elif name not in ("translate", "trans") and not UNSAID.search(source[: token.position[0]]):
            given += [(token.lineno, words) for words in _literals(token.contents, name)]
        kept.append(written)
    return "".join(kept), given


def _literals(contents: str, name: str) -> Iterator[str]:
    if "|pluralize" in contents:
        yield contents
        return
    if name in BARE and name != "now":
        return
    for match in LITERAL.finditer(re.sub(r"\|(?:date|time):(?:\"[^\"]*\"|'[^']*')", "", contents)):
        words = match[1] or match[2] or ""
        by_filter = (
            OF_WORDS.search(contents[: match.start()][-20:]) and WORD.search(words) and "=" not in words
        )
        if by_filter or (name and IS_WORDS.search(words)):
            yield contents


def untranslated(path: Path) -> list[tuple[int, str]]:
    """Line and words of what stands in one language only, in order."""
    source = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"))
    plain, given = _without_tags(source)
    if path.suffix != ".html":
        return sorted(
            [*given, *((at, line) for at, line in enumerate(plain.splitlines(), 1) if WORD.search(line))]
        )
    texts = _Texts()
    texts.feed(plain)
    texts.close()
    return sorted([*texts.found, *given])
