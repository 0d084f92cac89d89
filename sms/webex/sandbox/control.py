"""What the sandbox shows of itself under `/__sandbox__/`, and what can be changed there while it runs."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sms.webex.sandbox import handsets, inbound, live_settings
from sms.webex.sandbox.http_server import Request, Response
from sms.webex.sandbox.links import ShortLinks
from sms.webex.sandbox.message_log import MessageLog
from sms.webex.sandbox.receipt_schedule import ReceiptSchedule
from sms.webex.sandbox.settings import Tenant

PREFIX = "/__sandbox__/"

_PAGE_HEADERS = (
    b"Cache-Control: no-store\r\n"
    b"Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    b"frame-ancestors 'none'\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
)


class Control:
    """The routes of one sandbox's own pages. Only a caller on this machine is heard."""

    def __init__(
        self,
        tenant: Tenant,
        links: ShortLinks,
        messages: MessageLog,
        receipts: ReceiptSchedule,
        forget: Callable[[], None],
    ) -> None:
        self.tenant, self.links, self.messages, self.receipts = tenant, links, messages, receipts
        self.forget = forget
        self.routes: dict[str, dict[str, Callable[[Request], Response]]] = {
            "log": {"GET": self.log},
            "handsets": {"GET": self.handsets},
            "health": {"GET": self.health},
            "settings": {"GET": self.settings, "POST": self.change},
            "reset": {"POST": self.reset},
            "inbound": {"POST": self.inbound},
        }

    def handle(self, request: Request) -> Response:
        methods = self.routes.get(request.path.removeprefix(PREFIX))
        if methods is None:
            return refusal(404, f"There is no such page; there are {', '.join(self.routes)}.")
        if not from_here(request):
            return refusal(403, "Only programs and pages of this machine may ask.")
        do = methods.get("GET" if request.method == "HEAD" else request.method)
        if do is None:
            return Response(405, headers=f"Allow: {', '.join(methods)}\r\n".encode())
        try:
            return do(request)
        except ValueError as error:
            return refusal(400, str(error))

    # -- to see

    def log(self, _: Request) -> Response:
        return Response(200, self._log_lines(), b"application/x-ndjson")

    async def _log_lines(self) -> AsyncIterator[bytes]:
        """A part at a time, so that sending goes on."""
        for part in self.messages.lines():
            yield part
            await asyncio.sleep(0)

    def handsets(self, request: Request) -> Response:
        """The messages by phone: a page for a browser, JSON otherwise, of which ``phone`` asks for some numbers only."""
        phones = self.messages.phones
        if handsets.wants_page(request.headers.get(b"accept", b"").decode("latin-1")):
            page = handsets.as_page(phones, self.links.known, request.query)
            return Response(200, page.encode("utf-8", "replace"), b"text/html; charset=utf-8", _PAGE_HEADERS)
        asked = parse_qs(request.query).get("phone")
        shown = phones if asked is None else {one: phones[one] for one in asked if one in phones}
        return Response(200, handsets.as_json(shown))

    def health(self, _: Request) -> Response:
        log = self.messages
        return as_json(
            {
                "status": "ok",
                "messages": log.messages,
                "receipts": log.receipts,
                "receiptsWaiting": self.receipts.sender.waiting,
            }
        )

    # -- to change

    def settings(self, _: Request) -> Response:
        return as_json(live_settings.as_json(self.tenant.settings))

    def change(self, request: Request) -> Response:
        self.tenant.settings = live_settings.changed(self.tenant.settings, json_of(request))
        return self.settings(request)

    def reset(self, _: Request) -> Response:
        self.forget()
        return as_json({"status": "ok"})

    def inbound(self, request: Request) -> Response:
        given = inbound.checked(json_of(request))
        url = given.get("url") or self.tenant.settings.inbound_url
        if not url:
            raise ValueError("url is missing, and the sandbox was started without --inbound-url.")
        receipt = inbound.receipt(given, url, self.tenant.switches, self.tenant.clock())
        self.receipts.sender.deliver(receipt)
        return as_json({"tid": receipt.message_id, "url": url, "body": json.loads(receipt.body)})


def from_here(request: Request) -> bool:
    """Whether the caller is on this machine and, if a browser, on a page of this sandbox.

    A page of another site can make a browser call any address, so its ``Origin`` and the ``Host`` are looked at.
    """
    host = request.headers.get(b"host", b"").decode("latin-1")
    origin = request.headers.get(b"origin")
    return (
        _is_loopback(request.peer)
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


def json_of(request: Request) -> object:
    """The body of a request; raise ``ValueError`` with a sentence when it is not JSON."""
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        raise ValueError("The body is not JSON.") from None


def as_json(fields: dict[str, Any], status: int = 200) -> Response:
    return Response(status, json.dumps(fields).encode() + b"\n")


def refusal(status: int, sentence: str) -> Response:
    return as_json({"error": sentence}, status)
