"""The last look: what of all that could have changed since a send was made forbids posting it now. Read inside the arming transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from sms.dispatch.claim import ClaimedMessage
from sms.models import ApprovalRequest, ApprovalState, Hold, OptOut, Send, SendState
from sms.models.optout import spellings
from sms.values import quiet_hours, time_zones


@dataclass(frozen=True, slots=True)
class SendStatus:
    send_id: int
    halted: bool  # cancelled, held, not approved or its service paused: nothing goes
    expires_at: datetime | None
    quiet: str
    service_zone: str
    rate: int | None
    burst: bool
    batch_size: int
    opt_outs_hidden: bool


def statuses_of(send_ids: Collection[int]) -> dict[int, SendStatus]:
    """Every send's status, in one query."""
    held = Hold.objects.active()
    approved = ApprovalRequest.objects.filter(send=OuterRef("pk"), state=ApprovalState.APPROVED)
    rows = (
        Send.objects.filter(pk__in=send_ids)
        .select_related("service")
        .annotate(
            held=Exists(held.filter(send=OuterRef("pk")))
            | Exists(held.filter(sender=OuterRef("sender")))
            | Exists(held.filter(link_domain=OuterRef("link_domain"))),
            # whatever its state says: a send that needs approval goes with one that is in force, or not at all
            unapproved=Q(approvers__gt=0) & ~Exists(approved),
        )
        .only(
            "state",
            "expires_at",
            "quiet_hours",
            "service__paused_at",
            "service__rate",
            "service__burst",
            "service__batch_size",
            "service__time_zone",
            "service__opt_outs_hidden",
        )
    )
    return {row.pk: _status(row, held=row.held or row.unapproved) for row in rows}


def _status(send: Send, *, held: bool) -> SendStatus:
    service = send.service
    return SendStatus(
        send_id=send.pk,
        halted=held
        or send.state in (SendState.CANCELLED, SendState.AWAITING)
        or service.paused_at is not None,
        expires_at=send.expires_at,
        quiet=send.quiet_hours,
        service_zone=service.time_zone,
        rate=service.rate,
        burst=service.burst,
        batch_size=service.batch_size,
        opt_outs_hidden=service.opt_outs_hidden,
    )


def may_disturb(message: ClaimedMessage, status: SendStatus, *, now: datetime) -> datetime | None:
    """None if its recipient may be written to now, otherwise the first moment at which that is so."""
    if not status.quiet:
        return None
    where = quiet_hours.zones_of(
        column=message.zone, number=time_zones.of_number(message.msisdn), service=status.service_zone
    )
    when = quiet_hours.next_allowed(now, where, status.quiet)
    if when is None:  # the number's zones are so far apart that it is always night in one of them
        when = quiet_hours.next_allowed(now, (status.service_zone,), status.quiet)
    return when if when is not None and when > now else None


def opted_out(messages: Sequence[ClaimedMessage], *, service_id: int, hidden: bool) -> set[str]:
    """The numbers among these that refused to be written to. `hidden`: some opt-outs of the service are digests."""
    if not messages:
        return set()
    stored = spellings(service_id, {message.msisdn for message in messages}, hides=hidden)
    rows = OptOut.objects.filter(service_id=service_id, lifted_at=None, msisdn__in=stored)
    return {stored[one] for one in rows.values_list("msisdn", flat=True)}
