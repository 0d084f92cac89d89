"""Short links and smartlinks: put into a message's text, followed by whoever opens them, and told of as clicks."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable
from typing import NamedTuple

from sms.webex.sandbox import lettering
from sms.webex.sandbox.book import Message
from sms.webex.sandbox.http1 import Exchange

SHORT_LIFE = 180 * 86400.0
SMART_DOMAIN = "uk.wbxc.io"
SUFFIX = "m"

_ALPHABET = string.ascii_letters + string.digits
_PATH = re.compile(rf"/(?:{SUFFIX}/)?([A-Za-z0-9]{{6}})")
_TOKEN = re.compile(r"\{\{smartlink_([0-9]+)\}\}")


class Link(NamedTuple):
    """Where six characters lead, and until when (epoch seconds). ``message`` is told of clicks; smartlinks tell nobody."""

    url: str
    expires: float
    message: Message | None


class Links:
    """Every link handed out, by its path."""

    def __init__(
        self,
        chance: random.Random,
        clock: Callable[[], float],
        click: Callable[[Message, str, str, str], None],
    ) -> None:
        """``click`` is told the message, the visitor's address and user agent, and the long link."""
        self.random = chance
        self.clock = clock
        self.click = click
        self.known: dict[str, Link] = {}

    def shorten(self, message: Message, domain: str) -> None:
        """Rewrite the https links of a message's text."""
        text, end, parts = message.text, 0, []
        for start, stop, url in lettering.links(text):
            path = self._new("/", message, Link(url, self.clock() + SHORT_LIFE, message))
            message.link = message.link or url
            parts += [text[end:start], domain + path]
            end = stop
        if parts:
            message.text = "".join([*parts, text[end:]])

    def put_smart(self, message: Message, listed: dict[str, float], targets: dict[str, str]) -> None:
        """Put links in for the tokens of ``listed``: smartlink ids with the seconds they live."""

        def link(match: re.Match[str]) -> str:
            seconds, url = listed.get(match[1]), targets.get(match[1])
            if seconds is None or url is None:
                return match[0]
            path = self._new(f"/{SUFFIX}/", message, Link(url, self.clock() + seconds, None))
            return f"https://{SMART_DOMAIN}{path}"

        message.text = _TOKEN.sub(link, message.text)

    def _new(self, before: str, message: Message, link: Link) -> str:
        path = before + self._code()
        while path in self.known:
            path = before + self._code()
        self.known[path] = link
        message.paths += (path,)
        return path

    def _code(self) -> str:
        return "".join(self.random.choices(_ALPHABET, k=6))

    def follow(self, exchange: Exchange) -> bool:
        """Send a visitor on and tell of the click, or say 410 when it is too late; False when the path is no link."""
        link = self.known.get(exchange.path) if _PATH.fullmatch(exchange.path) else None
        if link is None:
            return False
        if self.clock() >= link.expires:
            exchange.reply(410)
            return True
        if exchange.method == "GET" and link.message is not None:  # link previews ask by HEAD
            agent = exchange.headers.get(b"user-agent", b"").decode("latin-1")
            self.click(link.message, exchange.peer, agent, link.url)
        exchange.reply(302, headers=b"Location: " + link.url.encode("utf-8", "replace") + b"\r\n")
        return True

    def drop(self, message: Message) -> None:
        """Forget the links of a message that left the book."""
        for path in message.paths:
            self.known.pop(path, None)

    def forget(self) -> None:
        """Forget every link."""
        self.known.clear()
