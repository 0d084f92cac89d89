"""Who is told that a cap comes near or is reached: once a day for each, by whichever process writes the row. A job asks every minute."""

from datetime import datetime, timedelta

from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone

from sms.catalogue.caps.rules import CapRules
from sms.catalogue.caps.standing import notable
from sms.models import Actor, CapNotice, Service, SpendCount
from sms.models.audit import audit

cap_near = Signal()
"""Sent with `service` and `standing` (CapStanding) after the row is committed; `portal.admin_mail` writes to the admins."""


def tell(*, now: datetime | None = None) -> int:
    """Returns how many notices were given."""
    now = now or timezone.now()
    given = 0
    days = (now.date() - timedelta(days=1), now.date() + timedelta(days=1))
    counted = SpendCount.objects.filter(day__range=days, number="", used__gt=0).values("service")
    for service in Service.objects.filter(pk__in=counted):
        rules = CapRules.of(service)
        for standing in notable(service, now=now):
            with transaction.atomic():
                _, new = CapNotice.objects.get_or_create(
                    service=service,
                    day=rules.day_of(now),
                    cap=standing.name[:40],
                    reached=standing.reached,
                )
                if new:
                    audit(
                        "service.cap_reached" if standing.reached else "service.cap_near",
                        service,
                        by=Actor.system(),
                        cap=standing.name,
                        used=standing.used,
                        of=standing.cap,
                        unit=standing.unit,
                    )
            if new:
                given += 1
                cap_near.send_robust(CapNotice, service=service, standing=standing)
    return given


def forget(*, now: datetime | None = None) -> int:
    """Delete counters and notices of days that nothing asks about any more; returns how many counters."""
    today = (now or timezone.now()).date()
    CapNotice.objects.filter(day__lt=today - timedelta(days=CapNotice.KEPT)).delete()
    return SpendCount.objects.filter(day__lt=today - timedelta(days=SpendCount.KEPT)).delete()[0]
