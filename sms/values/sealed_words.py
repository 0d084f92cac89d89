"""Words that somebody looks for, as an address of a page may have them: sealed by a key of the service, since they may be a number. Pure.

An address is kept by browsers, proxies and logs. Sealed words open the same page again, with the back button, a bookmark or a link to a
colleague, and say nothing to anybody else. The same words are the same text, so that pages of a list belong together.
"""

import base64
import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

LONGEST = 300  # characters of the words
LONGEST_SEALED = 1700  # characters of what is made of so many, each of four bytes


def seal(words: str, *, key: bytes) -> str:
    """Letters, digits, `-` and `_`; "" for no words."""
    sealed = _cipher(key).encrypt(words.encode(), None) if words else b""
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def unseal(text: str, *, key: bytes) -> str:
    """What `seal` was given; "" for a text that this key did not make."""
    if not text or not text.isascii() or len(text) > LONGEST_SEALED:
        return ""
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return _cipher(key).decrypt(sealed, None).decode()
    except (ValueError, InvalidTag):
        return ""


def _cipher(key: bytes) -> AESSIV:
    return AESSIV(hashlib.sha512(b"words of a search" + key).digest())
