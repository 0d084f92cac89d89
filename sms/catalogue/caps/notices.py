"""Who is told that a cap comes near or is reached: once a day for each, by whichever process writes the row. A job asks every minute."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_noop

from sms import notices
from sms.catalogue.caps.rules import CapRules
from sms.catalogue.caps.standing import CapStanding, notable
from sms.models import Actor, CapNotice, NoticeKind, Service, SpendCount
from sms.models.audit import audit
from sms.models.sql.session import database_now
from sms.words import KeptSentence

REACHED = KeptSentence(gettext_noop("A spend cap of %(service)s is reached."))
NEAR = KeptSentence(gettext_noop("A spend cap of %(service)s comes near."))
REFUSED = gettext_noop("What goes beyond it is refused until then.")
WOULD_BE_REFUSED = gettext_noop("What would go beyond it is refused.")
WHAT_TO_DO = gettext_noop(
    "If you do not know why so much is sent, revoke the key or pause the service. "
    "The page shows what was taken today, and where an admin can raise it."
)


def tell(*, now: datetime | None = None) -> int:
    """Returns how many notices were given."""
    now = now or database_now()
    given = 0
    days = (now.date() - timedelta(days=1), now.date() + timedelta(days=1))
    counted = SpendCount.objects.filter(day__range=days, number="", used__gt=0).values("service")
    for service in Service.objects.filter(pk__in=counted):
        rules = CapRules.of(service)
        for standing in notable(service, now=now):
            with transaction.atomic():
                row, new = CapNotice.objects.get_or_create(
                    service=service,
                    day=rules.day_of(now),
                    cap=standing.name[:40],
                    reached=standing.reached,
                )
                if new:
                    given += 1
                    _tell_admins(service, standing, event=f"cap:{row.pk}")
                    audit(
                        "service.cap_reached" if standing.reached else "service.cap_near",
                        service,
                        by=Actor.system(),
                        cap=standing.name,
                        used=standing.used,
                        of=standing.cap,
                        unit=standing.unit,
                    )
    return given


def _tell_admins(service: Service, standing: CapStanding, *, event: str) -> None:
    says, then = (REACHED, REFUSED) if standing.reached else (NEAR, WOULD_BE_REFUSED)
    notices.tell(
        NoticeKind.SPEND_CAP,
        notices.holding(service, "admin"),
        event=event,
        says=says(service=service.name),
        more=f"{standing.sentence} {then}\n\n{WHAT_TO_DO}",
        service=service,
        page="settings_caps",
    )


def forget(*, now: datetime | None = None) -> int:
    """Delete counters and notices of days that nothing asks about any more; returns how many counters."""
    today = (now or database_now()).date()
    CapNotice.objects.filter(day__lt=today - timedelta(days=CapNotice.KEPT)).delete()
    return SpendCount.objects.filter(day__lt=today - timedelta(days=SpendCount.KEPT)).delete()[0]
