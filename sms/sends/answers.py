"""Answers to requests for approval: a person approves or rejects a send that waits; taking a send back to change it.

An approval is of the fingerprint that was on the page: where the send has changed since, the answer is refused, the old request is void
and a new one says what has changed. A rejection cancels the send. Called by the approval pages; there is no approval by API or command
line, because only people approve.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from sms.compose.approval import endings, fingerprint
from sms.compose.approval.parts import words_of
from sms.compose.approval.release import IN_TIME, changed_parts, release
from sms.models import (
    Actor,
    ApprovalDecision,
    ApprovalRequest,
    ApprovalState,
    Draft,
    Send,
    SendState,
)
from sms.models.audit import audit
from sms.sends.cancel import cancel

LONGEST_COMMENT = 1000


class ApprovalRefused(RuntimeError):
    """This answer cannot be taken; the sentence says why, and what to do.

    OwnSend · NotAnApprover · Ended · ChangedSince · TimePassed · AlreadyAnswered · ReasonMissing · ApprovalTooLate
    """


class OwnSend(ApprovalRefused):
    """People cannot approve what they wrote, whatever their roles."""


class NotAnApprover(ApprovalRefused):
    """Has no such role in the service."""


class Ended(ApprovalRefused):
    """It was answered, or its time was over, before."""


class ChangedSince(ApprovalRefused):
    """It is not what was shown."""


class TimePassed(ApprovalRefused):
    """It was for a time that has passed."""


class AlreadyAnswered(ApprovalRefused):
    """One answer per person."""


class ReasonMissing(ApprovalRefused):
    """A rejection needs a reason."""


class ApprovalTooLate(ApprovalRefused):
    """It cannot be taken back any more."""


def approve(
    request: ApprovalRequest,
    *,
    by: Actor,
    seen: str,
    comment: str = "",
    now: datetime | None = None,
) -> bool:
    """Approve what was `seen` (the fingerprint on the page); True if it was the last approval needed, and the send is released.

    Raises ApprovalRefused and stores no approval. Reads every message of the send, about a second for 100 000, before it locks anything.
    """
    now, digests = now or timezone.now(), fingerprint.digest_messages(request.send_id)
    with transaction.atomic():
        send, locked = _locked(request)
        _may_answer(locked, user=by.user, now=now)
        changed = changed_parts(locked, send, digests=digests)
        if changed:
            endings.void(
                send, changed, by=by, now=now, digests=digests
            )  # stays, though the answer is refused
        elif seen != locked.fingerprint:
            raise ChangedSince("This is not what was on your page. Read what stands there now, then answer.")
        else:
            _in_time(locked, send, now=now)
            _answer(locked, approved=True, by=by, seen=seen, comment=comment, now=now)
            given = locked.decisions.filter(approved=True).count()
            audit("send.approved", send, by=by, request=locked.pk, approvals=given, of=locked.approvers)
            if given >= locked.approvers:
                release(locked, send, by=by, now=now)
                return True
            return False
    raise ChangedSince(
        f"It was changed since it was asked about: {words_of(changed)}. "
        "Nothing was approved; a new request shows how it stands now."
    )


def reject(
    request: ApprovalRequest,
    *,
    by: Actor,
    seen: str,
    comment: str,
    now: datetime | None = None,
) -> None:
    """Reject, with the reason: the send is cancelled. Where nothing of it has gone, its draft can be changed and asked about again."""
    now = now or timezone.now()
    if not comment.strip():
        raise ReasonMissing("Say why, so that its author knows what to change.")
    with transaction.atomic():
        send, locked = _locked(request)
        _may_answer(locked, user=by.user, now=now)
        _answer(locked, approved=False, by=by, seen=seen, comment=comment, now=now)
        audit("send.rejected", send, by=by, request=locked.pk)
        endings.withdraw(send, by=by, now=now, to=ApprovalState.REJECTED)
        if _has_begun(send):  # a part of it has gone: its draft, sent again, would reach those people twice
            cancel(send, by=by, now=now)
        else:
            _back_to_draft(send, by=by, now=now)


def take_back(send: Send, *, by: Actor, now: datetime | None = None) -> Draft | None:
    """Cancel a send that waits for approval, or has it and has not begun; returns its draft, which can be changed again.

    None where it was not made from a draft. Raises ApprovalTooLate.
    """
    now = now or timezone.now()
    with transaction.atomic():
        locked = Send.objects.select_for_update(no_key=True).get(pk=send.pk)
        waits = (SendState.PREPARING, SendState.AWAITING, SendState.SCHEDULED)
        if locked.state not in waits or _has_begun(locked):
            raise ApprovalTooLate(
                "It has begun, so it cannot be taken back. Pause it, or stop what was not posted yet."
            )
        return _back_to_draft(locked, by=by, now=now)


def _has_begun(send: Send) -> bool:
    """By any of its requests: one that was void since may have let a part of it go."""
    return ApprovalRequest.objects.filter(send=send, begun_at__isnull=False).exists()


def _back_to_draft(send: Send, *, by: Actor, now: datetime) -> Draft | None:
    cancel(send, by=by, now=now)
    draft = Draft.objects.select_for_update(of=("self",)).filter(send=send).first()
    if draft is not None:
        draft.send = None
        draft.save(update_fields=["send", "changed_at"])
    return draft


def obstacle(request: ApprovalRequest, *, user: Any, now: datetime | None = None) -> str:
    """Why this person cannot answer an open request, as a sentence; empty where they can."""
    try:
        _may_answer(request, user=user, now=now or timezone.now())
    except ApprovalRefused as problem:
        return str(problem)
    return ""


def too_late(request: ApprovalRequest, *, now: datetime) -> str:
    """Why it cannot be approved before the send is moved or taken back; empty where it is in time."""
    try:
        _in_time(request, request.send, now=now)
    except TimePassed as problem:
        return str(problem)
    return ""


def _locked(request: ApprovalRequest) -> tuple[Send, ApprovalRequest]:
    """The send before its request, in the order of locks."""
    sends = Send.objects.select_for_update(no_key=True, of=("self",)).select_related("service")
    send = sends.get(pk=request.send_id)
    return send, ApprovalRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)


def _may_answer(request: ApprovalRequest, *, user: Any, now: datetime) -> None:
    if request.authors.filter(pk=user.pk).exists():
        raise OwnSend("You wrote this, or a part of it. Another person has to answer.")
    approver = user.memberships.filter(service=request.service_id, role="approver").exists()
    if not user.is_active or not (user.is_superuser or approver):
        raise NotAnApprover("Approvers of this service answer. An admin can make you one.")
    if request.state != ApprovalState.OPEN:
        ended = ApprovalState(request.state).label.partition(":")[0].lower()
        raise Ended(f"There is nothing to answer any more: the request is {ended}.")
    if request.expires_at <= now:
        raise Ended("The time to answer is over. Its author can ask again.")
    if request.decisions.filter(by=user).exists():
        raise AlreadyAnswered("You have answered this. It waits for another person.")


def _in_time(request: ApprovalRequest, send: Send, *, now: datetime) -> None:
    """To approve a send whose time is over would send it at another time than was asked about."""
    if not request.at_once and send.due_at < now - IN_TIME:
        raise TimePassed(
            f"It was to go on {timezone.localtime(send.due_at):%-d %B at %H:%M %Z}, and that has passed. "
            "It has to be moved to another time first; that asks you again."
        )
    if send.expires_at is not None and send.expires_at <= now:
        raise TimePassed("It has expired, so nothing of it would be sent. Its author has to take it back.")


def _answer(
    request: ApprovalRequest, *, approved: bool, by: Actor, seen: str, comment: str, now: datetime
) -> None:
    ApprovalDecision.objects.create(
        request=request,
        by=by.user,
        label=by.label,
        approved=approved,
        comment=comment.strip()[:LONGEST_COMMENT],
        fingerprint=seen if approved else request.fingerprint,
        at=now,
    )
