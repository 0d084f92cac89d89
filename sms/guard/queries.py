"""Which changes of a service wait, and which were answered lately. Called by pages."""

from typing import Any

from django.db.models import Q, QuerySet

from sms.guard.effects import obstacle
from sms.models import ChangeState, Service, WaitingChange


def waiting(service: Service, user: Any) -> "QuerySet[WaitingChange]":
    """Of this service, and for superusers those that are about every service; the oldest first."""
    return _seen(service, user).filter(state=ChangeState.WAITING).order_by("pk")


def recent(service: Service, user: Any) -> "QuerySet[WaitingChange]":
    return _seen(service, user).exclude(state=ChangeState.WAITING)


def to_confirm(service: Service, user: Any) -> list[WaitingChange]:
    return [one for one in waiting(service, user)[:20] if not obstacle(one, user)]


def _seen(service: Service, user: Any) -> "QuerySet[WaitingChange]":
    everywhere = Q(service=None) if user.is_superuser else Q()
    return WaitingChange.objects.filter(Q(service=service) | everywhere if everywhere else Q(service=service))
