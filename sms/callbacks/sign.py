"""The headers that prove a callback: Standard Webhooks for all, and the provider's own for notifyUrls."""

import base64
import binascii
import hashlib
import hmac
import uuid
from collections.abc import Sequence

from sms.models.callback import PREFIX
from sms.webex import signature


def headers(event_id: str, body: bytes, *, at: int, secrets: Sequence[str]) -> dict[str, str]:
    """`webhook-id`, `-timestamp` (seconds since 1970) and `-signature`: one `v1,…` for each secret, the newest first."""
    signed = f"{event_id}.{at}.".encode() + body
    marks = [
        f"v1,{base64.b64encode(hmac.digest(key(secret), signed, hashlib.sha256)).decode()}"
        for secret in secrets
    ]
    return {"webhook-id": event_id, "webhook-timestamp": str(at), "webhook-signature": " ".join(marks)}


def hub_header(body: bytes, *, secrets: Sequence[str]) -> dict[str, str]:
    """The provider's header has room for one signature: while two secrets are valid it is the previous one's, so that a receiver
    that knows one secret only is changed over at its own time. The secret is used as plain text, whsec_ included."""
    return {"x-hub-signature": signature.sign(body, secret=secrets[-1])} if secrets else {}


def trace_header(event_id: str) -> dict[str, str]:
    """The provider's name of a notification, a UUID; the same in every try, as the event is."""
    return {"x-wx-gtrid": str(uuid.uuid5(uuid.NAMESPACE_OID, event_id))}


def key(secret: str) -> bytes:
    """The key in a secret: what stands after whsec_, decoded. One that a partner had before is used as it is."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("A signing secret is whsec_ and base64.") from None
