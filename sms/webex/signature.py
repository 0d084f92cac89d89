"""The signature on outbound webhooks, `x-hub-signature` (reference §6.3): HMAC over the raw body, hex. Used by both endpoints.

SHA-256 or SHA-512, as the service says. SHA-1 is refused even where an old configuration still sends it.
"""

import hmac
import json
import re
from collections.abc import Sequence
from typing import Literal

Algorithm = Literal["sha256", "sha512"]

_DIGITS = {"sha256": 64, "sha512": 128}
_HEADER = re.compile(r"(?:(?P<prefix>[A-Za-z0-9-]+)=)?(?P<hex>[0-9A-Fa-f]+)", re.ASCII)


def sign(raw: bytes, *, secret: str, algorithm: Algorithm = "sha256") -> str:
    """The header's value for a body, with its prefix: `sha256=<hex>`."""
    return f"{algorithm}={_digest(raw, secret, algorithm)}"


def verify(raw: bytes, header: str, *, secrets: Sequence[str], algorithm: Algorithm = "sha256") -> bool:
    """Whether one of `secrets` (two during rotation) made the signature. The prefix may be missing, but must not be another's.

    The provider's own example hashes a body without surrounding white space and in its compact form, so these are accepted as
    well; the bytes that came are tried first. Takes the same time whichever secret fits.
    """
    found = _HEADER.fullmatch(header.strip())
    if found is None or len(found["hex"]) != _DIGITS[algorithm]:
        return False
    if found["prefix"] and found["prefix"].lower().replace("-", "") != algorithm:
        return False
    given = found["hex"].lower()
    return _fits({raw, raw.strip()}, given, secrets, algorithm) or _fits(
        _compact(raw), given, secrets, algorithm
    )


def _fits(bodies: set[bytes], given: str, secrets: Sequence[str], algorithm: Algorithm) -> bool:
    fits = False
    for secret in filter(None, secrets):
        for body in bodies:  # no early way out: the time reveals nothing
            fits |= hmac.compare_digest(given, _digest(body, secret, algorithm))
    return fits


def _compact(raw: bytes) -> set[bytes]:
    """The JSON without spaces, as the provider's example for receivers writes it before it hashes; with and without escapes."""
    try:
        said = json.loads(raw.decode())
        return {
            json.dumps(said, separators=(",", ":"), ensure_ascii=ascii_only).encode(errors="surrogatepass")
            for ascii_only in (True, False)
        }
    except (ValueError, RecursionError):
        return set()


def _digest(raw: bytes, secret: str, algorithm: Algorithm) -> str:
    return hmac.digest(secret.encode(), raw, algorithm).hex()
