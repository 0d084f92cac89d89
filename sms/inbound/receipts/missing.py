"""Admins hear of minutes in which receipts stopped (`silence.gaps`): once a day for a service. A job asks every quarter of an hour."""

from datetime import datetime

from django.utils.translation import gettext_noop

from sms import notices
from sms.inbound.receipts.silence import LOOK_BACK, gaps
from sms.ledger.counters import window_of
from sms.models import NoticeKind, Service, StateCount
from sms.models.sql.session import database_now
from sms.words import KeptSentence

MISSING = KeptSentence(gettext_noop("Receipts are missing for about %(missing)s of %(posted)s messages."))
# Translators: begins and ends are times, ended is a number of messages.
MORE = KeptSentence(
    gettext_noop(
        "They were posted between %(begins)s and %(ends)s UTC; %(ended)s have a final receipt. "
        "Look whether Webex Connect still has the right receipt address."
    )
)


def tell_missing(*, now: datetime | None = None) -> None:
    now = now or database_now()
    posted = StateCount.objects.filter(window__gt=0, window__gte=window_of(now - LOOK_BACK))
    services = Service.objects.filter(pk__in=posted.order_by().values("send__service"))
    for service in services.defer(*Service.secrets()):
        found = [one for one in gaps(service, now=now) if one.missing]
        if not found:
            continue
        last = found[0]
        notices.tell(
            NoticeKind.RECEIPTS_MISSING,
            notices.holding(service, "admin"),
            event=f"receipts_missing:{service.pk}:{last.begins:%Y-%m-%d}",
            says=MISSING(missing=f"{last.missing:,}", posted=f"{last.posted:,}"),
            more=MORE(
                begins=f"{last.begins:%-d %B, %H:%M}",
                ends=f"{last.ends:%-d %B, %H:%M}",
                ended=f"{last.ended:,}",
            ),
            service=service,
            page="receipts_page",
            now=now,
        )
