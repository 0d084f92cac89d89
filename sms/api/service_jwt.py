"""Signing in at `/v2/messages` with the JWT of a service, as at Webex Connect: HS256 with the service's id and secret (reference §2.1).

Whoever has the secret may send through the provider anyway. Here the request counts as that of the API key that stands for the JWT
(`ApiKey.takes_jwt`), so that it has scopes, addresses, a rate and an end like any other; without such a key no JWT opens anything.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from datetime import datetime
from typing import Any, TypeGuard

from sms.models import ApiKey, Service
from sms.values.text import UNSTORABLE

LIFETIME = 3600  # seconds from `iat`
AHEAD = 60  # seconds that the caller's clock may be before ours
LONGEST = 2000  # characters
_NOBODY = secrets.token_bytes(32)
_OTHER_SECRETS = [name for name in Service.secrets("service") if name != "service__jwt_secret"]


def looks_like_one(token: str) -> bool:
    return token.count(".") == 2 and len(token) <= LONGEST


def key_of(token: str, *, now: datetime) -> ApiKey | None:
    """The key that this JWT stands for; None where it proves nothing. As much is computed for a service that does not exist."""
    signed, _, signature = token.rpartition(".")
    head, _, payload = signed.partition(".")
    header, claims = _read(head), _read(payload)
    if header is None or claims is None or header.get("alg") != "HS256" or "crit" in header:
        return None
    issuer = claims.get("iss")
    given = _unbase64(signature)
    if not isinstance(issuer, str) or not issuer or UNSTORABLE.search(issuer):
        return None
    if given is None or not _is_current(claims, now.timestamp()):
        return None
    found = None
    keys = ApiKey.objects.filter(ApiKey.usable_at(now), takes_jwt=True, service__jwt_service_id=issuer)
    keys = keys.select_related("service").defer(*_OTHER_SECRETS)[:20]
    candidates = [(key, _secret_of(key.service.jwt_secret)) for key in keys]
    for key, secret in [*candidates, (None, _NOBODY)]:
        proof = hmac.digest(secret, signed.encode(), hashlib.sha256)
        if hmac.compare_digest(proof, given):
            found = found or key
    return found


def _is_current(claims: dict[str, Any], now: float) -> bool:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not _whole(issued) or not issued - AHEAD <= now < issued + LIFETIME:
        return False
    return expires is None or (_whole(expires) and issued < expires and now < expires)


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _secret_of(written: str) -> bytes:
    """The bytes that sign; random ones where there are none, since an empty secret would open to anybody."""
    text = "".join(written.split())
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True) or _NOBODY
    except (binascii.Error, ValueError):
        return _NOBODY


def _read(part: str) -> dict[str, Any] | None:
    raw = _unbase64(part)
    try:
        found = None if raw is None else json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _unbase64(part: str) -> bytes | None:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
