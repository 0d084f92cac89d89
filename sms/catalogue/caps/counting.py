"""Room of the caps reserved, looked at, given back and moved. Called inside the transaction of what is counted."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from sms.catalogue.caps import minutes
from sms.catalogue.caps.rules import CapRules
from sms.catalogue.caps.wants import MICROS, NamedCheck, Wanted, checks_of, digests_of
from sms.models import ApiKey, Service
from sms.models.sql import spend_counts
from sms.models.sql.session import database_now
from sms.models.sql.spend_counts import CountedRow
from sms.values.problems import Problem, ProblemCode, ProblemError
from sms.words import KeptSentence, moment, number

# of a number it is stored with rejected rows, so it is English
NUMBER_HAS_ONE = KeptSentence(
    gettext_noop(
        "This number already gets %(n)s message that day, the most for one number. It is free again on %(at)s. "
        "An admin can raise it under Set-up › Rules › Spend caps."
    )
)
NUMBER_HAS_MANY = KeptSentence(
    gettext_noop(
        "This number already gets %(n)s messages that day, the most for one number. It is free again on %(at)s. "
        "An admin can raise it under Set-up › Rules › Spend caps."
    )
)
# Translators: of is whose cap it is: a service, “the API key Shop” or “texts to France”; amounts are like “200 segments” or “20.00 EUR”.
DAY_OF_KEY = KeptSentence(
    gettext_noop(
        "The spend cap of %(of)s is %(cap)s a day. For %(day)s, %(used)s taken and %(left)s left; this takes %(wanted)s. "
        "It is free again on %(at)s. An admin can raise it under API keys or Set-up › Rules › Spend caps."
    )
)
DAY = KeptSentence(
    gettext_noop(
        "The spend cap of %(of)s is %(cap)s a day. For %(day)s, %(used)s taken and %(left)s left; this takes %(wanted)s. "
        "It is free again on %(at)s. An admin can raise it under Set-up › Rules › Spend caps."
    )
)


class CapReached(ProblemError):
    """A cap does not allow it. Nothing may be kept of the transaction; `free_at` is when the cap begins anew."""

    def __init__(self, problem: Problem, free_at: datetime) -> None:
        super().__init__(problem.code, problem.text, field=problem.field)
        self.free_at = free_at


def reserve(
    service: Service,
    day: date,
    wanted: Wanted,
    *,
    key: ApiKey | None,
    now: datetime,
    at: str = "audience",
) -> None:
    """Count all of it, or raise CapReached."""
    rules = CapRules.of(service, key)
    if (minute := minutes.check_of(key, wanted, now)) is not None:
        today, row = rules.day_of(now), minutes.row_of(minute)
        if spend_counts.reserve(service.pk, today, [row], [minute.check]) is None:
            problem = minute_refusal(minute, minutes.rows_of(rules, minute, now), now=now, at=at)
            raise CapReached(problem or _busy(at), minutes.free_at(now))
    named = checks_of(rules, wanted, key)
    rows = wanted.rows(service, day)
    if not rows:
        return
    counted = spend_counts.reserve(service.pk, day, rows, [one.check for one in named])
    if counted is None:
        problem = refusal(rules, day, named, rows=spend_counts.counted(service.pk, day), at=at)
        raise CapReached(problem or _busy(at), rules.ends_at(day))
    most = service.cap_number
    if most is not None and any(used > most for number, used in counted.items() if number):
        raise CapReached(Problem(ProblemCode.NUMBER_CAP, at, number_sentence(rules, day)), rules.ends_at(day))


def refusal(
    rules: CapRules,
    day: date,
    named: Sequence[NamedCheck],
    *,
    rows: Sequence[CountedRow],
    at: str = "audience",
) -> Problem | None:
    """The first cap that does not allow what is wanted, in words; None where all do. Reserves nothing."""
    for one in named:
        used = one.check.used(rows)
        if used + one.check.wanted > one.check.cap:
            return Problem(ProblemCode.CAP_REACHED, at, _sentence(rules, day, one, used))
    return None


def minute_refusal(
    one: NamedCheck, rows: Sequence[CountedRow], *, now: datetime, at: str = "audience"
) -> Problem | None:
    """`refusal` for the cap of a minute."""
    used, cap, wanted = one.check.used(rows), one.check.cap, one.check.wanted
    if used + wanted <= cap:
        return None
    if wanted > cap:
        then = _("Ask for %(n)s at most at once.") % {"n": number(cap)}
    else:
        then = _("Ask again after %(time)s.") % {"time": moment(minutes.free_at(now).time(), "H:i")}
    # Translators: who is “The API key Shop”, then a sentence.
    says = ngettext(
        "%(who)s may ask for %(cap)s message a minute. In this minute, %(used)s taken and %(left)s left; "
        "this takes %(wanted)s. %(then)s An admin can raise it under API keys.",
        "%(who)s may ask for %(cap)s messages a minute. In this minute, %(used)s taken and %(left)s left; "
        "this takes %(wanted)s. %(then)s An admin can raise it under API keys.",
        cap,
    )
    facts = {"who": _capital(one.of), "cap": number(cap), "used": number(used), "then": then}
    facts |= {"left": number(max(cap - used, 0)), "wanted": number(wanted)}
    return Problem(ProblemCode.CAP_REACHED, at, says % facts)


@dataclass(frozen=True, slots=True)
class KnownCounts:
    """What was counted when it was looked at: the rows of keys and countries, and the room of those numbers that have too little."""

    rows: Sequence[CountedRow] = ()
    short: Mapping[str, int] = field(default_factory=dict)


def known(service: Service, day: date, numbers: Mapping[str, int]) -> KnownCounts:
    """In one query; `numbers` with how many messages each is to get."""
    most = service.cap_number
    digests = digests_of(service, day, numbers) if most is not None else {}
    rows = spend_counts.counted(service.pk, day, list(digests.values()))
    had = {one.number: one.used for one in rows if one.number}
    room = {one: max((most or 0) - had.get(digest, 0), 0) for one, digest in digests.items()}
    short = {one: left for one, left in room.items() if left < numbers[one]}
    return KnownCounts([one for one in rows if not one.number], short)


def take_numbers(service: Service, day: date, numbers: Collection[str]) -> set[str]:
    """Count a message for each; returns those that have had enough by now, for which none is counted."""
    if service.cap_number is None or not numbers:
        return set()
    digests = digests_of(service, day, numbers)
    rows = [CountedRow(number=one, used=1) for one in digests.values()]
    counted = spend_counts.move(service.pk, day, rows)
    over = {one for one, digest in digests.items() if counted[digest] > service.cap_number}
    if over:
        spend_counts.move(service.pk, day, [CountedRow(number=digests[one], used=-1) for one in over])
    return over


def give_back(service: Service, day: date | None, wanted: Wanted) -> None:
    """What was reserved and is not sent after all; of a day that is over, nothing is owed."""
    if day is None or day < CapRules.of(service).day_of(database_now()):
        return
    if rows := wanted.rows(service, day, sign=-1):
        spend_counts.move(service.pk, day, rows)


def number_sentence(rules: CapRules, day: date) -> str:
    most = rules.service.cap_number or 0
    at = f"{rules.ends_at(day):%-d %B at %H:%M} ({rules.service.clock})"
    return (NUMBER_HAS_ONE if most == 1 else NUMBER_HAS_MANY)(n=f"{most:,}", at=at)


def _sentence(rules: CapRules, day: date, one: NamedCheck, used: int) -> str:
    cap, wanted = one.check.cap, one.check.wanted
    says = DAY if one.check.key is None else DAY_OF_KEY
    free_at = moment(rules.ends_at(day), r"j F \a\t H:i")
    return _(says.text) % {
        "of": one.of,
        "cap": _amount(one, cap),
        "day": moment(day, "j F"),
        "used": _amount(one, used),
        "left": _amount(one, max(cap - used, 0)),
        "wanted": _amount(one, wanted),
        "at": f"{free_at} ({rules.service.clock})",
    }


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _amount(one: NamedCheck, value: int) -> str:
    if one.check.column == "money":
        amount = formats.number_format(value / MICROS, 2, use_l10n=True, force_grouping=True)
        return f"{amount} {one.unit}"
    return ngettext("%(n)s segment", "%(n)s segments", value) % {"n": number(value)}


def _busy(at: str) -> Problem:
    """What had taken the room was given back a moment later."""
    return Problem(ProblemCode.CAP_REACHED, at, _("The cap was reached for a moment. Send it again."))
