"""What stands for a number in addresses of pages: sealed by a key of the service, the same for the same number. Pure.

Addresses are kept by browsers, proxies and logs, so none names a number; and a page that is kept as a bookmark still finds its person.
"""

import base64
import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

LONGEST = 60  # characters


def person_key(stored: str, *, key: bytes) -> str:
    """Letters, digits, `-` and `_` for a number as it is stored: `+447700900123`, or what `hidden` made of one."""
    return _written(_cipher(key).encrypt(stored.encode(), None))


def number_of(text: str, *, key: bytes) -> str | None:
    """What `person_key` was given; None for a text that this key did not make."""
    if not text.isascii() or len(text) > LONGEST:
        return None
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        found = _cipher(key).decrypt(sealed, None).decode()
    except (ValueError, InvalidTag):
        return None
    return found if _written(sealed) == text else None  # the decoder passes over what is no letter of its own


def _written(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _cipher(key: bytes) -> AESSIV:
    return AESSIV(hashlib.sha512(b"address of a person's page" + key).digest())
