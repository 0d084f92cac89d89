"""Admins hear of API keys that are about to expire: a week before, and a day before. A job asks every hour."""

from datetime import datetime, timedelta

from django.utils import timezone

from sms import notices
from sms.models import ApiKey, NoticeKind, Service

EARLY, LATE = timedelta(days=7), timedelta(days=1)


def tell_due(*, now: datetime | None = None) -> None:
    now = now or timezone.now()
    soon = ApiKey.objects.filter(ApiKey.usable_at(now), expires_at__gt=now, expires_at__lte=now + EARLY)
    for key in soon.select_related("service").defer(*Service.secrets("service")):
        if key.expires_at is None:
            continue
        late = key.expires_at <= now + LATE
        notices.tell(
            NoticeKind.KEY_EXPIRES,
            notices.holding(key.service, "admin"),
            event=f"key:{key.pk}:{key.expires_at:%Y-%m-%d}:{'late' if late else 'early'}",
            says=f"The API key {key.name} expires on {key.expires_at:%-d %B %Y, %H:%M} UTC.",
            more="Programs that use it are refused from then on. Make a new key, and give it to whoever runs them.",
            service=key.service,
            page="api_key_policies",
            page_id=key.pk,
            now=now,
        )
