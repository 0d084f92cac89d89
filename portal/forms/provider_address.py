"""An address of the provider that was typed: vetted like that of a callback, since credentials go there."""

from typing import Any

from django import forms
from django.conf import settings

from sms.callbacks import BadAddress
from sms.catalogue import provider_address
from sms.words import retold


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
        raise forms.ValidationError(retold(str(problem))) from None
