"""Short links and smartlinks: put into a message's text, followed when they are opened, and reported as clicks."""

import re
import string
from collections.abc import Callable
from typing import NamedTuple

from sms.webex.sandbox import message_text
from sms.webex.sandbox.http_server import Request, Response
from sms.webex.sandbox.message_log import SandboxMessage
from sms.webex.sandbox.settings import Tenant

SHORT_LIFE = 180 * 86400.0
SMART_DOMAIN = "uk.wbxc.io"
SUFFIX = "m"

_ALPHABET = string.ascii_letters + string.digits
_PATH = re.compile(rf"/(?:{SUFFIX}/)?([A-Za-z0-9]{{6}})")
_TOKEN = re.compile(r"\{\{smartlink_([0-9]+)\}\}")


class Link(NamedTuple):
    """Where six characters lead, and until when (epoch seconds). Clicks are reported to ``message``; smartlinks report none."""

    url: str
    expires: float
    message: SandboxMessage | None


class ShortLinks:
    def __init__(self, tenant: Tenant, click: Callable[[SandboxMessage, str, str, str], None]) -> None:
        """``click`` gets the message, the visitor's address and user agent, and the long link."""
        self.tenant = tenant
        self.click = click
        self.known: dict[str, Link] = {}

    def shorten(self, message: SandboxMessage, domain: str) -> None:
        text, end, parts = message.text, 0, []
        for start, stop, url in message_text.links(text):
            path = self._new("/", message, Link(url, self.tenant.clock() + SHORT_LIFE, message))
            message.link = message.link or url
            parts += [text[end:start], domain + path]
            end = stop
        if parts:
            message.text = "".join([*parts, text[end:]])

    def put_smart(self, message: SandboxMessage, listed: dict[str, float], targets: dict[str, str]) -> None:
        """Put links in for the tokens of ``listed``: smartlink ids with the seconds they live."""

        def link(match: re.Match[str]) -> str:
            seconds, url = listed.get(match[1]), targets.get(match[1])
            if seconds is None or url is None:
                return match[0]
            path = self._new(f"/{SUFFIX}/", message, Link(url, self.tenant.clock() + seconds, None))
            return f"https://{SMART_DOMAIN}{path}"

        message.text = _TOKEN.sub(link, message.text)

    def _new(self, before: str, message: SandboxMessage, link: Link) -> str:
        path = ""
        while not path or path in self.known:
            path = before + "".join(self.tenant.random.choices(_ALPHABET, k=6))
        self.known[path] = link
        message.paths += (path,)
        return path

    def follow(self, request: Request) -> Response | None:
        """Redirect a visitor and report the click, or answer 410 when it is too late; None when the path is no link."""
        link = self.known.get(request.path) if _PATH.fullmatch(request.path) else None
        if link is None or request.method not in ("GET", "HEAD"):
            return None
        if self.tenant.clock() >= link.expires:
            return Response(410)
        if request.method == "GET" and link.message is not None:  # link previews ask by HEAD
            agent = request.headers.get(b"user-agent", b"").decode("latin-1")
            self.click(link.message, request.peer, agent, link.url)
        return Response(302, headers=b"Location: %s\r\n" % link.url.encode("utf-8", "replace"))

    def drop(self, message: SandboxMessage) -> None:
        for path in message.paths:
            self.known.pop(path, None)

    def forget(self) -> None:
        self.known.clear()
