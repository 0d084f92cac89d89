"""Room of the caps reserved, looked at, given back and moved. Called inside the transaction of what is counted."""

from collections.abc import Collection
from datetime import date, datetime

from django.utils import timezone

from sms.catalogue.caps.rules import WHO, CapRules
from sms.catalogue.caps.wants import MICROS, NamedCheck, Wanted, checks_of, digests_of
from sms.models import ApiKey, Service, SpendCount
from sms.models.sql import spend_counts
from sms.values.problems import Problem, ProblemCode, ProblemError


class CapReached(ProblemError):
    """A cap does not allow it. Nothing may be kept of the transaction; `free_at` is when the cap begins anew."""

    def __init__(self, problem: Problem, free_at: datetime) -> None:
        super().__init__(problem.code, problem.text, field=problem.field)
        self.free_at = free_at


def reserve(
    service: Service, day: date, wanted: Wanted, *, key: ApiKey | None, field: str = "audience"
) -> None:
    """Count all of it, or raise CapReached."""
    rules = CapRules.of(service)
    named = checks_of(rules, wanted, key)
    rows = wanted.rows(service, day)
    if not rows:
        return
    counted = spend_counts.reserve(service.pk, day, rows, [one.check for one in named])
    if counted is None:
        raise CapReached(refusal(rules, day, named, field=field) or _busy(field), rules.ends_at(day))
    most = service.cap_number
    if most is not None and any(used > most for number, used in counted.items() if number):
        raise CapReached(
            Problem(ProblemCode.NUMBER_CAP, field, number_sentence(rules, day)), rules.ends_at(day)
        )


def refusal(
    rules: CapRules, day: date, named: list[NamedCheck], *, field: str = "audience"
) -> Problem | None:
    """The first cap that does not allow what is wanted, in words; None where all do. Reserves nothing."""
    known = spend_counts.used(rules.service.pk, day, [one.check for one in named])
    for one, used in zip(named, known, strict=True):
        if used + one.check.wanted > one.check.cap:
            return Problem(ProblemCode.CAP_REACHED, field, _sentence(rules, day, one, used))
    return None


def full_numbers(service: Service, day: date, numbers: Collection[str], *, more: int = 1) -> set[str]:
    """Those that could not get `more` messages on that day, in one query."""
    most = service.cap_number
    if most is None or not numbers:
        return set()
    digests = digests_of(service, day, numbers)
    rows = SpendCount.objects.filter(service=service, day=day, number__in=list(digests.values()))
    full = set(rows.filter(used__gt=most - more).values_list("number", flat=True))
    return {number for number, digest in digests.items() if digest in full}


def take_numbers(service: Service, day: date, numbers: Collection[str]) -> set[str]:
    """Count a message for each; returns those that have had enough by now, for which none is counted."""
    if service.cap_number is None or not numbers:
        return set()
    digests = digests_of(service, day, numbers)
    rows = [spend_counts.CountedRow(number=one, used=1) for one in digests.values()]
    counted = spend_counts.move(service.pk, day, rows)
    over = {one for one, digest in digests.items() if counted[digest] > service.cap_number}
    if over:
        spend_counts.move(
            service.pk, day, [spend_counts.CountedRow(number=digests[one], used=-1) for one in over]
        )
    return over


def give_back(service: Service, day: date | None, wanted: Wanted) -> None:
    """What was reserved and is not sent after all; of a day that is over, nothing is owed."""
    if day is None or day < CapRules.of(service).day_of(timezone.now()):
        return
    if rows := wanted.rows(service, day, sign=-1):
        spend_counts.move(service.pk, day, rows)


def number_sentence(rules: CapRules, day: date) -> str:
    most = rules.service.cap_number or 0
    return (
        f"This number has the {most:,} message{'' if most == 1 else 's'} that one number may get in a day. "
        f"It is free again on {_moment(rules, day)}. {WHO}"
    )


def _sentence(rules: CapRules, day: date, one: NamedCheck, used: int) -> str:
    cap, wanted = one.check.cap, one.check.wanted
    who = (
        "An admin can raise it under API keys or Settings › Spend caps."
        if one.name.startswith("key:")
        else WHO
    )
    return (
        f"{one.of[:1].upper()}{one.of[1:]}: {_amount(one, cap)} a day is the cap. {_amount(one, used)} of {day:%-d %B} "
        f"{'is' if one.check.column == 'money' else 'are'} taken, so {_amount(one, max(cap - used, 0))} "
        f"{'is' if one.check.column == 'money' else 'are'} left, and this takes {_amount(one, wanted)}. "
        f"It is free again on {_moment(rules, day)}. {who}"
    )


def _amount(one: NamedCheck, value: int) -> str:
    if one.check.column == "money":
        return f"{value / MICROS:,.2f} {one.unit}"
    return f"{value:,} segment{'' if value == 1 else 's'}"


def _moment(rules: CapRules, day: date) -> str:
    return f"{rules.ends_at(day):%-d %B at %H:%M} ({rules.service.clock})"


def _busy(field: str) -> Problem:
    """What had taken the room was given back a moment later."""
    return Problem(ProblemCode.CAP_REACHED, field, "The cap was reached for a moment. Send it again.")
