"""What people do with API keys: make one, revoke one. Both are audited, and neither shows a key a second time.

Called by the page, `manage.py api_key` and tests. Whether a key opens anything is decided in `sms.api.authentication`.
"""

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from sms.models import Actor, ApiKey, Service
from sms.models.api_key import AT_A_TIME
from sms.models.audit import audit


def make(
    service: Service,
    *,
    name: str,
    scopes: Sequence[str],
    by: Actor,
    networks: Sequence[str] = (),
    per_minute: int = 6000,
    is_test: bool = False,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A key and its token, which cannot be had again. Raises ValidationError with a sentence for each field."""
    now = timezone.now()
    key, token = ApiKey.make(
        service=service,
        name=name.strip(),
        scopes=list(dict.fromkeys(scopes)),
        networks=list(dict.fromkeys(networks)),
        per_minute=per_minute,
        is_test=is_test,
        expires_at=expires_at,
        created_by=by.label,
    )
    key.full_clean()
    if expires_at is not None and expires_at <= now:
        raise ValidationError({"expires_at": "That time has passed. Choose a later one, or none."})
    with transaction.atomic():
        Service.objects.select_for_update(no_key=True).only("pk").get(pk=service.pk)
        usable = ApiKey.objects.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=now),
            service=service,
            name=key.name,
            revoked_at=None,
        )
        if usable.count() >= AT_A_TIME:
            raise ValidationError(
                {
                    "name": f"{key.name} has {AT_A_TIME} usable keys. Revoke the one that is not used any more first."
                }
            )
        key.save()
        audit(
            "api_key.added",
            key,
            by=by,
            key=key.prefix,
            name=key.name,
            scopes=key.scopes,
            networks=key.networks,
            is_test=is_test,
            expires_at=expires_at.isoformat() if expires_at else "",
        )
    return key, token


def revoke(key: ApiKey, *, by: Actor) -> bool:
    """End it with the next request; False where it was revoked already."""
    with transaction.atomic():
        done = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(
            revoked_at=timezone.now(), revoked_by=by.label or "unknown"
        )
        if done:
            audit("api_key.revoked", key, by=by, key=key.prefix, name=key.name)
    return bool(done)
