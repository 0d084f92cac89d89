"""Which notices a person may read: of services that they are in today, with the roles they have today."""

from typing import Any

from django.db.models import Q, QuerySet

from sms.models import NOTICE_RULES, Notice

COUNTED = 99


def visible_to(person: Any) -> "QuerySet[Notice]":
    """`person` is a user with `memberships`."""
    mine = Notice.objects.filter(person=person)
    if person.is_superuser:
        return mine
    found = Q()
    for roles in {rule.roles for rule in NOTICE_RULES.values()}:
        held = person.memberships.filter(role__in=roles) if roles else person.memberships.all()
        of_kinds = Q(kind__in=[kind for kind, rule in NOTICE_RULES.items() if rule.roles == roles])
        found |= of_kinds & Q(service__in=held.order_by().values("service"))
        found |= of_kinds & Q(service=None, person__in=held.order_by().values("user"))
    return mine.filter(found)


def unread(person: Any) -> str:
    """How many, for the bell; empty for none, `99+` for more. One query of a partial index."""
    found = visible_to(person).filter(seen_at=None).order_by()[: COUNTED + 1].count()
    return f"{COUNTED}+" if found > COUNTED else str(found or "")
