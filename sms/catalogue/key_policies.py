"""What the policies of an API key make of a request that does not say it itself. Called by both APIs before an order is checked."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import QuerySet

from sms.models import ApiKey, Purpose, Receipts, Resend, SendOptions, Service

# evidence takes so long to gather: what expires sooner is helped by another attempt at once, or not at all
SHORT_LIVED = timedelta(minutes=15)
PROVED_BY = Receipts.SUBMITTED | Receipts.DELIVERED | Receipts.FAILED
LEFT_TO_KEYS = ("resend", "respect_quiet_hours")  # options


def complete(
    asked: SendOptions,
    key: ApiKey,
    *,
    given: Collection[str],
    due_at: datetime | None,
    receipts: Receipts,
    now: datetime,
) -> SendOptions:
    """`asked` with the options LEFT_TO_KEYS as the key has them, unless they were `given`.

    `receipts` are those that the provider will be asked for.
    """
    if "resend" not in given:
        asked.resend = _resend(key, _life_of(asked, max(due_at or now, now)), receipts)
    if "respect_quiet_hours" not in given:
        asked.respect_quiet_hours = not is_transactional(key)
    return asked


def is_transactional(key: ApiKey) -> bool:
    return key.purpose == Purpose.TRANSACTIONAL


def transactional_keys(service: Service, *, now: datetime) -> "QuerySet[ApiKey]":
    return service.api_keys.filter(ApiKey.usable_at(now), purpose=Purpose.TRANSACTIONAL)


def _resend(key: ApiKey, life: timedelta | None, receipts: Receipts) -> Resend:
    policy = Resend(key.resend)
    if policy != Resend.NEVER and life is not None and (policy == Resend.ALWAYS or life <= SHORT_LIVED):
        return Resend.ALWAYS
    evident = policy != Resend.NEVER and PROVED_BY in receipts
    return Resend.EVIDENCE if evident else Resend.NEVER


def _life_of(asked: SendOptions, begins: datetime) -> timedelta | None:
    """How long a message is worth something; None where it says no end."""
    if asked.validity is not None:
        return timedelta(seconds=asked.validity)
    return None if asked.expires_at is None else asked.expires_at - begins
