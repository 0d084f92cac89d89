"""Correlation ids: ours, sent with every message and echoed in every receipt. Pure.

`<message key in base 36>-<attempt>-<check>`: a receipt finds its row by primary key, and the keyed check (80 bits of HMAC-SHA256) makes
a forged one find nothing. At most 41 characters, within the 50 bytes that the provider's older API allows.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Correlation:
    message_id: int
    attempt: int


def write(*, message_id: int, attempt: int, key: str) -> str:
    stem = f"{_base36(message_id)}-{attempt}"
    return f"{stem}-{_check(stem, key)}"


def read(text: str, *, key: str) -> Correlation | None:
    """The message and attempt of a genuine id, None for anything else."""
    if len(text) > 50 or not text.isascii():
        return None
    stem, _, check = text.lower().rpartition("-")
    if not hmac.compare_digest(check, _check(stem, key)):
        return None
    number, _, attempt = stem.partition("-")
    return Correlation(message_id=int(number, 36), attempt=int(attempt))


def _check(stem: str, key: str) -> str:
    digest = hmac.digest(key.encode(), stem.encode(), hashlib.sha256)
    return base64.b32encode(digest[:10]).decode().lower()


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return digits or "0"
