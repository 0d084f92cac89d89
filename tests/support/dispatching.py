"""Steps of dispatch by hand, and what they left in the ledger."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from sms import simulator
from sms.catalogue.credentials import connection_of
from sms.dispatch import claim
from sms.dispatch.arm import arm, fence
from sms.dispatch.breaker import Breaker
from sms.dispatch.claim import Owner
from sms.dispatch.contexts import ServiceContext
from sms.dispatch.fair_queue import FairQueue
from sms.dispatch.post import ArmedRequest
from sms.dispatch.request import template_of
from sms.ledger.counters import CounterDeltas, window_of
from sms.models import Message, Send, Slice, StateCount
from sms.models.message import NOT_POSTED
from tests.support.provider import PUBLIC_URL


def states(send) -> dict[str, int]:
    """From the rows themselves; the counters must agree."""
    found: dict[str, int] = {}
    for state in Message.objects.filter(send=send).values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    assert send.counts() == found, "counters and rows differ"
    return found


def release(send) -> None:
    """Make what was postponed due now."""
    Slice.objects.filter(send=send).update(due_at=timezone.now() - timedelta(seconds=1))


@dataclass
class Dispatcher:
    """One dispatcher by hand, step by step, for what only an unlucky moment shows."""

    send: Send
    name: str
    simulated: bool = False

    def __post_init__(self) -> None:
        self.owner = Owner(self.name)
        (self.lease,) = claim.claim(owner=self.owner, limit=1, simulated=self.simulated)

    def arm(self, count: int) -> list[ArmedRequest]:
        service = self.send.service
        line = simulator.connection_of(service) if self.simulated else connection_of(service)
        context = ServiceContext(
            Breaker(), line, {self.send.pk: template_of(self.send, public_url=PUBLIC_URL)}
        )
        with transaction.atomic():
            deltas = CounterDeltas()
            fence([self.lease], owner=self.owner)
            armed = arm(
                [self.lease],
                [],
                contexts={service.pk: context},
                capacity={service.pk: count},
                spare=count,
                queue=FairQueue(),
                now=timezone.now(),
                deltas=deltas,
                simulated=self.simulated,
            )
            deltas.write()
        return armed.requests


def back_in_time(send, by: timedelta) -> None:
    """As if its messages had been posted that much earlier; the counters' windows follow."""
    for message in Message.objects.filter(send=send, posted_at__isnull=False):
        Message.objects.filter(pk=message.pk).update(posted_at=message.posted_at - by)
    counters = StateCount.objects.filter(send=send, window__gt=0)
    counters.delete()
    rows = Message.objects.filter(send=send, posted_at__isnull=False).exclude(state__in=NOT_POSTED)
    StateCount.objects.bulk_create(
        StateCount(send=send, state=state, code=code, window=window_of(posted_at), delta=1)
        for state, code, posted_at in rows.values_list("state", "code", "posted_at")
    )


def without_receipt(send, posted_at) -> None:
    """All its messages were posted then, as the rows and the counters have it."""
    count = send.messages.update(state="queued", attempt=1, posted_at=posted_at)
    StateCount.objects.create(send=send, state="queued", code="", window=window_of(posted_at), delta=count)
