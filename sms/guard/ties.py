"""Whose word is whose: who made a person an approver or an admin, or had their account in hand, answers for them for some days."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

TIED_FOR = timedelta(days=7)


def tied(people: Collection[int], *, now: datetime) -> Q:
    """Memberships whose person is tied to one of these."""
    since = now - TIED_FOR
    given = Q(given_by__in=people, given_at__gt=since)
    return given | Q(user__vouched_by__in=people, user__vouched_at__gt=since)


def vouchers_of(user: Any, service_id: int | None, role: str, *, now: datetime) -> set[int]:
    """Keys of the people to whom this one is tied, as a holder of that role; a superuser's account counts without one."""
    since = now - TIED_FOR
    held = user.memberships.filter(service=service_id, role=role, given_at__gt=since, given_by__isnull=False)
    found = set(held.values_list("given_by_id", flat=True))
    if user.vouched_at is not None and user.vouched_at > since and user.vouched_by_id:
        found.add(user.vouched_by_id)
    return found - {user.pk}
