"""What ends a request without a person's answer: a change of the send, another time, the clock, a cancellation."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from django.db import transaction
from django.utils.translation import gettext_noop

from sms.callbacks import events
from sms.compose.approval import fingerprint, notices, requests, rules
from sms.compose.approval.fingerprint import MessageDigests
from sms.compose.approval.requests import in_force, lock_send
from sms.ledger import wakeups
from sms.models import IN_FORCE, Actor, ApprovalRequest, ApprovalState, Preparation, Send, SendState
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.models.sql.session import database_now

log = structlog.get_logger(__name__)

EXPIRED_AT_A_TIME = 200
NO_ANSWER = gettext_noop("There was no answer in time.")
NOT_BEGUN = gettext_noop("It did not begin in time.")


def void(
    send: Send,
    changed: Sequence[str],
    *,
    by: Actor,
    now: datetime | None = None,
    digests: MessageDigests | None = None,
) -> ApprovalRequest | None:
    """The send is not what was asked about (parts `changed`): the request is void, and a new one asks about it as it is now.

    Returns the new request, None where no request was in force any more. Reads the messages where there are no `digests` of them.
    """
    now, digests = now or corrected_now(), digests or fingerprint.digest_messages(send.pk)
    with transaction.atomic():
        locked = lock_send(send.pk)
        before = in_force(locked.pk)
        if before is None:
            return None
        end(before, ApprovalState.VOID, by=by, now=now)
        _hold_back(locked)
        audit("send.approval_voided", locked, by=by, parts=list(changed), request=before.pk)
        at_once = before.begun_at is not None or (before.at_once and "due_at" not in changed)
        finder = replace(by, kind="system", user=None)  # noticing a change makes no author of it
        new = requests.reopen(
            locked, before, by=finder, now=now, changed=changed, at_once=at_once, digests=digests
        )
    log.warning("approval_voided", send=send.pk, parts=list(changed))
    return new


def time_changed(send: Send, *, by: Actor, now: datetime, digests: MessageDigests | None = None) -> None:
    """A send got another time from a person, who must not approve it; the caller holds its lock. An approval was for the time before."""
    if not send.approvers:
        return
    before = requests.latest_of(send)
    if before is None:
        _remember_movers(send, rules.behind(by))
        return
    if before.state in IN_FORCE:
        end(before, ApprovalState.VOID, by=by, now=now)
        audit("send.approval_voided", send, by=by, parts=["due_at"], request=before.pk)
    if send.state == SendState.SCHEDULED:
        _hold_back(send)
    at_once = send.due_at <= now
    requests.reopen(send, before, by=by, now=now, changed=["due_at"], at_once=at_once, digests=digests)


def _remember_movers(send: Send, people: set[int]) -> None:
    """Its messages are still being written; when the request is opened, these people are among its authors."""
    work = Preparation.objects.select_for_update().filter(send=send).first()
    if work is not None and not people <= set(work.movers):
        Preparation.objects.filter(pk=work.pk).update(movers=sorted({*work.movers, *people}))


def withdraw(send: Send, *, by: Actor, now: datetime, to: ApprovalState = ApprovalState.WITHDRAWN) -> None:
    """The send is cancelled, so its request ends; the caller holds its lock. A send that has begun keeps its approval."""
    if not send.approvers:
        return
    request = in_force(send.pk)
    if request is None or request.begun_at is not None:
        return
    end(request, to, by=by, now=now)
    if to == ApprovalState.WITHDRAWN:
        audit("send.approval_withdrawn", send, by=by, request=request.pk)


def expire_due(*, now: datetime | None = None) -> int:
    """Ends requests that were not answered in time, and approvals of sends that have not begun in time; returns how many."""
    now = now or database_now()
    due = ApprovalRequest.objects.filter(state__in=IN_FORCE, begun_at=None, expires_at__lte=now)
    return sum(expire(pk, now=now) for pk in list(due.values_list("send_id", flat=True)[:EXPIRED_AT_A_TIME]))


def expire(send_id: int, *, now: datetime) -> bool:
    with transaction.atomic():
        locked = lock_send(send_id)
        request = in_force(send_id)
        if request is None or request.begun_at is not None or request.expires_at > now:
            return False
        end(request, ApprovalState.EXPIRED, by=Actor.system(), now=now)
        _hold_back(locked)
        reason = NO_ANSWER if request.released_at is None else NOT_BEGUN
        events.record([events.of_send(locked, "send.refused", at=now, once=(request.pk,), reason=reason)])
        audit("send.approval_expired", locked, by=Actor.system(), request=request.pk)
    return True


def end(request: ApprovalRequest, state: ApprovalState, *, by: Actor, now: datetime) -> None:
    request.state, request.ended_at, request.ended_by, request.remind_at = state, now, by.label, None
    request.save()
    notices.ended(request, by=by, now=now)
    wakeups.approvals()


def _hold_back(send: Send) -> None:
    if send.state in (SendState.SCHEDULED, SendState.SENDING):
        send.state = SendState.AWAITING
        send.save(update_fields=["state"])
