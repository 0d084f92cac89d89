"""Answers to requests for approval: a person approves or rejects a send that waits; taking a send back to change it.

An approval is of the fingerprint that was on the page: where the send has changed since, the answer is refused, the old request is void
and a new one says what has changed. A rejection cancels the send. Called by the approval pages; there is no approval by API or command
line, because only people approve.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms import guard
from sms.callbacks import events
from sms.compose.approval import endings, fingerprint, requests
from sms.compose.approval.parts import words_of
from sms.compose.approval.release import IN_TIME, changed_parts, release
from sms.compose.spending import CapRefused
from sms.models import Actor, ApprovalDecision, ApprovalRequest, ApprovalState, Draft, Send, SendState
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.sends.cancel import cancel
from sms.words import moment

LONGEST_COMMENT = 1000
ENDED = {
    ApprovalState.APPROVED: gettext_noop("There is nothing to answer any more: the request is approved."),
    ApprovalState.REJECTED: gettext_noop("There is nothing to answer any more: the request is rejected."),
    ApprovalState.VOID: gettext_noop("There is nothing to answer any more: the request is void."),
    ApprovalState.EXPIRED: gettext_noop("There is nothing to answer any more: the request is expired."),
    ApprovalState.WITHDRAWN: gettext_noop("There is nothing to answer any more: the request is withdrawn."),
}


class ApprovalRefused(RuntimeError):
    """This answer cannot be taken; the sentence says why, and what to do."""


class ChangedSince(ApprovalRefused):
    """It is not what was shown."""


def approve(
    request: ApprovalRequest, *, by: Actor, seen: str, comment: str = "", now: datetime | None = None
) -> bool:
    """Approve what was `seen` (the fingerprint on the page); True if it was the last approval needed, and the send is released.

    Raises ApprovalRefused and stores no approval. Reads every message of the send, about a second for 100 000, before it locks anything.
    """
    now, digests = now or corrected_now(), fingerprint.digest_messages(request.send_id)
    with transaction.atomic():
        send, locked = _locked(request)
        _refuse(obstacle(locked, user=by.user, now=now))
        changed = changed_parts(locked, send, digests=digests)
        if changed:
            # stays, though the answer is refused
            endings.void(send, changed, by=by, now=now, digests=digests)
        elif seen != locked.fingerprint:
            raise ChangedSince(
                _("This is not what was on your page. Read what stands there now, then answer.")
            )
        else:
            _refuse(too_late(locked, now=now))
            _answer(locked, approved=True, by=by, seen=seen, comment=comment, now=now)
            given = locked.decisions.filter(approved=True).count()
            audit("send.approved", send, by=by, request=locked.pk, approvals=given, of=locked.approvers)
            if given >= locked.approvers:
                try:
                    release(locked, send, by=by, now=now)
                except CapRefused as problem:  # it was asked about for another day, and this one has no room
                    raise ApprovalRefused(str(problem)) from None
                return True
            return False
    says = _(
        "It was changed since it was asked about: %(parts)s. "
        "Nothing was approved; a new request shows how it stands now."
    )
    raise ChangedSince(says % {"parts": words_of(changed)})


def reject(request: ApprovalRequest, *, by: Actor, seen: str, comment: str) -> None:
    """Reject, with the reason: the send is cancelled. Where nothing of it has gone, its draft can be changed and asked about again."""
    now = corrected_now()
    if not comment.strip():
        raise ApprovalRefused(_("Say why, so that its author knows what to change."))
    with transaction.atomic():
        send, locked = _locked(request)
        _refuse(obstacle(locked, user=by.user, now=now))
        _answer(locked, approved=False, by=by, seen=seen, comment=comment, now=now)
        told: dict[str, Any] = {"once": (locked.pk,), "reason": comment.strip()[:LONGEST_COMMENT]}
        events.record([events.of_send(send, "send.refused", at=now, **told)])
        audit("send.rejected", send, by=by, request=locked.pk)
        endings.withdraw(send, by=by, now=now, to=ApprovalState.REJECTED)
        if _has_begun(send):  # a part of it has gone: its draft, sent again, would reach those people twice
            cancel(send, by=by, now=now)
        else:
            _back_to_draft(send, by=by, now=now)


def take_back(send: Send, *, by: Actor) -> Draft | None:
    """Cancel a send that waits for approval, or has it and has not begun; returns its draft, which can be changed again.

    None where it was not made from a draft. Raises ApprovalRefused where it has begun.
    """
    now = corrected_now()
    with transaction.atomic():
        locked = Send.objects.select_for_update(no_key=True).get(pk=send.pk)
        waits = (SendState.PREPARING, SendState.AWAITING, SendState.SCHEDULED)
        if locked.state not in waits or _has_begun(locked):
            raise ApprovalRefused(
                _("It has begun, so it cannot be taken back. Pause it, or stop what was not posted yet.")
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
    """Why this person cannot answer a request, as a sentence; empty where they can."""
    if request.authors.filter(pk=user.pk).exists():
        return _("You wrote this, or a part of it. Another person has to answer.")
    if _is_tied(request, user, now=now or corrected_now()):
        return _(
            "One of its authors, or of those who approved it, made you an approver or set up your account in the last days. "
            "Another person has to answer."
        )
    approver = user.memberships.filter(service=request.service_id, role="approver").exists()
    if not user.is_active or not (user.is_superuser or approver):
        return _("Approvers of this service answer. An admin can make you one.")
    if request.state != ApprovalState.OPEN:
        return _(ENDED[ApprovalState(request.state)])
    if request.expires_at <= (now or corrected_now()):
        return _("The time to answer is over. Its author can ask again.")
    if request.decisions.filter(by=user).exists():
        return _("You have answered this. It waits for another person.")
    return ""


def _is_tied(request: ApprovalRequest, user: Any, *, now: datetime) -> bool:
    """Whether this person's answer would be that of an author, or of an approver, a second time: one of the two made the other."""
    answered = {
        one.by_id for one in request.decisions.filter(approved=True).select_related("by") if one.by_id
    }
    people = {*request.authors.values_list("pk", flat=True), *answered}
    if guard.vouchers_of(user, request.service_id, "approver", now=now) & people:
        return True
    others = (one.by for one in request.decisions.filter(approved=True).select_related("by") if one.by)
    return any(user.pk in guard.vouchers_of(one, request.service_id, "approver", now=now) for one in others)


def too_late(request: ApprovalRequest, *, now: datetime) -> str:
    """Why it cannot be approved before the send is moved or taken back; empty where it is in time.

    To approve a send whose time is over would send it at another time than was asked about.
    """
    send = request.send
    if not request.at_once and send.due_at < now - IN_TIME:
        due_at = timezone.localtime(send.due_at)
        return _(
            "It was to go on %(day)s at %(time)s, and that has passed. "
            "It has to be moved to another time first; that asks you again."
        ) % {"day": moment(due_at, "j F"), "time": moment(due_at, "H:i T")}
    if send.expires_at is not None and send.expires_at <= now:
        return _("It has expired, so nothing of it would be sent. Its author has to take it back.")
    return ""


def _refuse(why: str) -> None:
    if why:
        raise ApprovalRefused(why)


def _locked(request: ApprovalRequest) -> tuple[Send, ApprovalRequest]:
    """The send before its request, in the order of locks."""
    send = requests.lock_send(request.send_id)
    return send, ApprovalRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)


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
