"""What keeps the messages of a send from being posted now, for those who asked for it. Called by both APIs.

A rate and a provider that does not answer are not among it: they end by themselves within moments, or as a pause.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Min
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sms.dispatch.last_look import UNREADABLE, quiet_until, zones_of
from sms.models import UNFINISHED, Hold, Message, MessageState, Preparation, Send, SendState, Slice
from sms.values import time_zones
from sms.words import retold

SAMPLE = 1_000  # messages of a send that are asked for their quiet hours
NOT_BEGUN = (SendState.PREPARING, SendState.AWAITING, SendState.SCHEDULED)
# a slice is claimed again within seconds unless quiet hours are the reason
LOOKED_AT = timedelta(minutes=2)


class WaitCode(StrEnum):
    PREPARING = "preparing"
    APPROVAL = "approval"
    SEND_AT = "send_at"
    PAUSE = "pause"
    QUIET_HOURS = "quiet_hours"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that is waited for. `until` is None where nobody knows."""

    code: WaitCode
    detail: str
    until: datetime | None = None


def waits_of(send: Send, *, now: datetime, message: Message | None = None) -> list[Wait]:
    """Of a send with messages to be posted, or of one of these."""
    if send.state not in UNFINISHED:
        return []
    night, some = None, [message] if message is not None else []
    if send.quiet_hours:
        if message is None:
            waiting = Message.objects.filter(send=send, state=MessageState.PENDING).only("msisdn", "zone")
            some = list(waiting.order_by("pk")[:SAMPLE])
        night = _end_of_night(send, some, now=now)
    return _waits(send, _holds_on([send]), night, now=now, troubles=_troubles([send]), some=some)


def waits_among(sends: Sequence[Send], *, now: datetime) -> dict[int, list[Wait]]:
    """By send, for sends of one service with messages to be posted; three queries for all."""
    some = [send for send in sends if send.state in UNFINISHED]
    if not some:
        return {}
    holds, troubles = _holds_on(some), _troubles(some)
    quiet = [send.pk for send in some if send.quiet_hours]
    put_off = Slice.objects.filter(send__in=quiet, done=False, owner="", due_at__gt=now + LOOKED_AT)
    rows = put_off.order_by().values("send_id").annotate(first=Min("due_at")) if quiet else ()
    nights = {row["send_id"]: row["first"] for row in rows}
    return {
        send.pk: _waits(
            send, holds, nights.get(send.pk) if send.due_at <= now else None, now=now, troubles=troubles
        )
        for send in some
    }


def _waits(
    send: Send,
    holds: Sequence[Hold],
    night: datetime | None,
    *,
    now: datetime,
    troubles: Mapping[int, str],
    some: Iterable[Message] = (),
) -> list[Wait]:
    """`some` are those of its messages that were looked at."""
    found = []
    if send.state == SendState.PREPARING:
        found.append(_writing(send, troubles))
    if send.approvers and send.state in (SendState.PREPARING, SendState.AWAITING):
        found.append(Wait(WaitCode.APPROVAL, _for_approval(send.approvers)))
    if send.state in NOT_BEGUN and send.due_at > now:
        found.append(Wait(WaitCode.SEND_AT, _("It waits for the time that was asked for."), send.due_at))
    if paused := _paused(send, holds):
        found.append(Wait(WaitCode.PAUSE, paused))
    if night is not None:
        says = _("Quiet hours of recipients (%(hours)s, their time): the first message may go then.") % {
            "hours": send.quiet_hours
        }
        found.append(Wait(WaitCode.QUIET_HOURS, because_of_a_zone(send, some) or says, night))
    return found


def _for_approval(people: int) -> str:
    if people == 1:
        return _("It waits until another person of the team approved it.")
    says = ngettext(
        "It waits until %(n)s person of the team approved it.",
        "It waits until %(n)s people of the team approved it.",
        people,
    )
    return says % {"n": people}


def _writing(send: Send, troubles: Mapping[int, str]) -> Wait:
    if (trouble := troubles.get(send.pk)) is None:
        return Wait(WaitCode.PREPARING, _("Its messages are still being written."))
    says = _("Its messages could not be written. A person lets that go on, or cancels it, on its page.")
    return Wait(WaitCode.TROUBLE, f"{says} {retold(trouble)}".strip())


def _troubles(sends: Sequence[Send]) -> Mapping[int, str]:
    """Why the writing of messages failed, by send."""
    writing = [send.pk for send in sends if send.state == SendState.PREPARING]
    failed = Preparation.objects.filter(send__in=writing, state=Preparation.State.FAILED)
    return dict(failed.values_list("send", "trouble")) if writing else {}


def because_of_a_zone(send: Send, some: Iterable[Message]) -> str:
    """Said where some of its messages wait for a time zone that this machine does not know; "" where none does."""
    home = send.service.time_zone
    zones = (zones_of(one.msisdn, column=one.zone, service_zone=home) for one in some)
    unknown = time_zones.unknown(zone for those in zones for zone in those)
    return time_zones.waits_because(unknown[0]) if unknown else ""


def _paused(send: Send, holds: Iterable[Hold]) -> str:
    """That something of it is paused, the widest; empty for nothing."""
    if send.service.paused_at is not None:
        return _("The whole service is paused. It goes when that is resumed.")
    for hold in holds:
        if hold.sender_id and hold.sender_id == send.sender_id:
            return _("Its sender is paused. It goes when that is resumed.")
        if hold.link_domain_id and hold.link_domain_id == send.link_domain_id:
            return _("Its short-link domain is paused. It goes when that is resumed.")
        if hold.send_id == send.pk:
            return _("It is paused. It goes when that is resumed.")
    return ""


def _holds_on(sends: Sequence[Send]) -> Sequence[Hold]:
    services = {send.service_id for send in sends}
    return list(Hold.objects.active().filter(service__in=services).order_by("-sender_id", "-link_domain_id"))


def _end_of_night(send: Send, messages: Iterable[Message], *, now: datetime) -> datetime | None:
    """When the first of those that may not be disturbed now, or when the send is due, may be."""
    at, zone = max(now, send.due_at), send.service.time_zone
    ends = []
    for one in messages:
        try:
            ends.append(
                quiet_until(one.msisdn, column=one.zone, service_zone=zone, quiet=send.quiet_hours, at=at)
            )
        except ValueError:  # an unknown zone, as the dispatcher takes it
            ends.append(at + UNREADABLE)
    return min((end for end in ends if end is not None), default=None)
