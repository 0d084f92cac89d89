"""The job that makes occurrences: some hours ahead, each once, and notes those that could not be made.

What is near becomes a send in one transaction with the step to the next occurrence, under the lock of the recurring send: a process that
is killed in between leaves neither, and of two processes one finds it done. Figures of a large list are read before that.
"""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_noop

from sms.audiences.files import Limits
from sms.compose import checks, drafts
from sms.compose.create import create
from sms.compose.errors import ComposeError
from sms.compose.order import is_large
from sms.compose.resolved_order import ResolvedOrder, resolve
from sms.compose.survey import Survey
from sms.models import Actor, Draft, Occurrence, RecurringSend, Send
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.models.sql.session import database_now
from sms.sends.recurring import standing, timetable
from sms.sends.recurring.telling import tell
from sms.values.problems import Problem, ProblemCode
from sms.values.recurrence import PlannedTime
from sms.words import KeptSentence

LATEST = timedelta(hours=2)  # after its time, it is still made; later it is missed
AGAIN = timedelta(minutes=10)  # until what failed is tried again
AT_ONCE = 100  # recurring sends in one look
IN_A_ROW = 400  # occurrences of one of them, all but the last missed while Textdesk was down

# what became of an occurrence, and what people are told of it, as it is kept
BROKE = KeptSentence(gettext_noop("Something went wrong (%(error)s). Your operator finds it in the log."))
NO_ACCOUNT = gettext_noop(
    "The person who ran it has no account any more. A composer has to pause and resume it, and runs it from then on."
)
MAY_NOT_SEND = KeptSentence(
    gettext_noop(
        "%(person)s may not send for %(service)s any more. "
        "A composer has to pause and resume it, and runs it from then on."
    )
)
MADE_A_MINUTE_LATE = gettext_noop("Made 1 minute late.")
MADE_LATE = KeptSentence(gettext_noop("Made %(minutes)s minutes late."))
NOT_YET = KeptSentence(gettext_noop("“%(name)s” could not be made yet: %(why)s"))
NOT_RUNNING = KeptSentence(
    gettext_noop("Textdesk was not running at its time, nor in the %(hours)s hours after it.")
)
NOT_MADE = KeptSentence(gettext_noop("Occurrence %(number)s of “%(name)s” was not made: %(why)s"))

log = structlog.get_logger(__name__)


def anything_due() -> bool:
    """Without writing anything: whether `make_due` would find something to do."""
    near = RecurringSend.objects.filter(state=RecurringSend.State.RUNNING, look_at__lte=corrected_now())
    return near.exists() or standing.waiting().exists()


def make_due(*, now: datetime | None = None) -> int:
    """Deal with all occurrences that are near or past; returns how many. One that breaks does not keep the others."""
    now = now or corrected_now()
    due = RecurringSend.objects.filter(state=RecurringSend.State.RUNNING, look_at__lte=now)
    dealt_with = 0
    for pk in list(due.order_by("look_at").values_list("pk", flat=True)[:AT_ONCE]):
        try:
            for _ in range(IN_A_ROW):
                if not make_next(pk, now=now):
                    break
                dealt_with += 1
        except Exception as problem:
            log.exception("recurring_send_broke", recurring=pk)
            _put_off(pk, BROKE(error=type(problem).__name__), now=now)
    standing.answer_waiting(now=now)
    return dealt_with


def forget(*, now: datetime | None = None) -> int:
    """Delete old times that became no send: the number of the last one and the audit have that they were."""
    before = (now or database_now()) - timedelta(days=Occurrence.KEPT)
    old = Occurrence.objects.filter(send=None, at__lt=before, at__lte=F("recurring__passed_until"))
    return Occurrence.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:5000])).delete()[0]


def make_next(pk: int, *, now: datetime) -> bool:
    """Deal with the next occurrence of one of them, if it is near; False where it is not, or has to be tried again later."""
    seen = RecurringSend.objects.select_related("service", "run_by").filter(pk=pk).first()
    if seen is None or not _is_near(seen, now):
        return False
    order, figures, refused = None, None, None
    assert seen.next_at is not None, "it runs"
    if now <= seen.next_at + LATEST:
        try:
            order = _order(seen, now=now)
            figures = checks.survey(order, now=now) if is_large(order) else None  # before the lock
        except ComposeError as problem:
            refused = problem
    with transaction.atomic():
        locked = (
            RecurringSend.objects.select_for_update(of=("self",))
            .select_related("service", "run_by")
            .get(pk=pk)
        )
        if not _is_near(locked, now):
            return False  # another process was there first
        if (locked.next_at, locked.draft_id) != (seen.next_at, seen.draft_id):
            return True  # changed by a person in the meantime: look again
        one = timetable.next_of(locked, timetable.holidays_of(locked.service_id))
        if one is None or one.at != locked.next_at:  # a holiday came or went
            timetable.set_next(locked, timetable.holidays_of(locked.service_id), now=now)
            locked.save()
            return True
        return _deal_with(locked, one, order, figures, refused, now=now)


def _is_near(recurring: RecurringSend, now: datetime) -> bool:
    return (
        recurring.state == RecurringSend.State.RUNNING
        and recurring.look_at is not None
        and recurring.look_at <= now
    )


def _order(recurring: RecurringSend, *, now: datetime) -> ResolvedOrder:
    """What its draft asks for, at the time of the occurrence and to the list as it is now. Raises ComposeError."""
    assert recurring.next_at is not None, "it runs"
    _refuse_who_may_not(recurring)
    draft = drafts.with_related(Draft.objects.all()).get(pk=recurring.draft_id)
    asked = drafts.order_of_draft(draft, limits=Limits())
    day = timetable.local(recurring, recurring.next_at)
    due_at = max(recurring.next_at, now)
    name = f"{recurring.name}, {day:%-d %b %Y}"
    return resolve(replace(asked, name=name, due_at=due_at, zone=recurring.time_zone))


def _refuse_who_may_not(recurring: RecurringSend) -> None:
    """Raises ComposeError: occurrences are made in the name of a person, who has to be one who may send."""
    who = recurring.run_by
    if who is None or not who.is_active:
        raise ComposeError([Problem(ProblemCode.NOT_USABLE, "", NO_ACCOUNT)])
    may = recurring.service.memberships.filter(user=who, role__in=("composer", "admin"))
    if not (who.is_superuser or may.exists()):
        says = MAY_NOT_SEND(person=who, service=recurring.service)
        raise ComposeError([Problem(ProblemCode.NOT_USABLE, "", says)])


def _deal_with(
    recurring: RecurringSend,
    one: PlannedTime,
    order: ResolvedOrder | None,
    figures: Survey | None,
    refused: ComposeError | None,
    *,
    now: datetime,
) -> bool:
    """Under the lock of the recurring send."""
    if recurring.occurrences.filter(on=one.on, at=one.at, outcome=Occurrence.Outcome.SKIPPED).exists():
        pass_by(recurring, one, Occurrence.Outcome.SKIPPED, now=now)
        return True
    if order is None and refused is None:
        _note_missed(recurring, one, now=now)
        return True
    send = None
    if order is not None:
        try:
            with transaction.atomic():  # what is refused leaves nothing
                send = _made(recurring, one, order, figures, now=now)
        except ComposeError as problem:
            refused = problem
    if send is None:
        return _try_again_later(recurring, str(refused), now=now)
    return True


def _made(
    recurring: RecurringSend, one: PlannedTime, order: ResolvedOrder, figures: Survey | None, *, now: datetime
) -> Send:
    by = Actor.person(recurring.run_by, door="system")
    late = now - one.at
    says = [*one.says]
    if late > timedelta(minutes=1):
        minutes = late // timedelta(minutes=1)
        says.append(MADE_A_MINUTE_LATE if minutes == 1 else MADE_LATE(minutes=minutes))
    send = create(order, by=by, now=now, figures=figures)
    occurrence = pass_by(recurring, one, Occurrence.Outcome.MADE, now=now, says=says, send=send, by=by.label)
    audit("recurring_send.made", recurring, by=by, send=send.pk, number=occurrence.number)
    standing.answer(occurrence, now=now)
    return send


def _try_again_later(recurring: RecurringSend, why: str, *, now: datetime) -> bool:
    """Told once for each reason; a while after its time it is noted as not made (`_note_missed`)."""
    assert recurring.next_at is not None, "it runs"
    if recurring.trouble != (why := why[:500]):
        recurring.trouble = why
        audit("recurring_send.in_trouble", recurring, by=Actor.system(), at=recurring.next_at.isoformat())
        digest = hashlib.sha256(why.encode()).hexdigest()[:12]
        once = f"trouble:{recurring.next_at:%Y%m%dT%H%M}:{digest}"
        tell(recurring, NOT_YET(name=recurring.name, why=why), once=once)
    recurring.look_at = min(now + AGAIN, recurring.next_at + LATEST + timedelta(seconds=1))
    recurring.save(update_fields=["trouble", "look_at"])
    return False


def _note_missed(recurring: RecurringSend, one: PlannedTime, *, now: datetime) -> None:
    """It is too late: because it failed until then, or because no process was there."""
    why = recurring.trouble or NOT_RUNNING(hours=LATEST // timedelta(hours=1))
    outcome = Occurrence.Outcome.FAILED if recurring.trouble else Occurrence.Outcome.MISSED
    passed = pass_by(recurring, one, outcome, now=now, says=[*one.says, why])
    audit(
        "recurring_send.not_made", recurring, by=Actor.system(), number=passed.number, outcome=outcome.value
    )
    says = NOT_MADE(number=passed.number, name=recurring.name, why=why)
    tell(recurring, says, once=f"not_made:{passed.number}")


def pass_by(
    recurring: RecurringSend,
    one: PlannedTime,
    outcome: Occurrence.Outcome,
    *,
    now: datetime,
    says: list[str] | None = None,
    send: Send | None = None,
    by: str = "",
) -> Occurrence:
    """Note what became of an occurrence and of those that were left out before it, and go on to the next. Under its lock."""
    holidays = timetable.holidays_of(recurring.service_id)
    for other in timetable.after(recurring, recurring.passed_until, holidays):
        if other.at > one.at or (other.on, other.at) == (one.on, one.at):
            break
        _note_left_out(recurring, other, now=now)
    recurring.made += 1
    recurring.passed_until = one.at
    fields = {"number": recurring.made, "outcome": outcome, "send": send, "draft_id": recurring.draft_id}
    if outcome != Occurrence.Outcome.SKIPPED:  # which has its row, with who skipped it
        words = " ".join(says or [])[:1000]
        fields |= {"says": words, "noted_at": now, "noted_by": by or Actor.system().label}
    occurrence, _ = Occurrence.objects.update_or_create(
        recurring=recurring, on=one.on, at=one.at, defaults=fields
    )
    timetable.set_next(recurring, holidays, now=now)
    recurring.save()
    if recurring.state == RecurringSend.State.ENDED:
        audit("recurring_send.ended", recurring, by=Actor.system(), occurrences=recurring.made)
    return occurrence


def _note_left_out(recurring: RecurringSend, one: PlannedTime, *, now: datetime) -> None:
    told = {
        "outcome": Occurrence.Outcome.LEFT_OUT,
        "says": " ".join(one.says)[:1000],
        "noted_at": now,
        "noted_by": Actor.system().label,
    }
    Occurrence.objects.get_or_create(recurring=recurring, on=one.on, at=one.at, defaults=told)


def _put_off(pk: int, why: str, *, now: datetime) -> None:
    with transaction.atomic():
        locked = RecurringSend.objects.select_for_update(of=("self",)).get(pk=pk)
        if _is_near(locked, now):
            _try_again_later(locked, why, now=now)
