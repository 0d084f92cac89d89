"""Asking for a yes, and whatever ends a request without somebody answering it: an edit, another time, the clock, a withdrawal.

Whoever changes a request holds the lock of its send first, as everybody does who changes a send, and has read its messages before that
(`found`), so that nobody waits for the reading. A send that waits is `awaiting`, and `Send.approvers` says for good that it needs a request
that was approved, so that no state alone lets anything out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Subquery
from django.utils import timezone

from sms.compose.approval import fingerprint
from sms.compose.approval.fingerprint import Print, Read
from sms.compose.approval.rules import ApprovalReason, Needed, authors_of, eligible
from sms.compose.approval.snapshot import snapshot_of
from sms.ledger import wakeups
from sms.models import (
    IN_FORCE,
    Actor,
    ApprovalRequest,
    ApprovalRules,
    ApprovalState,
    Draft,
    Message,
    Preparation,
    Send,
    SendState,
    Slice,
)
from sms.models.audit import audit

log = structlog.get_logger(__name__)

AT_A_TIME = 500  # slices whose digests one statement writes
IN_TIME = timedelta(minutes=2)  # a yes that comes this long after the time is still in time


def ask(
    send: Send,
    wanted: Needed,
    *,
    by: Actor,
    user: Any = None,
    draft: Draft | None = None,
    now: datetime,
    movers: Collection[int] = (),
    found: Read | None = None,
    moved: dict[str, int] | None = None,
) -> ApprovalRequest:
    """Open the first request of a send that was just stored as `awaiting`, in the transaction that makes it ready.

    Without `found` and `moved` its messages are read here, which is for few. `movers`: keys of those who gave it another time meanwhile.
    """
    previous = _last_of(draft) if draft is not None else None
    return _open(
        send,
        fingerprint.of(send.pk, found=found),
        rules=[asdict(reason) for reason in wanted.reasons],
        approvers=wanted.approvers,
        valid_hours=wanted.valid_hours,
        at_once=send.due_at <= now,
        authors=authors_of(draft, user=user) | set(movers),
        previous=previous,
        draft=draft,
        by=by,
        user=user,
        now=now,
        moved=moved,
    )


def carried(wanted: Needed, *, by: Actor) -> dict[str, Any] | None:
    """What to ask, as plain JSON, for a send whose messages are still to be written; None where nobody is asked."""
    return {"wanted": asdict(wanted), "by": asdict(by)} if wanted.approvers else None


def moved_since_last(send: Send) -> dict[str, int]:
    """Recipients added, removed and the same since its draft was asked about before; for before the transaction, as `read`."""
    draft = Draft.objects.filter(send=send).first()
    return _moved(_last_of(draft), send) if draft is not None else {}


def ask_as_carried(
    send: Send,
    kept: dict[str, Any] | None,
    *,
    movers: Collection[int],
    found: Read | None,
    moved: dict[str, int] | None,
    now: datetime,
) -> None:
    """The same once they are written; in the transaction that opens the send, whose lock the caller has."""
    if kept is None or send.state != SendState.AWAITING:
        return
    people = get_user_model()._default_manager.filter(pk__in=movers)  # whoever is gone cannot answer either
    told = kept["wanted"] | {"reasons": tuple(ApprovalReason(**one) for one in kept["wanted"]["reasons"])}
    draft = Draft.objects.filter(send=send).first()
    ask(
        send,
        Needed(**told),
        by=Actor(**kept["by"]),
        user=send.created_by,
        draft=draft,
        now=now,
        movers=list(people.values_list("pk", flat=True)),
        found=found,
        moved=moved,
    )


def _last_of(draft: Draft) -> ApprovalRequest | None:
    return ApprovalRequest.objects.filter(draft=draft).order_by("-pk").first()


def ask_again(
    send: Send, *, by: Actor, user: Any = None, now: datetime | None = None
) -> ApprovalRequest | None:
    """A new request for a send whose last one expired; None where it does not wait or is asked about already."""
    now, found = now or timezone.now(), fingerprint.read(send.pk)
    with transaction.atomic():
        locked = _locked(send.pk)
        before = of_send(locked)
        if locked.state != SendState.AWAITING or before is None or before.state in IN_FORCE:
            return None
        return _reopen(locked, before, by=by, user=user, now=now, at_once=before.at_once, found=found)


def of_send(send: Send) -> ApprovalRequest | None:
    """The latest request of a send."""
    return ApprovalRequest.objects.filter(send=send).order_by("-pk").first()


def in_force(send_id: int) -> ApprovalRequest | None:
    """The request of a send that is open or approved."""
    return ApprovalRequest.objects.filter(send=send_id, state__in=IN_FORCE).first()


def void(
    send: Send,
    changed: Sequence[str],
    *,
    by: Actor,
    now: datetime | None = None,
    found: Read | None = None,
) -> ApprovalRequest | None:
    """What was approved, or shown, is not what stands there: the yeses are worth nothing, and everybody is asked anew.

    Returns the new request, None where no request was in force any more. Reads the messages where they were not `found` just now.
    """
    now, found = now or timezone.now(), found or fingerprint.read(send.pk)
    with transaction.atomic():
        locked = _locked(send.pk)
        before = in_force(locked.pk)
        if before is None:
            return None
        _end(before, ApprovalState.VOID, by=by, now=now)
        if locked.state in (SendState.SCHEDULED, SendState.SENDING):
            locked.state = SendState.AWAITING
            locked.save(update_fields=["state"])
        audit("send.approval_voided", locked, by=by, parts=list(changed), request=before.pk)
        at_once = before.begun_at is not None or (before.at_once and "due_at" not in changed)
        made = _reopen(
            locked, before, by=by, user=None, now=now, changed=changed, at_once=at_once, found=found
        )
    log.warning("approval_voided", send=send.pk, parts=list(changed))
    return made


def moved(send: Send, *, by: Actor, user: Any = None, now: datetime, found: Read | None = None) -> None:
    """A send got another time from `user`, who must not say yes to it; the caller holds its lock. A yes was to the time before."""
    if not send.approvers:
        return
    before = of_send(send)
    if before is None:
        _remember_mover(send, user)
        return
    if before.state in IN_FORCE:
        _end(before, ApprovalState.VOID, by=by, now=now)
        audit("send.approval_voided", send, by=by, parts=["due_at"], request=before.pk)
    if send.state == SendState.SCHEDULED:
        send.state = SendState.AWAITING
        send.save(update_fields=["state"])
    at_once = send.due_at <= now
    _reopen(send, before, by=by, user=user, now=now, changed=["due_at"], at_once=at_once, found=found)


def _remember_mover(send: Send, user: Any) -> None:
    """Its messages are still being written, so nobody is asked yet; when they are, this person is one of its authors."""
    work = Preparation.objects.select_for_update().filter(send=send).first()
    if user is not None and work is not None and user.pk not in work.movers:
        Preparation.objects.filter(pk=work.pk).update(movers=[*work.movers, user.pk])


def withdraw(send: Send, *, by: Actor, now: datetime, to: ApprovalState = ApprovalState.WITHDRAWN) -> None:
    """The send is cancelled, so nobody is asked any more; the caller holds its lock. A send that has begun keeps its yes."""
    if not send.approvers:
        return
    request = in_force(send.pk)
    if request is None or request.begun_at is not None:
        return
    _end(request, to, by=by, now=now)
    if to == ApprovalState.WITHDRAWN:
        audit("send.approval_withdrawn", send, by=by, request=request.pk)


def expire_due(*, now: datetime | None = None) -> int:
    """Requests that nobody answered in time, and yeses to sends that have not begun in time; returns how many."""
    now = now or timezone.now()
    due = ApprovalRequest.objects.filter(state__in=IN_FORCE, begun_at=None, expires_at__lte=now)
    return sum(_expire(send_id, now=now) for send_id in list(due.values_list("send_id", flat=True)[:200]))


def _expire(send_id: int, *, now: datetime) -> bool:
    with transaction.atomic():
        locked = _locked(send_id)
        request = in_force(send_id)
        if request is None or request.begun_at is not None or request.expires_at > now:
            return False
        _end(request, ApprovalState.EXPIRED, by=Actor.system(), now=now)
        if locked.state in (SendState.SCHEDULED, SendState.SENDING):
            locked.state = SendState.AWAITING
            locked.save(update_fields=["state"])
        audit("send.approval_expired", locked, by=Actor.system(), request=request.pk)
    return True


def release(request: ApprovalRequest, send: Send, *, by: Actor, now: datetime) -> None:
    """The last yes was said: let it go at its time, or now. The caller holds the send's lock and has compared the fingerprint."""
    rules = ApprovalRules.of(send.service)
    begun = ApprovalRequest.objects.filter(send=send, begun_at__isnull=False).exists()
    left = Slice.of_send(send.pk).filter(done=False)
    list(left.values_list("pk"))  # locked in their order, before a statement takes them in its own
    if request.at_once and not begun:
        send.due_at = now
        left.update(due_at=now)
    elif begun:  # a dispatcher that found the change gave its slice back for a minute; the night is longer
        left.filter(due_at__lte=now + IN_TIME).update(due_at=now)
    send.state = SendState.SCHEDULED if send.due_at > now else SendState.SENDING
    if not left.exists():
        send.state = SendState.FINISHED  # it was changed when all of it had gone
    send.save(update_fields=["state", "due_at"])
    request.released_at = now
    # from then on the question is not whether somebody answers, but whether the send begins
    request.expires_at = max(send.due_at, now) + timedelta(hours=rules.valid_hours)
    _end(request, ApprovalState.APPROVED, by=by, now=now)
    audit("send.released", send, by=by, request=request.pk, due_at=send.due_at.isoformat())
    wakeups.dispatch()


def due_of(request: ApprovalRequest, send: Send) -> datetime | None:
    """The time that goes into the fingerprint where it is not the send's own: one that went at once got its time by the last yes."""
    return request.due_at if request.released_at is not None and send.due_at == request.released_at else None


def compare(request: ApprovalRequest, send: Send, *, found: Read) -> list[str]:
    """The parts that are not as they were asked about: of the messages as they were `found`, of the rest as it is now."""
    printed = fingerprint.of(send.pk, found=found, due_at=due_of(request, send))
    return printed.changed_from(request.parts)


def as_approved(send_id: int, *, slice_id: int, first_id: int, last_id: int, now: datetime) -> bool:
    """Whether what a dispatcher is about to post is what was approved. If it is not, or too late, the send waits again.

    Compares the send's own fields and the messages of this slice; all of them are read only to say what has changed.
    """
    request = ApprovalRequest.objects.filter(send=send_id, state=ApprovalState.APPROVED).first()
    if request is None:
        return False
    if request.begun_at is None and request.expires_at <= now:
        _expire(send_id, now=now)
        return False
    current, found = Send.objects.only("due_at").get(pk=send_id), None
    parts = fingerprint.fields_of(send_id, due_at=due_of(request, current))
    changed = [name for name in parts if request.parts.get(name) != parts[name]]
    approved = Slice.objects.values_list("approved", flat=True).get(pk=slice_id)
    if not changed and approved != fingerprint.of_slice(send_id, first_id, last_id):
        # where the rest is as it was, somebody wrote to the slice itself
        found = fingerprint.read(send_id)
        changed = compare(request, current, found=found) or ["audience"]
    if changed:
        void(current, changed, by=Actor.system(), now=now, found=found)
        return False
    mine = ApprovalRequest.objects.filter(pk=request.pk, state=ApprovalState.APPROVED)
    return bool(request.begun_at or mine.update(begun_at=now))


# --- one request ------------------------------------------------------------------------------------------------------------


def _open(
    send: Send,
    printed: Print,
    *,
    rules: list[dict[str, Any]],
    approvers: int,
    valid_hours: int,
    at_once: bool,
    authors: Collection[int],
    previous: ApprovalRequest | None,
    draft: Draft | None,
    by: Actor,
    user: Any,
    now: datetime,
    changed: Sequence[str] = (),
    moved: dict[str, int] | None = None,
) -> ApprovalRequest:
    if previous is not None and not changed:
        changed = printed.changed_from(previous.parts)
        if previous.at_once and at_once:  # each for its own now
            changed = [part for part in changed if part != "due_at"]
    made = ApprovalRequest.objects.create(
        service_id=send.service_id,
        send=send,
        draft=draft,
        previous=previous,
        approvers=approvers,
        eligible=eligible(send.service, besides=authors),
        rules=rules,
        fingerprint=printed.fingerprint,
        parts=printed.parts,
        snapshot=snapshot_of(send, printed.figures, at_once=at_once),
        changed=list(changed),
        moved=_moved(previous, send) if moved is None else moved,
        at_once=at_once,
        due_at=send.due_at,
        asked_at=now,
        asked_by=user,
        asked_label=by.label,
        expires_at=now + timedelta(hours=valid_hours),
        tell_at=now,
    )
    made.authors.set(authors)
    _seal(send, printed.slices)
    audit(
        "send.approval_asked",
        send,
        by=by,
        request=made.pk,
        approvers=approvers,
        rules=[rule["rule"] for rule in rules],
        fingerprint=made.fingerprint,
    )
    wakeups.approvals()
    return made


def _seal(send: Send, digests: Mapping[int, str]) -> None:
    """Write what was shown of each slice to it, where it is not there already. A dispatcher may have some of them under lease."""
    known = dict(Slice.of_send(send.pk).values_list("pk", "approved"))
    others = [Slice(pk=pk, approved=digest) for pk, digest in digests.items() if known.get(pk) != digest]
    Slice.objects.bulk_update(others, ["approved"], batch_size=AT_A_TIME)


def _reopen(
    send: Send,
    before: ApprovalRequest,
    *,
    by: Actor,
    user: Any,
    now: datetime,
    at_once: bool,
    found: Read | None,
    changed: Sequence[str] = (),
) -> ApprovalRequest:
    """Ask about the same send as it stands now. Whoever moved it or asked again (`user`) is one of its authors from then on."""
    return _open(
        send,
        fingerprint.of(send.pk, found=found),
        rules=before.rules,
        approvers=before.approvers,
        valid_hours=ApprovalRules.of(send.service).valid_hours,
        at_once=at_once,
        authors={*before.authors.values_list("pk", flat=True), *([user.pk] if user else [])},
        previous=before,
        draft=before.draft,
        by=by,
        user=user or before.asked_by,
        now=now,
        changed=changed,
    )


def _moved(previous: ApprovalRequest | None, send: Send) -> dict[str, int]:
    """Numbers added, removed and the same, against the send that was asked about before; nothing where it is the same one."""
    if previous is None or previous.send_id == send.pk:
        return {}
    old, new = Message.objects.filter(send=previous.send_id), Message.objects.filter(send=send.pk)
    if old.count() < previous.snapshot["recipients"]:
        return {}  # retention was there first
    same = new.filter(msisdn__in=Subquery(old.values("msisdn"))).count()
    kept = old.filter(msisdn__in=Subquery(new.values("msisdn"))).count()
    return {"added": new.count() - same, "removed": old.count() - kept, "same": same}


def _end(request: ApprovalRequest, state: ApprovalState, *, by: Actor, now: datetime) -> None:
    request.state, request.ended_at, request.ended_by, request.tell_at = state, now, by.label, now
    request.save()
    wakeups.approvals()


def _locked(send_id: int) -> Send:
    return Send.objects.select_for_update(no_key=True, of=("self",)).select_related("service").get(pk=send_id)
