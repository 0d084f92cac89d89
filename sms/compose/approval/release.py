"""Letting an approved send go, and comparing it with what was approved, before an answer and before each slice is posted."""

from datetime import datetime, timedelta

from sms.callbacks import events
from sms.compose import spending
from sms.compose.approval import endings, fingerprint
from sms.compose.approval.fingerprint import MessageDigests
from sms.ledger import wakeups
from sms.ledger.settled import settle_after
from sms.models import Actor, ApprovalRequest, ApprovalRules, ApprovalState, Send, SendState, Slice
from sms.models.audit import audit

IN_TIME = timedelta(minutes=2)  # an approval that comes this long after the time is still in time


def release(request: ApprovalRequest, send: Send, *, by: Actor, now: datetime) -> None:
    """The last approval was given: let the send go at its time, or now. The caller holds its lock and has compared the fingerprint."""
    rules = ApprovalRules.of(send.service)
    begun = ApprovalRequest.objects.filter(send=send, begun_at__isnull=False).exists()
    left = Slice.of_send(send.pk).filter(done=False)
    list(left.values_list("pk"))  # locked in their order, before a statement takes them in its own
    if request.at_once and not begun:
        send.due_at = now
        left.update(due_at=now)
    elif begun:  # a dispatcher that found the change gave its slice back for a minute; the night is longer
        left.filter(due_at__lte=now + IN_TIME).update(due_at=now)
    spending.move(send, due_at=send.due_at, now=now, at="due_at")
    send.state = SendState.SCHEDULED if send.due_at > now else SendState.SENDING
    if not left.exists():
        send.state = SendState.FINISHED  # it was changed when all of it had gone
        settle_after([send.pk])
    send.save(update_fields=["state", "due_at", "counted_on"])
    request.released_at = now
    # from then on the question is not whether it is answered, but whether the send begins
    request.expires_at = max(send.due_at, now) + timedelta(hours=rules.valid_hours)
    endings.end(request, ApprovalState.APPROVED, by=by, now=now)
    events.record([events.of_send(send, "send.approved", at=now, once=(request.pk,))])
    audit("send.released", send, by=by, request=request.pk, due_at=send.due_at.isoformat())
    wakeups.dispatch()


def changed_parts(request: ApprovalRequest, send: Send, *, digests: MessageDigests) -> list[str]:
    """The parts that are not as they were asked about: of the messages as in `digests`, of the rest as it is now."""
    current = fingerprint.of_send(send.pk, digests=digests, due_at=_due_as_asked(request, send))
    return current.changed_from(request.parts)


def _due_as_asked(request: ApprovalRequest, send: Send) -> datetime | None:
    """The time that goes into the fingerprint where it is not the send's own: one that went at once got its time by the last approval."""
    return request.due_at if request.released_at is not None and send.due_at == request.released_at else None


def is_as_approved(send_id: int, *, slice_id: int, first_id: int, last_id: int, now: datetime) -> bool:
    """Whether what a dispatcher is about to post is what was approved. If it is not, or too late, the send waits again.

    Compares the send's own fields and the messages of this slice; all of them are read only to say what has changed.
    """
    request = ApprovalRequest.objects.filter(send=send_id, state=ApprovalState.APPROVED).first()
    if request is None:
        return False
    if request.begun_at is None and request.expires_at <= now:
        endings.expire(send_id, now=now)
        return False
    current, digests = Send.objects.only("due_at").get(pk=send_id), None
    parts = fingerprint.fields_of(send_id, due_at=_due_as_asked(request, current))
    changed = [name for name in parts if request.parts.get(name) != parts[name]]
    approved = Slice.objects.values_list("approved", flat=True).get(pk=slice_id)
    if not changed and approved != fingerprint.of_slice(send_id, first_id, last_id):
        # where the rest is as it was, the slice itself was written to
        digests = fingerprint.digest_messages(send_id)
        changed = changed_parts(request, current, digests=digests) or ["audience"]
    if changed:
        endings.void(current, changed, by=Actor.system(), now=now, digests=digests)
        return False
    mine = ApprovalRequest.objects.filter(pk=request.pk, state=ApprovalState.APPROVED)
    return bool(request.begun_at or mine.update(begun_at=now))
