"""What a send that waits for approval would cost and when it would end, from the figures that are kept with its request."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sms.ledger.slices import stage_ends
from sms.models import ApprovalRequest, Price
from sms.sends.plan import cost
from sms.sends.plan.forecast import Outgoing, SendForecast, foresee
from sms.sends.plan.shapes import Cost, Country


@dataclass(frozen=True, slots=True)
class RequestOutlook:
    """At the prices and the queue of now. `forecast` is of a send that goes as soon as it is approved as if that were now."""

    countries: Sequence[Country]
    cost: Cost
    forecast: SendForecast


def outlook(asked: ApprovalRequest, *, now: datetime) -> RequestOutlook:
    send, snapshot = asked.send, asked.snapshot
    countries = cost.by_country(
        send.service,
        send.sender,
        {country: (one[0], one[1], one[2]) for country, one in snapshot["spans"].items()},
    )
    out = Outgoing(
        service=send.service,
        sender=send.sender,
        link_domain=send.link_domain,
        lane=send.lane,
        quiet_hours=send.quiet_hours,
        due_at=None if asked.at_once else send.due_at,
        expires_at=send.expires_at,
        stages=list(_stages(asked)),
    )
    return RequestOutlook(
        countries=countries,
        cost=cost.total(countries, entered=Price.objects.filter(service=send.service).exists()),
        forecast=foresee(out, now=now, ready=now),
    )


def _stages(asked: ApprovalRequest) -> Iterator[Mapping[Hashable, int]]:
    """Each stage of a ramp takes its share of every time zone: in which order their rows stand is not kept."""
    people = asked.snapshot["recipients"]
    groups = {tuple(group): count for group, count in asked.snapshot["groups"]} or {(): people}
    before = dict.fromkeys(groups, 0)
    for end in stage_ends(people, ramp=asked.send.ramp):
        until = {group: count * end // people for group, count in groups.items()}
        yield {group: until[group] - before[group] for group in groups if until[group] > before[group]}
        before = until
