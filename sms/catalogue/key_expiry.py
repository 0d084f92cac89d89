"""Admins hear of API keys that are about to expire: a week before, and a day before. A job asks every hour."""

from datetime import datetime

from django.utils.translation import gettext_noop

from sms import notices
from sms.catalogue.expiry import EARLY, in_words, stage
from sms.models import ApiKey, NoticeKind, Service
from sms.models.sql.session import database_now
from sms.words import KeptSentence

EXPIRES = KeptSentence(gettext_noop("The API key %(name)s expires on %(at)s."))
MORE = gettext_noop(
    "Programs that use it are refused from then on. Make a new key, and give it to the people who run them."
)


def tell_due(*, now: datetime | None = None) -> None:
    now = now or database_now()
    soon = ApiKey.objects.filter(ApiKey.usable_at(now), expires_at__gt=now, expires_at__lte=now + EARLY)
    for key in soon.select_related("service").defer(*Service.secrets("service")):
        if key.expires_at is None:
            continue
        notices.tell(
            NoticeKind.KEY_EXPIRES,
            notices.holding(key.service, "admin"),
            event=f"key:{key.pk}:{key.expires_at:%Y-%m-%d}:{stage(key.expires_at, now)}",
            says=EXPIRES(name=key.name, at=in_words(key.expires_at)),
            more=MORE,
            service=key.service,
            page="api_key_policies",
            page_id=key.pk,
            now=now,
        )
