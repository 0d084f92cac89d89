"""The cap of an API key on the messages that it asks for in one minute. Counted like the caps of the day, in a row for each minute.

What was asked for is not given back when it is cancelled, and counts in the minute of the request, whenever it is due.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.db.models import Max

from sms.catalogue.caps.rules import CapRules
from sms.catalogue.caps.wants import NamedCheck, Wanted, of_key
from sms.models import ApiKey, SpendCount
from sms.models.sql.spend_counts import CapCheck, CountedRow, counted

MARK = "~"
UNIT = "messages"


def check_of(key: ApiKey | None, wanted: Wanted, now: datetime) -> NamedCheck | None:
    """None where the key has no such cap, or nothing is asked for."""
    if key is None or key.cap_minute is None or not wanted.messages:
        return None
    check = CapCheck(key.cap_minute, wanted.messages, key=key.counted_as, number=number_of(now))
    return NamedCheck(check, f"minute:{key.pk}", of_key(key), UNIT)


def rows_of(rules: CapRules, one: NamedCheck, now: datetime) -> list[CountedRow]:
    """What was asked for in this minute; one query."""
    return counted(rules.service.pk, rules.day_of(now), [one.check.number])


def row_of(one: NamedCheck) -> CountedRow:
    return CountedRow(number=one.check.number, key=one.check.key or 0, used=one.check.wanted)


def number_of(moment: datetime) -> str:
    """Minutes since 1970."""
    return f"{MARK}{int(moment.timestamp()) // 60}"


def free_at(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)


def most_asked(rules: CapRules, day: date, keys: Collection[ApiKey]) -> dict[int, int]:
    """What each of the keys that have this cap asked for in its fullest minute of the day, by `counted_as`."""
    capped = [key.counted_as for key in keys if key.cap_minute is not None]
    if not capped:
        return {}
    rows = SpendCount.objects.filter(service=rules.service, day=day, key__in=capped, number__startswith=MARK)
    return dict(rows.order_by().values_list("key").annotate(most=Max("used")))
