"""Admins hear of minutes in which receipts stopped (`silence.gaps`): once a day for a service. A job asks every quarter of an hour."""

from datetime import datetime

from sms import notices
from sms.inbound.receipts.silence import LOOK_BACK, gaps
from sms.ledger.counters import window_of
from sms.models import NoticeKind, Service, StateCount
from sms.models.sql.session import database_now


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
            says=f"Receipts are missing for about {last.missing:,} of {last.posted:,} messages.",
            more=f"They were posted between {last.begins:%-d %B, %H:%M} and {last.ends:%-d %B, %H:%M} UTC; "
            f"{last.ended:,} have a final receipt. Look whether Webex Connect still has the right receipt address.",
            service=service,
            page="receipts_page",
            now=now,
        )
