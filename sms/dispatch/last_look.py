"""The last look: what of all that could have changed since a send was made forbids posting it now. Read inside the arming transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import structlog
from django.db.models import Exists, OuterRef, Q

from sms.dispatch.claim import ClaimedMessage
from sms.models import ApprovalRequest, ApprovalState, Hold, OptOut, Send, SendState, Service
from sms.models.optout import refused_among, spellings
from sms.values import quiet_hours, time_zones

log = structlog.get_logger(__name__)

UNREADABLE = timedelta(minutes=15)  # until the next look at a message whose hours cannot be told
OF_SERVICE = ("rate", "burst", "batch_size", "time_zone", "opt_outs_hidden")


@dataclass(frozen=True, slots=True)
class SendStatus:
    """A send with its service as they are now. `halted`: cancelled, held, not approved or its service paused, so nothing goes."""

    send: Send
    halted: bool

    @property
    def service(self) -> Service:
        return self.send.service


def statuses_of(send_ids: Collection[int], *, simulated: bool = False) -> dict[int, SendStatus]:
    """Every send's status, in one query. To a dispatcher of real sends one that is `simulated` is halted, and the other way round."""
    held = Hold.objects.active()
    approved = ApprovalRequest.objects.filter(send=OuterRef("pk"), state=ApprovalState.APPROVED)
    rows = (
        Send.objects.filter(pk__in=send_ids)
        .select_related("service")
        .annotate(
            halted=Q(simulated=not simulated)
            | Q(state__in=(SendState.CANCELLED, SendState.AWAITING))
            | Q(service__paused_at__isnull=False)
            | Exists(held.filter(send=OuterRef("pk")))
            | Exists(held.filter(sender=OuterRef("sender")))
            | Exists(held.filter(link_domain=OuterRef("link_domain")))
            # whatever its state says: a send that needs approval goes with one that is in force, or not at all
            | (Q(approvers__gt=0) & ~Exists(approved))
        )
        .only("expires_at", "quiet_hours", *(f"service__{name}" for name in OF_SERVICE))
    )
    return {row.pk: SendStatus(row, row.halted) for row in rows}


def may_disturb(message: ClaimedMessage, status: SendStatus, *, now: datetime) -> datetime | None:
    """None if its recipient may be written to now, otherwise the first moment at which that is so."""
    quiet, zone = status.send.quiet_hours, status.service.time_zone
    try:
        return quiet_until(message.msisdn, column=message.zone, service_zone=zone, quiet=quiet, at=now)
    except ValueError as problem:
        # a stored zone that this machine does not know: late beats in the middle of the night
        _say_once(status.send.pk, str(problem))
        return now + UNREADABLE


def zones_of(msisdn: str, *, column: str, service_zone: str) -> tuple[str, ...]:
    """Where the clock of its recipient may stand. `column` is its zone by the audience."""
    number = () if column else time_zones.of_number(msisdn)
    return quiet_hours.zones_of(column=column, number=number, service=service_zone)


def quiet_until(msisdn: str, *, column: str, service_zone: str, quiet: str, at: datetime) -> datetime | None:
    """When the quiet hours of a number that it is in at that moment end; None where it is in none. `column` as in `zones_of`.

    Raises ValueError for a zone that this machine does not know.
    """
    if not quiet:
        return None
    where = zones_of(msisdn, column=column, service_zone=service_zone)
    when = quiet_hours.next_allowed(at, where, quiet)
    if when is None:  # the number's zones are so far apart that it is always night in one of them
        when = quiet_hours.next_allowed(at, (service_zone,), quiet)
    return when if when is not None and when > at else None


@lru_cache(maxsize=1000)
def _say_once(send_id: int, sentence: str) -> None:
    log.error("quiet_hours_unreadable", send=send_id, sentence=f"{sentence} Its messages wait.")


def opted_out(messages: Sequence[ClaimedMessage], *, service_id: int, hidden: bool) -> set[str]:
    """The numbers among these that refused to be written to. `hidden`: some opt-outs of the service are digests."""
    if not messages:
        return set()
    numbers = {message.msisdn for message in messages}
    stored = spellings(service_id, numbers, hides=hidden)
    rows = OptOut.objects.filter(service_id=service_id, lifted_at=None, msisdn__in=stored)
    return refused_among(numbers, (stored[one] for one in rows.values_list("msisdn", flat=True)))
