"""When sends begin and end that share the contracted rate of their service."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from sms.dispatch.fair_queue import WEIGHTS
from sms.models import Send, Service
from sms.sends.plan.shared_rate import Load, Span, moment, together
from sms.values import quiet_hours

_STEP = timedelta(minutes=15)


def _load(send: Send, messages: int, *, now: datetime) -> Load:
    at = max(send.due_at, now).timestamp()
    return Load(send.pk, WEIGHTS[send.lane], at, float(messages), send.quiet_hours)


def spans_of(
    services: Mapping[int, Service], sends: Sequence[Send], left: Mapping[int, int], *, now: datetime
) -> dict[int, Span]:
    """When each begins and ends, service by service; none without a rate, nor while the whole service is paused."""
    of_service: dict[int, list[Load]] = defaultdict(list)
    for send in sends:
        service = services[send.service_id]
        if service.rate and service.paused_at is None:
            of_service[send.service_id].append(_load(send, left.get(send.pk, 0), now=now))
    spans: dict[int, Span] = {}
    for service_id, loads in of_service.items():
        service = services[service_id]
        spans |= together(loads, rate=float(service.rate or 0), allowed=partial(_quiet_end, service.clock))
    return spans


def _quiet_end(zone: str, quiet: str, at: float) -> float:
    """The end of quiet hours by the clock of the service: where each recipient is does not matter for a month's picture."""
    when = quiet_hours.next_allowed(moment(at), (zone,), quiet)
    return max(when.timestamp(), at) if when is not None else at


def end_alone(send: Send, service: Service, messages: int, *, now: datetime) -> datetime | None:
    """When it would end if no other send shared the rate; None where that is unknown."""
    load = _load(send, messages, now=now)
    spans = together([load], rate=float(service.rate or 0), allowed=partial(_quiet_end, service.clock))
    span = spans.get(load.key)
    return moment(span.last) if span is not None and span.last is not None else None


def quiet_spans(service: Service, *, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """The stretches between two moments in which the service's own clock shows quiet hours, to a quarter of an hour."""
    spans: list[tuple[datetime, datetime]] = []
    at = since
    while service.quiet_hours and at < until:
        when = quiet_hours.next_allowed(at, (service.clock,), service.quiet_hours) or until
        if when > at:
            spans.append((at, min(when, until)))
            at = when
        at += _STEP
    return spans
