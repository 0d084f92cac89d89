"""What the sandbox shows of itself under `/__sandbox__/`, and what it can be told there while it runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import urlsplit

from sms.webex.sandbox import handsets, inbound, tuning
from sms.webex.sandbox.book import Book
from sms.webex.sandbox.http1 import Exchange
from sms.webex.sandbox.links import Links
from sms.webex.sandbox.reports import Reports
from sms.webex.sandbox.settings import Settings

PREFIX = "/__sandbox__/"

_PAGE = (
    b"Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n"
    b"Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    b"frame-ancestors 'none'\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
)


class Controlled(Protocol):
    """What of a sandbox these pages show and change."""

    settings: Settings
    clock: Callable[[], float]
    links: Links
    book: Book
    reports: Reports

    def forget(self) -> None:
        """Forget every message, receipt, link, member and count."""


class Control:
    """The routes of one sandbox's own pages. Only a caller on this machine is heard."""

    def __init__(self, sandbox: Controlled) -> None:
        """Show and change ``sandbox``."""
        self.sandbox = sandbox
        self.routes: dict[str, dict[str, Callable[[Exchange], None]]] = {
            "log": {"GET": self.log},
            "handsets": {"GET": self.handsets},
            "health": {"GET": self.health},
            "settings": {"GET": self.settings, "POST": self.tune},
            "reset": {"POST": self.reset},
            "inbound": {"POST": self.inbound},
        }

    def handle(self, exchange: Exchange) -> None:
        """Answer a request whose path begins with the prefix."""
        methods = self.routes.get(exchange.path.removeprefix(PREFIX))
        if methods is None:
            refuse(exchange, 404, f"There is no such page; there are {', '.join(self.routes)}.")
            return
        if not from_here(exchange):
            refuse(exchange, 403, "Only programs and pages of this machine may ask.")
            return
        do = methods.get("GET" if exchange.method == "HEAD" else exchange.method)
        if do is None:
            exchange.reply(405, headers=f"Allow: {', '.join(methods)}\r\n".encode())
        else:
            do(exchange)

    # -- to see

    def log(self, exchange: Exchange) -> None:
        """The log as JSON lines."""
        exchange.stream(self._log_lines(), b"application/x-ndjson")

    async def _log_lines(self) -> AsyncIterator[bytes]:
        """A part at a time, so that sending goes on meanwhile."""
        for part in self.sandbox.book.lines():
            yield part
            await asyncio.sleep(0)

    def handsets(self, exchange: Exchange) -> None:
        """The messages by phone: a page for a browser, JSON for anybody else."""
        phones = self.sandbox.book.phones
        if handsets.wants_page(exchange.headers.get(b"accept", b"").decode("latin-1")):
            known = self.sandbox.links.known
            exchange.reply(200, handsets.as_page(phones, known, exchange.query).encode(), headers=_PAGE)
        else:
            exchange.stream(handsets.as_json(phones), b"application/json")

    def health(self, exchange: Exchange) -> None:
        """That it lives, and how much it has done."""
        book = self.sandbox.book
        answer(
            exchange,
            {
                "status": "ok",
                "messages": book.messages,
                "receipts": book.receipts,
                "receiptsWaiting": self.sandbox.reports.courier.waiting(),
            },
        )

    # -- to change

    def settings(self, exchange: Exchange) -> None:
        """What can be changed, as it stands."""
        answer(exchange, tuning.told(self.sandbox.settings))

    def tune(self, exchange: Exchange) -> None:
        """Change settings, all that are given or none."""
        try:
            self.sandbox.settings = tuning.tuned(self.sandbox.settings, json_of(exchange))
        except ValueError as error:
            refuse(exchange, 400, str(error))
        else:
            self.settings(exchange)

    def reset(self, exchange: Exchange) -> None:
        """Forget every message, receipt, link and consent; settings stay."""
        self.sandbox.forget()
        answer(exchange, {"status": "ok"})

    def inbound(self, exchange: Exchange) -> None:
        """Let a phone write to one of our numbers."""
        sandbox = self.sandbox
        try:
            given: Any = json_of(exchange)
            problem = inbound.wrong(given)
        except ValueError as error:
            problem = str(error)
        if problem:
            refuse(exchange, 400, problem)
            return
        url = given.get("url") or sandbox.settings.inbound_url
        if not url:
            refuse(exchange, 400, "url is missing, and the sandbox was started without --inbound-url.")
            return
        job = inbound.job(given, url, sandbox.settings.switches, sandbox.clock())
        sandbox.reports.courier.deliver(job)
        answer(exchange, {"tid": job.message_id, "url": url, "body": json.loads(job.body)})


def from_here(exchange: Exchange) -> bool:
    """Whether the caller is on this machine and, if a browser, on a page of this sandbox.

    A page of another site can make a browser call any address, so its ``Origin`` and the ``Host`` are looked at.
    """
    host = exchange.headers.get(b"host", b"").decode("latin-1")
    origin = exchange.headers.get(b"origin")
    return (
        _is_loopback(exchange.peer)
        and (not host or _is_loopback(urlsplit(f"//{host}").hostname or ""))
        and (origin is None or origin == b"http://" + host.encode("latin-1"))
    )


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def json_of(exchange: Exchange) -> object:
    """The body of a request; raise ``ValueError`` with a sentence when it is not JSON."""
    try:
        return json.loads(exchange.body)
    except (ValueError, RecursionError):
        raise ValueError("The body is not JSON.") from None


def answer(exchange: Exchange, told: dict[str, Any]) -> None:
    """Answer 200 with JSON."""
    exchange.reply(200, json.dumps(told).encode() + b"\n")


def refuse(exchange: Exchange, status: int, sentence: str) -> None:
    """Answer with a sentence."""
    exchange.reply(status, json.dumps({"error": sentence}).encode() + b"\n")
