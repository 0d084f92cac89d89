"""Events, and whether a callback that brings one is genuine. Needs nothing but Python, so a receiver can use it alone."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

TOLERANCE = 300  # seconds between the callback's clock and ours


class NotGenuine(Exception):
    """Nobody who knows the secret wrote this, or it is too old. Answer 401, and do nothing of it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. The same event may come twice, under the same `id`. `cursor` is where `Textdesk.events` goes on after
    it; where that is a little before it, the events in between come again."""

    id: str
    type: str
    timestamp: datetime
    data: Mapping[str, Any]
    test: bool = False
    cursor: str = ""

    @classmethod
    def of(cls, said: Mapping[str, Any], *, id: str = "") -> "Event":
        """From the JSON of an event; `id` where only the header says it."""
        return cls(
            id=str(said.get("id") or id),
            type=str(said["type"]),
            timestamp=datetime.fromisoformat(str(said["timestamp"])),
            data=said.get("data") or {},
            test=bool(said.get("test")),
        )


def verify(
    body: bytes,
    headers: Mapping[str, str],
    secret: str | Sequence[str],
    *,
    now: float | None = None,
    tolerance: float = TOLERANCE,
) -> Event:
    """The event of a callback, or NotGenuine. `body` is what came, byte by byte; `secret` begins with `whsec_`, and may be several.

    The signature is that of Standard Webhooks: HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        event_id, at = given["webhook-id"], given["webhook-timestamp"]
        signatures = given["webhook-signature"].split(" ")
        sent = int(at)
    except (KeyError, ValueError):
        raise NotGenuine("A header of the signature is missing or broken.") from None
    if abs((time.time() if now is None else now) - sent) > tolerance:
        raise NotGenuine("It was signed too long ago, or this machine's clock is wrong.")
    signed = f"{event_id}.{at}.".encode() + body
    secrets = [secret] if isinstance(secret, str) else secret
    if not any(hmac.compare_digest(_signature(one, signed), sig) for one in secrets for sig in signatures):
        raise NotGenuine("No signature fits the secret.")
    try:
        return Event.of(json.loads(body), id=event_id)
    except (ValueError, KeyError, AttributeError):
        raise NotGenuine("It is signed, and is no event.") from None


def _signature(secret: str, signed: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"))
    except binascii.Error:
        raise ValueError("The secret should be what Textdesk showed: whsec_ and base64.") from None
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
