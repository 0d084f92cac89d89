"""What a page says to the one who reads it: their own address, and, signed in, the names of the API keys they may see."""

import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest

from portal.access import services_of
from portal.partner_docs.drawing import ADDRESS, KEYS
from sms.models import ApiKey
from sms.models.sql.clock import corrected_now

MOST_SHOWN = 20
_NAMED = 3  # in the prompt of a block


def keys_for(request: HttpRequest) -> list[ApiKey]:
    """Usable keys of the reader's services, of which only the names are shown; none for a visitor."""
    user: Any = request.user
    if not user.is_authenticated:
        return []
    usable = Q(expires_at__isnull=True) | Q(expires_at__gt=corrected_now())
    found = ApiKey.objects.filter(usable, service__in=services_of(user), revoked_at__isnull=True)
    return list(found.select_related("service").order_by("service__name", "name", "pk")[:MOST_SHOWN])


def client_wheel() -> Path | None:
    """The Python client, where `make client` has built it."""
    built = sorted((settings.BASE_DIR / "clients" / "python" / "dist").glob("*.whl"))
    return built[-1] if built else None


def filled(html: str, address: str, keys: Iterable[ApiKey]) -> str:
    """The page with its marks replaced."""
    return html.replace(ADDRESS, escape(address)).replace(KEYS, _in_prompt(keys))


def _in_prompt(keys: Iterable[ApiKey]) -> str:
    """It is pasted into a shell, so only letters, digits and a few harmless signs of a name stay."""
    words = (re.sub(r"[^\w.-]+", " ", key.name).strip() for key in keys)
    names = list(dict.fromkeys(words))[:_NAMED]
    return escape(f" ({' or '.join(names)})") if names else ""
