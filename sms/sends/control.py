"""Control: pause, resume and stop, for one send, one sender, one short-link domain or a whole service; another time for a send.

Each is one audited act, as is taking up the writing of a large send that failed.

Takes effect at the next look of a dispatcher, a few hundredths of a second while it is busy: arming reads the holds in its own
transaction, and what was armed but has not left comes back. Called by the pages, the API and the dispatcher's own rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from sms.compose import approval, checks
from sms.compose.errors import ComposeError, Problem
from sms.compose.naming import time_suffix
from sms.ledger import wakeups
from sms.models import (
    UNFINISHED,
    Actor,
    Hold,
    MessageState,
    Preparation,
    Send,
    Sender,
    SendState,
    Service,
    ShortLinkDomain,
    Slice,
    StateCount,
)
from sms.models.audit import audit
from sms.sends.cancel import cancel

Scope = Send | Sender | ShortLinkDomain
_FIELDS: tuple[tuple[type[Scope], str], ...] = (
    (Send, "send"),
    (Sender, "sender"),
    (ShortLinkDomain, "link_domain"),
)


def hold(
    scope: Scope, *, by: Actor, because: str, rule: str = "", facts: dict[str, int] | None = None
) -> Hold:
    """Post nothing more of it until the hold is lifted. Asking twice gives the hold that is there."""
    field = _field(scope)
    with transaction.atomic():
        # the row is locked, so that two people who press the button together make one hold
        type(scope)._default_manager.select_for_update(no_key=True).get(pk=scope.pk)
        standing = Hold.objects.active().filter(**{field: scope}).first()
        if standing is not None:
            return standing
        made = Hold.objects.create(
            service=scope.service,
            rule=rule,
            because=because[:300],
            facts=facts or {},
            placed_by=by.label,
            **{field: scope},
        )
        _record(scope, "paused", by=by, because=because[:300], rule=rule)
    return made


def lift(standing: Hold, *, by: Actor) -> bool:
    """Go on where it stopped; False where somebody was faster."""
    scope = standing.send or standing.sender or standing.link_domain
    with transaction.atomic():
        fresh = Hold.objects.active().filter(pk=standing.pk)
        if scope is None or not fresh.update(lifted_at=timezone.now(), lifted_by=by.label):
            return False
        _record(scope, "resumed", by=by, rule=standing.rule)
        wakeups.dispatch()
    return True


def write_on(send: Send, *, by: Actor) -> bool:
    """Take up the writing of a large send's messages where it failed; False where there is nothing to take up."""
    with transaction.atomic():
        locked = Send.objects.select_for_update(no_key=True).get(pk=send.pk)
        failed = Preparation.objects.filter(send=locked, state=Preparation.State.FAILED)
        if locked.state != SendState.PREPARING or not Preparation.take_up(failed):
            return False
        audit("send.writing_resumed", locked, by=by)
    return True


def stop(scope: Scope | Service, *, by: Actor) -> int:
    """Cancel whatever of it was not posted yet, for good; returns how many messages that stopped."""
    stopped = sum(cancel(send, by=by) for send in _unfinished(scope))
    if not isinstance(scope, Send):
        _record(scope, "stopped", by=by, stopped=stopped)
    return stopped


class SendHasBegun(RuntimeError):
    """It is too late for that; the sentence says why."""


def reschedule(
    send: Send, *, due_at: datetime, by: Actor, user: Any = None, now: datetime | None = None
) -> None:
    """Another time for a send that has not begun; `user` is the person who moves it, who cannot approve it then.

    Raises Begun, and ComposeError where the time cannot be.
    """
    now = now or timezone.now()
    found = approval.read(send.pk) if send.approvers else None
    with transaction.atomic():
        # the send, then its slices, as `sends.cancel` does: whoever claims one right now is waited for
        locked = Send.objects.select_for_update(no_key=True).get(pk=send.pk)
        begun = [item.pk for item in Slice.of_send(locked.pk) if item.owner or item.done]
        waits = locked.state in (SendState.PREPARING, SendState.AWAITING, SendState.SCHEDULED)
        if not waits or begun:
            raise SendHasBegun(too_late(locked))
        if problem := _misplaced(locked, due_at, now=now):
            raise ComposeError([problem])
        before, locked.due_at = locked.due_at, max(due_at, now)
        if locked.name.endswith(time_suffix(before)):  # a name of our making says when
            locked.name = locked.name.removesuffix(time_suffix(before)) + time_suffix(locked.due_at)
        locked.save(update_fields=["due_at", "name"])
        Slice.objects.filter(send=locked).update(due_at=locked.due_at)
        audit("send.rescheduled", locked, by=by, before=before.isoformat(), due_at=locked.due_at.isoformat())
        approval.moved(locked, by=by, user=user, now=now, found=found)  # a yes was to the time before
        wakeups.dispatch()
    send.refresh_from_db()


def too_late(send: Send) -> str:
    """Why a send cannot be moved any more, and what can be done instead."""
    if send.state in (SendState.FINISHED, SendState.CANCELLED):
        return f"It is {send.state} already, so it cannot be moved. Duplicate it to send it again."
    return "It has begun, so it cannot be put off. Pause it, or stop what was not posted yet."


def _misplaced(send: Send, due_at: datetime, *, now: datetime) -> Problem | None:
    """What is wrong with that time. Its expiry stays as it was made, so only the time can give way."""
    problem = checks.time_problem(due_at, send.expires_at, now=now)
    if problem is None or problem.field != "expires_at":
        return problem
    assert send.expires_at is not None
    return Problem(
        "send_at",
        f"It expires before that, on {timezone.localtime(send.expires_at):%-d %B at %H:%M %Z}. "
        "Choose an earlier time, or duplicate it as a draft with a later expiry.",
    )


def leave_sandbox(service: Service, *, by: Actor) -> int:
    """Hold what was made for the sandbox and has not ended, before the service is connected to people; returns how many sends."""
    sends = list(_unfinished(service))
    for send in sends:
        hold(
            send, by=by, because="Made while the sandbox was connected. Look at it before it goes to people."
        )
    return len(sends)


def pause_service(service: Service, *, by: Actor, because: str) -> bool:
    """Post nothing of a whole service; False where it is paused already."""
    with transaction.atomic():
        fresh = Service.objects.filter(pk=service.pk, paused_at__isnull=True)
        if not fresh.update(paused_at=timezone.now(), paused_because=because[:200]):
            return False
        audit("service.paused", service, by=by, because=because[:200])
    return True


def resume_service(service: Service, *, by: Actor) -> bool:
    """Let a whole service go on; what is held by itself stays held."""
    with transaction.atomic():
        paused = Service.objects.filter(pk=service.pk, paused_at__isnull=False)
        if not paused.update(paused_at=None, paused_because=""):
            return False
        audit("service.resumed", service, by=by)
        wakeups.dispatch()
    return True


def holds_on(send: Send) -> "QuerySet[Hold]":
    """What stops this send now, the latest first."""
    held = Hold.objects.active().select_related("send", "sender", "link_domain")
    return (
        held.filter(send=send)
        | held.filter(sender=send.sender_id)
        | held.filter(link_domain__isnull=False, link_domain=send.link_domain_id)
    )


def hold_on(scope: Scope) -> Hold | None:
    """The hold on this very thing, if there is one; what else may stop a send is in `holds_on`."""
    held = Hold.objects.active().select_related(
        "service", "send__service", "sender__service", "link_domain__service"
    )
    return held.filter(**{_field(scope): scope}).first()


def held_among(sends: Sequence[Send]) -> set[int]:
    """Ids of those unfinished sends among these that something holds, in one query for all."""
    open_ones = [send for send in sends if send.state in UNFINISHED]
    if not open_ones:
        return set()
    services = {send.service_id for send in open_ones}
    covered = list(
        Hold.objects.active()
        .filter(service__in=services)
        .values_list("send_id", "sender_id", "link_domain_id")
    )
    held = [{row[place] for row in covered if row[place]} for place in range(3)]
    return {
        send.pk
        for send in open_ones
        if send.pk in held[0] or send.sender_id in held[1] or send.link_domain_id in held[2]
    }


@dataclass(frozen=True, slots=True)
class AtStake:
    """How much a stop would cancel."""

    sends: int
    messages: int


def at_stake(scope: Scope | Service) -> AtStake:
    """Sends that are not finished, and their messages that were not posted yet."""
    sends = _unfinished(scope)
    waiting = StateCount.objects.filter(send__in=sends.order_by().values("pk"), state=MessageState.PENDING)
    return AtStake(sends.count(), waiting.aggregate(total=Sum("delta"))["total"] or 0)


def _unfinished(scope: Scope | Service) -> "QuerySet[Send]":
    sends = Send.objects.filter(state__in=UNFINISHED).select_related("service")
    if isinstance(scope, Service):
        return sends.filter(service=scope)
    return sends.filter(pk=scope.pk) if isinstance(scope, Send) else sends.filter(**{_field(scope): scope})


def _field(scope: Scope) -> str:
    return next(field for kind, field in _FIELDS if isinstance(scope, kind))


def _record(scope: Scope | Service, verb: str, *, by: Actor, **details: object) -> None:
    noun = "domain" if isinstance(scope, ShortLinkDomain) else scope.audit_noun
    audit(f"{noun}.{verb}", scope, by=by, noun=noun, **details)
