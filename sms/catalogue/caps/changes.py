"""The one way to change a service's spend caps, and which changes let more through than before."""

from decimal import Decimal
from typing import Any

from django.db import transaction

from sms.catalogue.caps.rules import often_abused
from sms.models import Actor, Service
from sms.models.audit import audit
from sms.models.spend_cap import DEFAULTS, SpendCaps, read_countries

COLUMNS = tuple(one.name for one in SpendCaps._meta.get_fields())
AMOUNTS = (*DEFAULTS, "cap_money", "cap_money_key")


def set_caps(service: Service, values: dict[str, Any], *, by: Actor) -> list[str]:
    """Store checked values of COLUMNS; returns those that let more through than before, which the audit names too.

    A desk where weaker settings wait for a second admin asks `raised` first.
    """
    with transaction.atomic():
        locked = Service.objects.select_for_update(no_key=True).get(pk=service.pk)
        before = {name: getattr(locked, name) for name in COLUMNS}
        changed = [name for name in COLUMNS if name in values and values[name] != before[name]]
        if not changed:
            return []
        more = raised(before, before | values)
        for name in changed:
            setattr(locked, name, values[name])
        locked.save(update_fields=changed)
        audit(
            "service.caps_changed",
            locked,
            by=by,
            fields=changed,
            before={name: _plain(before[name]) for name in changed},
            after={name: _plain(values[name]) for name in changed},
            raised=more,
        )
    return more


def raised(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The columns that let more through than before. Another currency counts as more: what counts in money is another thing then."""
    found = [name for name in AMOUNTS if _is_more(before[name], after[name])]
    if before["cap_currency"] and before["cap_currency"] != after["cap_currency"]:
        found.append("cap_currency")
    if _opens(read_countries(before["countries"]), read_countries(after["countries"]), after["cap_country"]):
        found.append("countries")
    return found


def _is_more(before: Any, after: Any) -> bool:
    return before is not None and (after is None or after > before)


def _opens(before: dict[str, int | None], after: dict[str, int | None], usual: int | None) -> bool:
    """Whether a country is allowed that was not, or has a higher cap of its own. An empty list is every country but the abused ones."""
    if not after:
        return bool(before)
    if any(_is_more(before[one] or usual, cap or usual) for one, cap in after.items() if one in before):
        return True
    new = after.keys() - before.keys()
    if before:
        return bool(new)
    return bool(new & often_abused()) or any(_is_more(usual, cap) for cap in after.values() if cap)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
