"""`x-hub-signature`: an HMAC over the bytes of the body, keyed by the hub secret as plain text, in lower-case hex."""

from __future__ import annotations

import hashlib
import hmac

HASHES = {"sha256": hashlib.sha256, "sha512": hashlib.sha512, "sha1": hashlib.sha1}


def sign(secret: str, body: bytes, *, algorithm: str, prefix: bool) -> bytes:
    """The header's value: 40, 64 or 128 hex digits, behind ``sha256=`` or the like where there is a prefix."""
    digest = hmac.new(secret.encode(), body, HASHES[algorithm]).hexdigest()
    return f"{algorithm}={digest}".encode() if prefix else digest.encode()
