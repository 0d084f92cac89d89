"""The two ways to sign in: a service key, or a JWT that we mint ourselves (reference §2). Used by `client` for each request."""

import base64
import binascii
import dataclasses
import hashlib
import hmac
import json
from collections.abc import Mapping

from sms.words import gettext

LIFETIME = 3600  # seconds the provider honours a token, counted from `iat`
RENEW_AFTER = 3000  # ours: ten minutes early, so that neither a slow request nor a wrong clock meets the end


@dataclasses.dataclass(frozen=True, slots=True)
class ServiceKey:
    """A service key. Goes into the header `key` as it is."""

    value: str = dataclasses.field(repr=False)
    origin: str | None = None  # where it was typed for; None for one that is stored nowhere

    def __post_init__(self) -> None:
        if not self.value or not all("!" <= char <= "~" for char in self.value):
            raise ValueError(
                gettext(
                    "The service key must be visible ASCII without spaces; copy it again from the API tab."
                )
            )

    def headers(self, now: float) -> dict[str, str]:
        """Headers of a request. `now` (Unix seconds) plays no part for a key."""
        return {"key": self.value}


@dataclasses.dataclass(slots=True)
class Jwt:
    """A service id with its secret in base64. `headers` mints an HS256 token and reuses it until it is 50 minutes old.

    Not for several threads: like the Client that holds it, one per thread.
    """

    service_id: str
    secret_base64: str = dataclasses.field(repr=False)
    origin: str | None = None  # as of a key
    _secret: bytes = dataclasses.field(init=False, repr=False, compare=False, default=b"")
    _minted_at: float = dataclasses.field(init=False, repr=False, compare=False, default=0.0)
    _header: str = dataclasses.field(init=False, repr=False, compare=False, default="")

    def __post_init__(self) -> None:
        if not self.service_id:
            raise ValueError(gettext("The service ID is empty; the API tab shows it when JWT is picked."))
        text = "".join(self.secret_base64.split())
        try:
            self._secret = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except (binascii.Error, ValueError):
            says = gettext("The service secret is not base64; copy it again from the API tab.")
            raise ValueError(says) from None
        if not self._secret:
            raise ValueError(gettext("The service secret is empty."))

    def headers(self, now: float) -> dict[str, str]:
        """Headers of a request made at `now` (Unix seconds). A clock that went back makes a new one too."""
        if not self._header or not 0 <= now - self._minted_at < RENEW_AFTER:
            self._header = f"Bearer {self.token(int(now))}"
            self._minted_at = int(now)
        return {"Authorization": self._header}

    def forget(self) -> None:
        """Drop the token held, so that the next request carries a new one (after a 401)."""
        self._header = ""

    def token(self, issued_at: int) -> str:
        claims = _segment({"iss": self.service_id, "iat": issued_at})
        signed = _segment({"alg": "HS256", "typ": "JWT"}) + "." + claims
        return signed + "." + _base64url(hmac.digest(self._secret, signed.encode(), hashlib.sha256))


def _segment(claims: Mapping[str, str | int]) -> str:
    return _base64url(json.dumps(claims, separators=(",", ":")).encode())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
