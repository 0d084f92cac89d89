"""What stands where a number stood: a keyed digest once its days are over, a fixed mark once it was erased. Pure.

With the number, what belongs to it can be found; from the digest, the number cannot: 75 bits of HMAC-SHA256 with a key of the
service. It fits into every column that holds a number. Called by retention, erasure, search, and where opt-outs are looked up.
"""

import base64
import hmac

MARK = "#"
ERASED = "#erased"
LENGTH = 16


def hidden(e164: str, *, key: bytes) -> str:
    """`+447700900123` → `#` and 15 letters; what is hidden or empty already stays as it is."""
    if not e164.startswith("+"):
        return e164
    digest = hmac.digest(key, e164.encode(), "sha256")
    return (MARK + base64.b32encode(digest[:10]).decode().lower())[:LENGTH]


def is_hidden(text: str) -> bool:
    return text.startswith(MARK)
