"""A send against the spend caps of its service: what it takes, whether it may, and what comes back of it.

Called by `create`, the checks before it, the writing of large sends, and whatever cancels or moves a send (`sms.sends`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime

from django.utils.translation import gettext as _

from sms.audiences.files import RejectedRow
from sms.catalogue.caps import counting, minutes
from sms.catalogue.caps.counting import CapReached
from sms.catalogue.caps.rules import CapRules
from sms.catalogue.caps.standing import NEAR, CapStanding, standing_of
from sms.catalogue.caps.wants import NamedCheck, Wanted, checks_of, micros_by_country
from sms.compose.errors import ComposeError
from sms.compose.order import ComposedMessage, Order
from sms.compose.survey import Survey
from sms.models import ApiKey, Message, MessageState, Preparation, Send, SendState, Service
from sms.models.api_key import counted_as
from sms.models.sql.clock import corrected_now
from sms.models.sql.spend_counts import CountedRow, counted
from sms.values.msisdn import country_of
from sms.values.problems import Problem, ProblemCode
from sms.words import moment, number

AT_A_TIME = 5_000  # numbers


class CapRefused(ComposeError):
    """A spend cap does not allow the send; `free_at` is when it begins anew, `left` what the caps of the key leave."""

    def __init__(self, problem: Problem, free_at: datetime, left: Sequence[CapStanding] = ()) -> None:
        super().__init__([problem])
        self.free_at, self.left = free_at, left

    @property
    def seconds_left(self) -> int:
        return max(int((self.free_at - corrected_now()).total_seconds()) + 1, 1)


def day_of(order: Order, *, now: datetime) -> date:
    """The day whose caps it takes from: that on which it is due, by the service's clock."""
    return CapRules.of(order.service).day_of(max(order.due_at or now, now))


def of_lines(order: Order, lines: Iterable[ComposedMessage]) -> Wanted:
    """What the messages of a small order take. One that fails at once is never posted, and takes nothing."""
    posted = [line for line in lines if not line.failure_code]
    segments = segments_of(posted)
    capped = order.service.cap_number is not None
    numbers = Counter(line.msisdn for line in posted) if capped else {}
    return _wanted(order, segments, messages=len(posted), numbers=numbers)


def segments_of(lines: Iterable[ComposedMessage]) -> Counter[str]:
    """By country; a text that the provider makes counts as one."""
    found: Counter[str] = Counter()
    for line in lines:
        found[country_of(line.msisdn)] += max(line.segments, 1)
    return found


def take_numbers(send: Send, lines: list[ComposedMessage]) -> tuple[list[ComposedMessage], list[RejectedRow]]:
    """A block of a large send: the messages whose numbers have room that day, which is taken, and the others as rejects."""
    if send.counted_on is None:
        return lines, []
    over = counting.take_numbers(send.service, send.counted_on, [line.msisdn for line in lines])
    says = counting.number_sentence(CapRules.of(send.service), send.counted_on) if over else ""
    full = [
        RejectedRow(
            row=line.row,
            value=line.msisdn,
            code=ProblemCode.NUMBER_CAP,
            reason=says,
            reference=line.reference,
            correlation_id=line.correlation_id,
        )
        for line in lines
        if line.msisdn in over
    ]
    return [line for line in lines if line.msisdn not in over], full


def of_figures(order: Order, figures: Survey) -> Wanted:
    """What the messages of a large order take; its numbers are counted when they are written."""
    return _wanted(order, figures.spent, messages=figures.recipients)


def _wanted(
    order: Order, segments: Mapping[str, int], *, messages: int, numbers: Mapping[str, int] | None = None
) -> Wanted:
    prices = micros_by_country(order.service, order.sender.kind if order.sender else "")
    money = {one: count * prices[one] for one, count in segments.items() if one in prices}
    return Wanted(segments, money, numbers or {}, order.key.counted_as if order.key else 0, messages)


def refuse(
    order: Order, wanted: Wanted, *, now: datetime, rows: Sequence[CountedRow] | None = None
) -> list[CapStanding]:
    """Raises CapRefused where `reserve` would now, before anything is written: also for pages, plans and dry runs.

    Returns what the caps of the order's key leave then. `rows` saves a query where they were just read.
    """
    minute = minutes.check_of(order.key, wanted, now)
    if order.simulated and minute is None:
        return []
    rules, day = CapRules.of(order.service, order.key), day_of(order, now=now)
    named: list[NamedCheck] = []
    if not order.simulated:  # which costs nothing, but is asked for like any other
        rows = counted(order.service.pk, day) if rows is None else rows
        named = checks_of(rules, wanted, order.key)
    rows = rows or ()
    asked = minutes.rows_of(rules, minute, now) if minute else []

    def left(*, taken: bool) -> list[CapStanding]:
        found = [standing_of(minute, asked, free_at=minutes.free_at(now), taken=taken)] if minute else []
        own = [one for one in named if one.check.key is not None]
        return found + [standing_of(one, rows, free_at=rules.ends_at(day), taken=taken) for one in own]

    if minute and (problem := counting.minute_refusal(minute, asked, now=now)):
        raise CapRefused(problem, minutes.free_at(now), left(taken=False))
    if problem := counting.refusal(rules, day, named, rows=rows):
        raise CapRefused(problem, rules.ends_at(day), left(taken=False))
    return left(taken=True)


def near(order: Order, wanted: Wanted, *, now: datetime) -> Iterator[str]:
    """What is to be said before the button of each cap that this would bring near its end; one query."""
    if order.simulated:
        return
    rules, day = CapRules.of(order.service, order.key), day_of(order, now=now)
    rows = counted(order.service.pk, day)
    for one in checks_of(rules, wanted, order.key):
        cap, then = one.check.cap, one.check.used(rows) + one.check.wanted
        if then >= cap * NEAR:
            yield _(
                # Translators: of is whose cap it is, such as a service's name or “the key Shop”
                "After this send, %(share)s %% of the spend cap of %(of)s for %(day)s is taken. A send that goes beyond it is refused."
            ) % {"share": number(then * 100 // cap), "of": one.of, "day": moment(day, "j F")}


def reserve(order: Order, wanted: Wanted, *, now: datetime) -> None:
    """Take what the send takes, in the transaction that makes it; raises CapRefused, and nothing of that may be kept."""
    if order.simulated:
        wanted = Wanted({}, messages=wanted.messages)  # only that it was asked for
    try:
        counting.reserve(order.service, day_of(order, now=now), wanted, key=order.key, now=now)
    except CapReached as reached:
        raise CapRefused(reached.problem, reached.free_at) from None


def give_back(send: Send, service: Service, messages: Iterable[tuple[str, str, int]]) -> None:
    """Messages that are not posted after all: number, country and segments of each."""
    if send.counted_on is not None:
        counting.give_back(service, send.counted_on, _of_messages(send, service, messages))


def give_back_all(send: Send) -> None:
    """What a send that is being cancelled has not posted; the caller has locked it, and its messages are still pending."""
    if send.counted_on is not None:
        counting.give_back(send.service, send.counted_on, _held(send))


def move(send: Send, *, due_at: datetime, now: datetime, at: str = "send_at") -> None:
    """A send that waits gets another day: room there is taken, and that of the day before given back.

    Raises CapRefused where that day has no room. The caller has locked the send, and saves it.
    """
    day = CapRules.of(send.service).day_of(max(due_at, now))
    if send.counted_on is None or send.counted_on == day:
        return
    held = _held(send)
    counting.give_back(send.service, send.counted_on, held)
    key = ApiKey.objects.filter(pk=send.counted_key).first() if send.counted_key else None
    try:
        counting.reserve(send.service, day, held, key=key, at=at, now=now)
    except CapReached as reached:
        raise CapRefused(reached.problem, reached.free_at) from None
    send.counted_on = day


def settle(send: Send, written: dict[str, int], reserved: dict[str, int]) -> None:
    """A large send's messages are all written: what it holds becomes what they take, by country."""
    more = {one: written.get(one, 0) - reserved.get(one, 0) for one in {*written, *reserved}}
    if send.counted_on is not None and any(more.values()):
        less = {country: -count for country, count in more.items()}
        counting.give_back(send.service, send.counted_on, _priced(send, send.service, less, {}))


def _held(send: Send) -> Wanted:
    """What a send holds: of one whose messages are being written all that was reserved, else what is not posted yet."""
    rows = Message.objects.filter(send_id=send.pk, state=MessageState.PENDING).order_by()
    messages = rows.values_list("msisdn", "country", "segments").iterator(AT_A_TIME)
    held = _of_messages(send, send.service, messages)
    if send.state != SendState.PREPARING:
        return held
    cursor = Preparation.objects.values_list("cursor", flat=True).get(send=send)
    return _priced(send, send.service, cursor.get("reserved", {}), held.numbers)


def _of_messages(send: Send, service: Service, messages: Iterable[tuple[str, str, int]]) -> Wanted:
    segments: Counter[str] = Counter()
    numbers: Counter[str] = Counter()
    for msisdn, country, each in messages:
        segments[country] += max(each, 1)
        numbers[msisdn] += 1
    return _priced(send, service, segments, numbers if service.cap_number is not None else {})


def _priced(send: Send, service: Service, segments: Mapping[str, int], numbers: Mapping[str, int]) -> Wanted:
    prices = micros_by_country(service, send.sender.kind)
    money = {one: count * prices[one] for one, count in segments.items() if one in prices}
    return Wanted(segments, money, numbers, _counted_as(send))


def _counted_as(send: Send) -> int:
    """What was taken under: of the key that it counts for, 0 where it counts for none."""
    if not send.counted_key:
        return 0
    owner = (
        send.owner or ApiKey.objects.filter(pk=send.counted_key).values_list("identity", flat=True).first()
    )
    return counted_as(owner) if owner else 0
