"""The field for an address of the provider: credentials go there, so it is vetted like that of a callback."""

from typing import Any

from django import forms
from django.conf import settings

from sms.callbacks import BadAddress
from sms.catalogue import provider_address


def vetted(typed: Any, *, sandbox: bool) -> str:
    """The origin of what was typed, "" for nothing. Raises ValidationError."""
    own = {settings.PUBLIC_HOST, *settings.ALLOWED_HOSTS}
    try:
        return provider_address.usable(
            str(typed or ""),
            loopback=sandbox or settings.CALLBACKS["loopback"],
            public_url=settings.PUBLIC_URL,
            own_hosts=frozenset(host.lower() for host in own),
        )
    except BadAddress as problem:
        raise forms.ValidationError(str(problem)) from None
