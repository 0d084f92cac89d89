"""The phones of the sandbox, asked over its own pages: what they got, a link opened on one of them, a text written on one.

The sandbox is a program of its own that knows nothing of Textdesk, so what it says of a message is a second opinion. It is asked from
here, not by the browser: it answers to its own machine only.
"""

import http.client
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.utils.translation import gettext, gettext_lazy

from sms.models import Service
from sms.values import correlation_id

PATIENCE = 3.0  # seconds; a person waits
LARGEST = 8 << 20  # bytes of an answer
NO_SANDBOX = gettext_lazy("Something answered, but not as the sandbox does.")
PHONE_AGENT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)


class SandboxAway(Exception):
    """It does not answer, or not as a sandbox does. The text is for a person."""


@dataclass(frozen=True, slots=True)
class GotMessage:
    """A message as the sandbox put it on a phone."""

    text: str
    segments: int
    status: str


def got(service: Service, numbers: Collection[str]) -> dict[int, GotMessage]:
    """What these phones got of this service, by message; of several attempts the last. Raises SandboxAway."""
    if not numbers:
        return {}
    status, _, body = _ask(
        service, "GET", f"/__sandbox__/handsets?{urlencode([('phone', one) for one in numbers])}"
    )
    if status != 200:
        raise SandboxAway(gettext("The sandbox did not say what its phones got."))
    found: dict[int, GotMessage] = {}
    try:
        for entries in _object(body).values():
            for one in entries:
                ours = correlation_id.read(str(one["correlationId"]), key=service.correlation_key)
                if ours is not None:  # others may be connected to the same sandbox
                    found[ours.message_id] = GotMessage(one["text"], one["segments"], one["status"])
    except (KeyError, TypeError) as problem:
        raise SandboxAway(NO_SANDBOX) from problem
    return found


def open_link(service: Service, path: str) -> str:
    """Open a short link as a phone does; returns where it leads, empty where it leads nowhere. Raises SandboxAway."""
    status, location, _ = _ask(service, "GET", path, headers={"User-Agent": PHONE_AGENT})
    return location if status == 302 else ""


def write_from(service: Service, phone: str, *, to: str, text: str, inbound_url: str) -> None:
    """Have a phone text one of our numbers: it comes in where real ones do. Raises SandboxAway."""
    body = json.dumps({"from": phone, "to": to, "text": text, "url": inbound_url}).encode()
    status, _, said = _ask(service, "POST", "/__sandbox__/inbound", body=body)
    if status != 200:
        says = gettext("The sandbox did not take it: %(reason)s")
        raise SandboxAway(says % {"reason": _object(said).get("error", status)})


def _ask(
    service: Service,
    method: str,
    path: str,
    *,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, str, bytes]:
    with _connected(service) as line:
        line.request(method, path, body=body, headers=headers or {})
        answer = line.getresponse()
        return answer.status, answer.headers.get("Location", ""), answer.read(LARGEST)


@contextmanager
def _connected(service: Service) -> Iterator[http.client.HTTPConnection]:
    if not service.is_sandbox:
        raise SandboxAway(gettext("This service is not connected to a sandbox."))
    where = urlsplit(service.provider_url)
    line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=PATIENCE)
    try:
        yield line
    except (OSError, http.client.HTTPException) as problem:
        raise SandboxAway(gettext("The sandbox does not answer just now.")) from problem
    finally:
        line.close()


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SandboxAway(NO_SANDBOX)
    return found
