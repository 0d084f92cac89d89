"""Who calls: `key: <API key>` or `Authorization: Bearer <API key>`, and what that key may do.

The key's row is read on every request, by its unique prefix: that is one indexed read, and it makes a revocation effective with the next
request. Its service, a wide row with secrets to decrypt, is remembered for a moment: reading both cost a quarter of a request.
"""

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from sms.models import Actor, ApiKey, Service

SERVICE_KNOWN = 1.0  # seconds
MOST_KNOWN = 1000
_services: dict[str, tuple[float, Service | None]] = {}  # by the key's digest

# what no request of a partner needs is not decrypted for it
UNREAD = ("receipt_secret", "receipt_secret_before", "correlation_key")


class NotFromHere(PermissionDenied):
    """The key is good, and may not be used from this address."""

    default_detail = "This key may not be used from your address. An admin changes that under API keys."
    default_code = "address"


@dataclass(frozen=True, slots=True)
class Partner:
    """`request.user` of a partner's request: the key, its service, and the `by=` of what it does."""

    key: ApiKey
    address: str
    is_authenticated: bool = True

    @property
    def service(self) -> Service:
        """The one service that the key opens."""
        return self.key.service

    @property
    def actor(self) -> Actor:
        """For the audit."""
        return Actor(
            kind="key", key=self.key.prefix, label=self.key.name, door="api", address=self.address[:45]
        )


class KeyAuthentication(BaseAuthentication):
    """`request.user` becomes a Partner, `request.auth` the ApiKey."""

    def authenticate(self, request: Request) -> tuple[Partner, ApiKey] | None:
        """None where no key came; AuthenticationFailed where it opens nothing, NotFromHere where it does but not from there."""
        token = token_of(request._request)
        if not token:
            return None
        now = timezone.now()
        found = _find(ApiKey.prefix_of(token))
        if found is None or not found.opens_with(token):
            raise AuthenticationFailed("There is no such key.")
        if why := found.why_not(now):
            raise AuthenticationFailed(why)
        address = address_of(request._request)
        if not found.allows(address):
            raise NotFromHere
        found.note_use(now)
        return Partner(found, address), found

    def authenticate_header(self, request: Request) -> str:
        """So that a refusal is a 401."""
        del request
        return 'Bearer realm="Textdesk"'


class HasScope(BasePermission):
    """The view names what it needs as `scope`, or by method as `scopes`: `{"GET": "read", "POST": "send"}`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the key holds the scope."""
        method = "GET" if request.method in ("HEAD", "OPTIONS") else str(request.method)
        needed = getattr(view, "scopes", {}).get(method) or getattr(view, "scope", "")
        if not isinstance(request.auth, ApiKey):
            return False
        key = request.auth
        if needed not in key.scopes:
            self.message = f"This key lacks the scope “{needed}”."
            return False
        if key.is_test and needed == "send" and not key.service.reaches_sandbox:
            self.message = (
                f"This is a test key, and {key.service.name} is not connected to a sandbox. Nothing was sent. "
                "Use a live key, or a service that is connected to a sandbox."
            )
            return False
        return True


def token_of(request: HttpRequest) -> str:
    """The key as it was sent. `Authorization` is looked at first, as the provider does."""
    authorization = str(request.META.get("HTTP_AUTHORIZATION", ""))
    if authorization:
        scheme, _, token = authorization.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else "no bearer token"
    return str(request.META.get("HTTP_KEY", "")).strip()


def address_of(request: HttpRequest) -> str:
    """The caller's address; behind our own proxy it is the last one that the proxy noted."""
    if settings.BEHIND_PROXY and (noted := request.META.get("HTTP_X_FORWARDED_FOR", "")):
        return str(noted).rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR") or "")


def _find(prefix: str) -> ApiKey | None:
    """The key as it is now; its service may be SERVICE_KNOWN seconds old, except for a test key, which must know where it sends."""
    found = ApiKey.objects.filter(prefix=prefix).first() if prefix else None
    if found is None:
        return None
    now = time.monotonic()
    until, service = _services.get(found.digest, (0.0, None))
    if service is None or until < now or found.is_test:
        service = Service.objects.select_related("region").defer(*UNREAD).get(pk=found.service_id)
        if len(_services) > MOST_KNOWN:
            _services.clear()
        _services[found.digest] = (now + SERVICE_KNOWN, service)
    found.service = service
    return found
