"""Who calls: `key: <API key>`, `Authorization: Bearer <API key>` or, where the provider takes it, a JWT; and what that key may do.

The key's row is read on every request, by its unique prefix: that is one indexed read, and it makes a revocation effective with the next
request. Its service, a wide row with secrets to decrypt, is remembered for a moment, and so is what its requests named of its
catalogue: reading them cost a third of a request.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from sms.api import service_jwt
from sms.models import Actor, ApiKey, Service
from sms.models.sql.clock import corrected_now

KNOWN_FOR = 1.0  # seconds
MOST_KNOWN = 1000

NOT_BEARER = "no bearer token"
SAY_BEARER = "Authorization has another scheme than Bearer. Write the word Bearer and your key, or send the key in the header `key`."

# what no request of a partner needs is not decrypted for it
UNREAD = ("receipt_secret", "receipt_secret_before", "correlation_key")


@dataclass(frozen=True, slots=True)
class KnownService:
    """A service as it was a moment ago, and rows of its catalogue by what they were called by."""

    until: float
    service: Service
    catalogue: dict[tuple[type, str], Any] = field(default_factory=dict)


_known: dict[str, KnownService] = {}  # by the key's digest


class NotFromHere(PermissionDenied):
    """The key is good, and may not be used from this address."""

    default_detail = "This key may not be used from your address. An admin changes that under API keys."
    default_code = "address"


@dataclass(frozen=True, slots=True)
class PartnerUser:
    """`request.user` of a partner's request: the key, its service, and the `by=` of what it does."""

    key: ApiKey
    address: str
    catalogue: dict[tuple[type, str], Any] = field(default_factory=dict)  # what of it is known, for a moment
    is_authenticated: bool = True

    @property
    def service(self) -> Service:
        return self.key.service

    @property
    def actor(self) -> Actor:
        return Actor(
            kind="key",
            key=self.key.prefix,
            label=self.key.name,
            door="api",
            address=self.address[:45],
            owner=self.key.identity,
        )


class KeyAuthentication(BaseAuthentication):
    """`request.user` becomes a PartnerUser, `request.auth` the ApiKey."""

    def authenticate(self, request: Request) -> tuple[PartnerUser, ApiKey] | None:
        """None where no key came; AuthenticationFailed where it opens nothing, NotFromHere where it does but not from there."""
        token = self.token_of(request._request)
        if not token:
            return None
        now = corrected_now()
        found = self.key_of(request._request, token, now=now)
        if found is None:
            raise AuthenticationFailed(SAY_BEARER if token == NOT_BEARER else "There is no such key.")
        if why := found.why_not(now):
            raise AuthenticationFailed(why)
        address = address_of(request._request)
        if not found.allows(address):
            raise NotFromHere
        known = _service_of(found)
        found.service = known.service
        found.note_use(now)
        return PartnerUser(found, address, known.catalogue), found

    def token_of(self, request: HttpRequest) -> str:
        return token_of(request)

    def key_of(self, request: HttpRequest, token: str, *, now: datetime) -> ApiKey | None:
        found = ApiKey.found(ApiKey.prefix_of(token))
        return found if found is not None and found.opens_with(token) else None

    def authenticate_header(self, request: Request) -> str:
        """So that a refusal is a 401."""
        return 'Bearer realm="Textdesk"'


class KeyOrJwtAuthentication(KeyAuthentication):
    """Also a JWT of the service in `Authorization`, as Webex Connect takes it."""

    def key_of(self, request: HttpRequest, token: str, *, now: datetime) -> ApiKey | None:
        if "HTTP_AUTHORIZATION" in request.META and service_jwt.looks_like_one(token):
            return service_jwt.key_of(token, now=now)
        return super().key_of(request, token, now=now)


class KeyHasScope(BasePermission):
    """To send needs the scope `send`, to read `read`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        needed, key = "send" if request.method == "POST" else "read", request.auth
        if not isinstance(key, ApiKey):
            return False
        if str(request.method).lower() not in view.http_method_names:
            return True  # it gets its 405
        if needed not in key.scopes:
            self.message = f"This key lacks the scope “{needed}”."
            return False
        return True


def token_of(request: HttpRequest) -> str:
    """The key as it was sent. `Authorization` is looked at first, as the provider does."""
    authorization = str(request.META.get("HTTP_AUTHORIZATION", ""))
    if authorization:
        scheme, _, token = authorization.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else NOT_BEARER
    return str(request.META.get("HTTP_KEY", "")).strip()


def address_of(request: HttpRequest) -> str:
    """The caller's address; behind our own proxy it is the last one that the proxy noted."""
    if settings.BEHIND_PROXY and (noted := request.META.get("HTTP_X_FORWARDED_FOR", "")):
        return str(noted).rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR") or "")


def _service_of(key: ApiKey) -> KnownService:
    """KNOWN_FOR seconds old at most."""
    now = time.monotonic()
    known = _known.get(key.digest)
    if known is None or known.until < now:
        service = Service.objects.select_related("region").defer(*UNREAD).get(pk=key.service_id)
        if len(_known) > MOST_KNOWN:
            _known.clear()
        known = _known[key.digest] = KnownService(now + KNOWN_FOR, service)
    return known
