"""Markdown of a page as HTML: headings with anchors, links between pages, tables, blocks to copy. No HTML of the file's own.

What depends on the reader is left open by a mark each, which `reader.py` fills in: so a page is drawn once.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

from django.urls import reverse
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from portal.partner_docs.pages import DocPage, pages

# private characters, which no page holds
ADDRESS, KEYS = "\ue000", "\ue001"
SHIPPED_ADDRESS = "http://127.0.0.1:8000"
PROMPT = "Your API key"
# how blocks write the address, each with what stands there instead
_WRITTEN = (
    (re.compile(r"os\.environ\[\"DESK\"\]"), f'"{ADDRESS}"'),
    (re.compile(r"\{os\.environ\['DESK'\]\}"), ADDRESS),
    (re.compile(r"\$\{DESK:-[^}]*\}|\$\{DESK\}|\$DESK\b"), ADDRESS),
    (re.compile(re.escape(SHIPPED_ADDRESS)), ADDRESS),
    (re.compile(re.escape(PROMPT) + r"(?=:)"), PROMPT + KEYS),
)
WORDS = {"sh": "Shell", "python": "Python", "json": "JSON", "http": "HTTP", "text": "Text"}


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    anchor: str
    words: str


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """`html` still has the marks."""

    html: str
    headings: tuple[Heading, ...]


@cache
def drawn(page: DocPage) -> DrawnPage:
    markdown = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable("table")
    env: dict[str, Any] = {"headings": [], "taken": {}, "page": page}
    tokens = markdown.parse(page.path.read_text("utf-8"), env)
    html = markdown.renderer.render(tokens, markdown.options, env)
    return DrawnPage(html, tuple(env["headings"]))


def anchor_of(words: str, taken: dict[str, int]) -> str:
    """As repositories show them, so that the same links work in both places."""
    base = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
    taken[base] = taken.get(base, -1) + 1
    return f"{base}-{taken[base]}" if taken[base] else base


def address_within(target: str) -> str:
    """Of a link in a page: another page is found here, the OpenAPI document as the reference, anything else as it is."""
    path, mark, anchor = target.partition("#")
    if path == "../openapi.json":
        return reverse("api_reference")
    if path.endswith(".md") and path.removesuffix(".md") in pages():
        return reverse("api_docs_page", args=[path.removesuffix(".md")]) + mark + anchor
    return target


class _Renderer(RendererHTML):
    """What differs from plain HTML, by the names of the tokens."""

    def heading_open(self, tokens: Sequence[Token], at: int, _options: Any, env: Any) -> str:
        words = _plain(tokens[at + 1])
        anchor = anchor_of(words, env["taken"])
        level = int(tokens[at].tag[1:])
        env["headings"].append(Heading(level, anchor, words))
        return f'<{tokens[at].tag} id="{escape(anchor)}">'

    def heading_close(self, tokens: Sequence[Token], at: int, _options: Any, env: Any) -> str:
        last: Heading = env["headings"][-1]
        if last.level == 1:
            return "</h1>\n"
        link = f'<a class="anchor" href="#{escape(last.anchor)}" aria-label="Link to: {escape(last.words)}">#</a>'
        return f" {link}</{tokens[at].tag}>\n"

    def link_open(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        token = tokens[at]
        token.attrSet("href", address_within(str(token.attrGet("href") or "")))
        return self.renderToken(tokens, at, options, env)

    def table_open(self, _tokens: Sequence[Token], _at: int, _options: Any, env: Any) -> str:
        about = escape(env["headings"][-1].words if env["headings"] else env["page"].title)
        env["tables"], env["columns"] = env.get("tables", 0) + 1, []
        name = f"Table {env['tables']}: {about}"
        return f'<div class="table-region" role="region" tabindex="0" aria-label="{name}"><table class="stacks">\n'

    def table_close(self, *_: Any) -> str:
        return "</table></div>\n"

    def tr_open(self, _tokens: Sequence[Token], _at: int, _options: Any, env: Any) -> str:
        env["cells"] = 0
        return "<tr>\n"

    def td_open(self, _tokens: Sequence[Token], _at: int, _options: Any, env: Any) -> str:
        """On a phone, where headings are not seen, each cell says its own."""
        label = env["columns"][env["cells"]]
        env["cells"] += 1
        return f'<td data-label="{escape(label)}">' if label else "<td>"

    def th_open(self, tokens: Sequence[Token], at: int, _options: Any, env: Any) -> str:
        """A heading without words, over names of rows, is none."""
        env["columns"].append(_plain(tokens[at + 1]))
        return '<th scope="col">' if tokens[at + 1].content else "<td>"

    def th_close(self, tokens: Sequence[Token], at: int, *_: Any) -> str:
        return "</th>\n" if tokens[at - 1].content else "</td>\n"

    def fence(self, tokens: Sequence[Token], at: int, _options: Any, env: Any) -> str:
        kind = tokens[at].info.strip()
        env["blocks"] = env.get("blocks", 0) + 1
        label = f"{WORDS.get(kind, kind or 'Text')}, block {env['blocks']}"
        return (
            f'<div class="block"><div class="block-head"><span>{escape(WORDS.get(kind, kind))}</span>'
            f'<button class="needs-script" type="button" data-copy>Copy<span class="unseen"> {escape(label)}</span></button></div>'
            f'<pre tabindex="0" aria-label="{escape(label)}" role="region"><code class="language-{escape(kind)}">'
            f"{escape(left_open(tokens[at].content), quote=False)}</code></pre></div>\n"
        )

    def code_inline(self, tokens: Sequence[Token], at: int, _options: Any, _env: Any) -> str:
        return f"<code>{escape(left_open(tokens[at].content), quote=False)}</code>"


def left_open(code: str) -> str:
    """With marks where the reader's address and keys belong."""
    for pattern, mark in _WRITTEN:
        code = pattern.sub(mark, code)
    return code


def _plain(inline: Token) -> str:
    return "".join(one.content for one in inline.children or () if one.type in ("text", "code_inline"))
