"""Requests for approval: asking, for a new send, for one whose messages were just written, and again for one that was changed or expired.

The caller holds the lock of the send, as for every change to a send, and has digested its messages before that (`digests`), so that no
lock is held while they are read. A send that waits is `awaiting`, and `Send.approvers` says for good that it needs an approved request,
so that its state alone lets nothing out. What ends a request is in `endings` and `release`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q, Subquery

from sms.callbacks import events
from sms.compose.approval import fingerprint, notices
from sms.compose.approval.fingerprint import Fingerprint, MessageDigests
from sms.compose.approval.rules import Needed, authors_of, behind, eligible
from sms.compose.approval.snapshot import snapshot_of
from sms.ledger import wakeups
from sms.models import IN_FORCE, Actor, ApprovalRequest, ApprovalRules, Draft, Message, Send, SendState, Slice
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now

SLICES_PER_UPDATE = 500


def ask(
    send: Send,
    needed: Needed,
    *,
    by: Actor,
    draft: Draft | None = None,
    now: datetime,
    others: Collection[int] = (),
    digests: MessageDigests | None = None,
    audience_change: dict[str, int] | None = None,
) -> ApprovalRequest:
    """Open the first request of a send that was just stored as `awaiting`, in the transaction that makes it ready.

    Without `digests` and `audience_change` its messages are read here, which is for few. `others` are the keys of people who wrote what it
    says without asking for it, or gave it another time before it could be asked about: they do not approve it either.
    """
    previous = _latest_of_draft(draft) if draft is not None else None
    if audience_change is None:
        audience_change = _audience_change(previous, send)
    request = ApprovalRequest(
        send=send,
        draft=draft,
        previous=previous,
        rules=[asdict(reason) for reason in needed.reasons],
        approvers=needed.approvers,
        at_once=send.due_at <= now,
        audience_change=audience_change,
        asked_at=now,
        asked_by=by.user,
        expires_at=now + timedelta(hours=needed.valid_hours),
    )
    current = fingerprint.of_send(send.pk, digests=digests)
    return _open(request, current, authors=authors_of(draft, by=by) | set(others), by=by)


def question_to_store(needed: Needed, *, by: Actor) -> dict[str, Any] | None:
    """What to ask, as plain JSON, for a send whose messages are still to be written; None where no approval is needed."""
    if not needed.approvers:
        return None
    return {"wanted": asdict(needed), "by": asdict(replace(by, user=None))}


def ask_stored(
    send: Send,
    question: dict[str, Any] | None,
    *,
    movers: Collection[int],
    digests: MessageDigests | None,
    audience_change: dict[str, int] | None,
    now: datetime,
) -> None:
    """Ask what `question_to_store` kept, in the transaction that opens the send."""
    if question is None or send.state != SendState.AWAITING:
        return
    people = get_user_model()._default_manager.filter(pk__in=movers)  # an account may be gone by now
    ask(
        send,
        msgspec.convert(question["wanted"], Needed),
        by=Actor(**question["by"] | {"user": send.created_by}),
        draft=_draft_of(send),
        now=now,
        others=list(people.values_list("pk", flat=True)),
        digests=digests,
        audience_change=audience_change,
    )


def audience_change_of(send: Send) -> dict[str, int]:
    """Recipients added, removed and the same since its draft was last asked about; reads messages, so for before the transaction."""
    draft = _draft_of(send)
    return _audience_change(_latest_of_draft(draft), send) if draft is not None else {}


def ask_again(send: Send, *, by: Actor, now: datetime | None = None) -> ApprovalRequest | None:
    """A new request for a send whose last one expired; None where it does not wait or already has one in force."""
    now, digests = now or corrected_now(), fingerprint.digest_messages(send.pk)
    with transaction.atomic():
        locked = lock_send(send.pk)
        before = latest_of(locked)
        if locked.state != SendState.AWAITING or before is None or before.state in IN_FORCE:
            return None
        return reopen(locked, before, by=by, now=now, at_once=before.at_once, digests=digests)


def reopen(
    send: Send,
    before: ApprovalRequest,
    *,
    by: Actor,
    now: datetime,
    at_once: bool,
    digests: MessageDigests | None,
    changed: Sequence[str] = (),
) -> ApprovalRequest:
    """Ask about the same send as it is now. A person who moved it or asked again is one of its authors from then on."""
    request = ApprovalRequest(
        send=send,
        draft=before.draft,
        previous=before,
        rules=before.rules,
        approvers=before.approvers,
        at_once=at_once,
        changed=list(changed),
        asked_at=now,
        asked_by=by.user or before.asked_by,
        expires_at=now + timedelta(hours=ApprovalRules.of(send.service).valid_hours),
    )
    authors = {*before.authors.values_list("pk", flat=True), *behind(by)}
    return _open(request, fingerprint.of_send(send.pk, digests=digests), authors=authors, by=by)


def latest_of(send: Send) -> ApprovalRequest | None:
    return ApprovalRequest.objects.filter(send=send).order_by("-pk").first()


def in_force(send_id: int) -> ApprovalRequest | None:
    return ApprovalRequest.objects.filter(send=send_id, state__in=IN_FORCE).first()


def lock_send(send_id: int) -> Send:
    return Send.objects.select_for_update(no_key=True, of=("self",)).select_related("service").get(pk=send_id)


def _open(
    request: ApprovalRequest, current: Fingerprint, *, authors: Collection[int], by: Actor
) -> ApprovalRequest:
    """Store a request with what it asks about: the send as its `current` fingerprint has it."""
    send = request.send
    if request.previous is not None and not request.changed:
        request.changed = _changed_since(request.previous, current, at_once=request.at_once)
    request.service_id, request.due_at = send.service_id, send.due_at
    request.eligible = eligible(send.service, without=authors)
    request.fingerprint, request.parts = current.digest, current.parts
    request.snapshot = snapshot_of(send, current.figures, at_once=request.at_once)
    request.asked_label, request.remind_at = by.label, notices.reminder_time(request)
    request.save()
    request.authors.set(authors)
    _store_slice_digests(send, current.slices)
    audit(
        "send.approval_asked",
        send,
        by=by,
        request=request.pk,
        approvers=request.approvers,
        rules=[rule["rule"] for rule in request.rules],
        fingerprint=request.fingerprint,
    )
    events.record([events.of_send(send, "send.awaiting", at=request.asked_at, once=(request.pk,))])
    notices.asked(request, now=request.asked_at)
    wakeups.approvals()
    return request


def _changed_since(previous: ApprovalRequest, current: Fingerprint, *, at_once: bool) -> list[str]:
    changed = current.changed_from(previous.parts)
    if previous.at_once and at_once:  # both go out with their last approval
        changed = [part for part in changed if part != "due_at"]
    return changed


def _store_slice_digests(send: Send, digests: Mapping[int, str]) -> None:
    """Only where they differ: a dispatcher may have some of the slices under lease."""
    known = dict(Slice.of_send(send.pk).values_list("pk", "approved"))
    others = [Slice(pk=pk, approved=digest) for pk, digest in digests.items() if known.get(pk) != digest]
    Slice.objects.bulk_update(others, ["approved"], batch_size=SLICES_PER_UPDATE)


def _draft_of(send: Send) -> Draft | None:
    """What it was made from, also as an occurrence of a recurring send: those who wrote that do not approve it."""
    return Draft.objects.filter(Q(send=send) | Q(occurrences__send=send)).first()


def _latest_of_draft(draft: Draft) -> ApprovalRequest | None:
    return ApprovalRequest.objects.filter(draft=draft).order_by("-pk").first()


def _audience_change(previous: ApprovalRequest | None, send: Send) -> dict[str, int]:
    """Numbers added, removed and the same, against the send that was asked about before; empty where it is the same one."""
    if previous is None or previous.send_id == send.pk:
        return {}
    old, new = Message.objects.filter(send=previous.send_id), Message.objects.filter(send=send.pk)
    if old.count() < previous.snapshot["recipients"]:
        return {}  # retention was there first
    same = new.filter(msisdn__in=Subquery(old.values("msisdn"))).count()
    kept = old.filter(msisdn__in=Subquery(new.values("msisdn"))).count()
    return {"added": new.count() - same, "removed": old.count() - kept, "same": same}
