"""When a send would begin and end: its own recipients by their quiet hours, the queue before it, and the pace of its service."""

import copy
import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min, Sum
from django.utils.translation import gettext as _

from sms.compose.order import LARGE
from sms.compose.resolved_order import ResolvedOrder
from sms.compose.survey import Survey
from sms.dispatch import rate
from sms.dispatch.claim import open_slices
from sms.dispatch.fair_queue import WEIGHTS
from sms.dispatch.watch import PATIENCE
from sms.models import MessageState, Pace, Preparation, Sender, Service, ShortLinkDomain, StateCount
from sms.sends import holds
from sms.sends.plan.shapes import Deferred, Released
from sms.sends.plan.shared_rate import moment
from sms.sends.plan.simulation import Course, Flow, Group, Speed, run
from sms.values import quiet_hours
from sms.words import number

MOST_FLOWS = 100  # of the queue; what is smaller is taken together
MANY = 40  # moments shown until which messages are put off
RECENT = 5  # large sends, by whose preparation the next one is estimated
WRITTEN = 5_000.0  # messages a second, where none was written yet
NOTICED = 1.5  # seconds until a worker takes it up


@dataclass(frozen=True, slots=True)
class SendForecast:
    ahead: int
    start_at: datetime | None
    finish_at: datetime | None
    finish_latest_at: datetime | None
    too_late: int
    deferred: Deferred
    says: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What of a send decides when it begins and ends. `stages`: for each stage of a ramp, recipients by their time zones."""

    service: Service
    sender: Sender | None
    link_domain: ShortLinkDomain | None
    lane: int
    quiet_hours: str
    due_at: datetime | None
    expires_at: datetime | None
    stages: Sequence[Mapping[Hashable, int]]


def forecast(order: ResolvedOrder, figures: Survey, *, now: datetime) -> SendForecast:
    """Of what is not made yet: its messages are still to be written."""
    out = Outgoing(
        service=order.service,
        sender=order.sender,
        link_domain=order.options.link_domain,
        lane=int(order.options.lane),
        quiet_hours=order.quiet_hours,
        due_at=order.due_at,
        expires_at=order.options.expires_at,
        stages=figures.staged(),
    )
    return foresee(out, now=now, ready=now + _preparing(figures.rows))


def foresee(out: Outgoing, *, now: datetime, ready: datetime) -> SendForecast:
    """What is known at `now`, of messages that are written at `ready`; faults, receipts and later sends are not foreseen."""
    service, quiet, expires_at, stages = out.service, out.quiet_hours, out.expires_at, out.stages
    start = max(out.due_at or now, ready)
    flows, ahead = _queue(service, lane=out.lane, start=start)
    speed = _speed(service)

    def course(stage_wait: float) -> Course:
        return run(
            stages,
            weight=WEIGHTS[out.lane],
            start=start.timestamp(),
            others=[copy.copy(one) for one in flows] if service.rate else (),
            speed=copy.copy(speed),
            allowed=_allowed(quiet, service.clock),
            quiet=bool(quiet),
            stage_wait=stage_wait,
            expires=expires_at.timestamp() if expires_at else math.inf,
        )

    soon = course(0.0)
    late = course(PATIENCE.total_seconds()) if len(stages) > 1 else soon
    until = [Released(moment(at), round(count)) for at, count in sorted(soon.put_off.items())]
    until = [one for one in until if one.messages]
    deferred = Deferred(quiet, sum(one.messages for one in until), tuple(until[:MANY]))
    if held := _held(out):
        return SendForecast(ahead, None, None, None, 0, deferred, held)
    known = bool(service.rate)
    return SendForecast(
        ahead=ahead,
        start_at=moment(soon.first) if soon.first is not None else None,
        finish_at=moment(soon.last) if known and soon.last is not None else None,
        finish_latest_at=moment(late.last) if known and late.last is not None else None,
        too_late=round(max(soon.too_late, 0.0)) if known else 0,
        deferred=deferred,
        says=_words(service, known=known, ramps=len(stages) > 1, ends=soon.last is not None),
    )


def _preparing(rows: int) -> timedelta:
    """How long the messages of a large send take to be written, as it was the last times; a small one is there at once."""
    if rows <= LARGE:
        return timedelta(0)
    last = Preparation.objects.filter(
        kind=Preparation.Kind.EXPAND, state=Preparation.State.READY, began_at__isnull=False
    ).order_by("-pk")[:RECENT]
    took = [
        (one.rows, (one.ended_at - one.began_at).total_seconds())
        for one in last
        if one.began_at and one.ended_at
    ]
    seconds = sum(second for _, second in took)
    speed = sum(count for count, _ in took) / seconds if seconds > 0 else WRITTEN
    return timedelta(seconds=rows / max(speed, 1.0) + NOTICED)


def _held(out: Outgoing) -> str:
    if out.service.paused_at is not None:
        return _("The service is paused; nothing starts until it is resumed.")
    for part in (out.sender, out.link_domain):
        if part is not None and holds.hold_on(part) is not None:
            return _("%(what)s is paused; nothing starts until it is resumed.") % {"what": part}
    return ""


def _words(service: Service, *, known: bool, ramps: bool, ends: bool) -> str:
    if not known:
        return _("The service has no contracted rate, so the end cannot be foreseen.")
    if not ends:
        return _("It would take more than 30 days, so the end cannot be foreseen.")
    says = [
        _("At the contracted %(rate)s a second, behind what waits now in the same or a more urgent lane.")
        % {"rate": number(service.rate or 0)}
    ]
    if ramps:
        # xgettext:no-python-format
        says.append(_("After 1 % and 10 % it waits for receipts, ten minutes each at most."))
    says.append(_("Faults, and sends that are made later, are not foreseen."))
    return " ".join(says)


def _allowed(quiet: str, home: str) -> Callable[[Group, float], float]:
    """As `dispatch.last_look.may_disturb` decides, for a whole group."""

    def first(group: Group, at: float) -> float:
        if not quiet:
            return at
        begin = moment(at)
        assert isinstance(group, tuple)
        try:
            when = quiet_hours.next_allowed(begin, group, quiet)
        except (
            ValueError
        ):  # a zone that this machine does not know; the dispatcher holds it, the plan says so
            return at + quiet_hours.HORIZON_DAYS * 86_400
        if when is None:
            when = quiet_hours.next_allowed(begin, (home,), quiet)
        return max(when.timestamp(), at) if when is not None and when > begin else at

    return first


def _speed(service: Service) -> Speed:
    """The pace as it stands. Without a contract a rate that is never felt."""
    if not service.rate:
        return Speed(rate=1e9)
    row = Pace.objects.filter(pk=service.pk).first()
    used = rate.burst_used([service.pk]).get(service.pk, (0.0, 0.0))
    left = max(min(rate.BURST_DAY - used[0], rate.BURST_MONTH - used[1]), 0.0)
    return Speed(
        rate=service.rate,
        factor=row.factor if row else 1.0,
        slowed_at=row.slowed_at if row else 0.0,
        held_until=row.held_until if row else 0.0,
        burst_left=left if service.burst else 0.0,
    )


def _queue(service: Service, *, lane: int, start: datetime) -> tuple[list[Flow], int]:
    """What waits in the same or a more urgent lane, the largest sends one by one; and how much of it is due before we begin."""
    rows = open_slices().filter(service=service, lane__lte=lane).order_by()
    due = {row["send"]: row for row in rows.values("send", "lane").annotate(at=Min("due_at"))}
    if not due:
        return [], 0
    pending = StateCount.objects.filter(
        send__service=service, send__in=rows.values("send"), state=MessageState.PENDING
    )
    counts = pending.values("send").order_by().annotate(total=Sum("delta"))
    waiting = sorted(((row["total"] or 0, row["send"]) for row in counts), reverse=True)
    flows: list[Flow] = []
    small: dict[int, Flow] = defaultdict(lambda: Flow(0.0, 0.0, start.timestamp()))
    ahead = 0
    for count, send in waiting:
        if count <= 0 or send not in due:
            continue
        at, weight = due[send]["at"], WEIGHTS[due[send]["lane"]]
        ahead += count if at <= start else 0
        if len(flows) < MOST_FLOWS:
            flows.append(Flow(weight, float(count), at.timestamp()))
        else:
            together = small[due[send]["lane"]]
            together.weight += weight
            together.left += count
    return [*flows, *small.values()], ahead
