"""The one way to change a service's spend caps, and which changes let more through than before."""

from decimal import Decimal
from typing import Any

from django.db import transaction

from sms.models import Actor, Service
from sms.models.audit import audit
from sms.models.spend_cap import RAISED, SpendCaps

COLUMNS = tuple(one.name for one in SpendCaps._meta.get_fields())


def set_caps(service: Service, values: dict[str, Any], *, by: Actor) -> list[str]:
    """Store checked values of COLUMNS; returns those that let more through than before, which the audit names too."""
    with transaction.atomic():
        locked = Service.objects.select_for_update(no_key=True).get(pk=service.pk)
        before = {name: getattr(locked, name) for name in COLUMNS}
        changed = [name for name in COLUMNS if name in values and values[name] != before[name]]
        if not changed:
            return []
        more = [name for name in changed if RAISED[name](before, before[name], values[name])]
        for name in changed:
            setattr(locked, name, values[name])
        locked.save(update_fields=changed)
        audit(
            "service.caps_changed",
            locked,
            by=by,
            fields=changed,
            before={name: plain(before[name]) for name in changed},
            after={name: plain(values[name]) for name in changed},
            raised=more,
        )
    return more


def plain(value: Any) -> Any:
    """As an audit keeps it."""
    return str(value) if isinstance(value, Decimal) else value
