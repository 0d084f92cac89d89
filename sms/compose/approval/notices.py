"""Notices about approval: approvers are asked and reminded, who asked is told the outcome. Numbers and texts stay on the page.

`asked` and `ended` are called in the transaction of the act; a job reminds.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from sms import guard, notices
from sms.compose.approval.parts import words_of
from sms.models import Actor, ApprovalRequest, ApprovalState, NoticeKind
from sms.models.sql.clock import corrected_now

REMINDER_AT = 1 / 4  # of the time to answer is left then
REMINDED_AT_A_TIME = 50


def reminder_time(one: ApprovalRequest) -> datetime:
    return one.expires_at - (one.expires_at - one.asked_at) * REMINDER_AT


def asked(one: ApprovalRequest, *, late: bool = False, now: datetime | None = None) -> None:
    """Those who can answer and have not."""
    many = "Two people have to approve it." if one.approvers > 1 else "One person has to approve it."
    why = "\n".join(f"- {rule['detail']}" for rule in one.rules)
    when = "as soon as it is approved" if one.at_once else f"{one.due_at:%-d %B %Y, %H:%M} UTC"
    left_out = f"\n\nLeft out: {one.snapshot['rejected']}." if one.snapshot["rejected"] else ""
    changed = f"\n\nChanged since the last request: {words_of(one.changed)}." if one.changed else ""
    _tell(
        one,
        NoticeKind.APPROVAL_ASKED,
        _approvers(one),
        _LATE if late else _ASKED,
        says=f"“{one.send.name}” needs your approval{', and the time is running out' if late else ''}.",
        more=f"{one.asked_label} asks to send “{one.send.name}” to {one.snapshot['recipients']:,} recipients, {when}.{left_out}\n\n"
        f"Why you are asked:\n{why}\n\n{many} It can be answered until {one.expires_at:%-d %B, %H:%M} UTC.{changed}",
        now=now,
    )


def ended(one: ApprovalRequest, *, by: Actor, now: datetime | None = None) -> None:
    """Who asked, unless it was a program or they ended it themselves. Nobody is asked any more."""
    notices.no_longer(_event(one, _ASKED), _event(one, _LATE), now=now)
    state = ApprovalState(one.state)
    says, more = _outcome(one, state)
    kind = NoticeKind.SEND_REJECTED if state == ApprovalState.REJECTED else NoticeKind.APPROVAL_ANSWERED
    _tell(one, kind, [one.asked_by_id], state.value, says=says, more=more, by=by, now=now)


def remind_due(*, now: datetime | None = None) -> int:
    """Remind approvers where most of the time is over; returns of how many requests."""
    now = now or corrected_now()
    due = ApprovalRequest.objects.filter(remind_at__lte=now).order_by("remind_at")
    reminded = 0
    for pk in list(due.values_list("pk", flat=True)[:REMINDED_AT_A_TIME]):
        with transaction.atomic():
            if not ApprovalRequest.objects.filter(pk=pk, remind_at__lte=now).update(remind_at=None):
                continue  # another process has it
            one = ApprovalRequest.objects.select_related("service", "send").get(pk=pk)
            if one.state == ApprovalState.OPEN:
                asked(one, late=True, now=now)
                reminded += 1
    return reminded


_ASKED, _LATE = "asked", "reminded"


def _event(one: ApprovalRequest, what: str) -> str:
    return f"approval:{one.pk}:{what}"


def _tell(one: ApprovalRequest, kind: NoticeKind, to: Any, what: str, **says: Any) -> None:
    notices.tell(
        kind, to, event=_event(one, what), service=one.service, page="approval", page_id=one.pk, **says
    )


def _approvers(one: ApprovalRequest) -> set[int]:
    answered = one.decisions.exclude(by=None).values("by")
    people = one.service.memberships.filter(role="approver").exclude(user__in=one.authors.all())
    people = people.exclude(user__in=answered)
    authors = list(one.authors.values_list("pk", flat=True))
    return set(people.exclude(guard.tied(authors, now=corrected_now())).values_list("user", flat=True))


def _outcome(one: ApprovalRequest, state: ApprovalState) -> tuple[str, str]:
    name, by = one.send.name, one.ended_by
    return {
        ApprovalState.APPROVED: (f"“{name}” was approved.", f"The last approval is from {by}."),
        ApprovalState.REJECTED: (
            f"“{name}” was rejected.",
            f"{by} rejected it. Reason: {_reason(one)}\n\nThe send is cancelled, and its draft can be changed.",
        ),
        ApprovalState.VOID: (
            f"The approval of “{name}” is void.",
            "It was changed after it was asked about, so it has to be approved again. The page says what changed.",
        ),
        ApprovalState.EXPIRED: (
            f"The approval of “{name}” expired.",
            "The time for it ran out, so nothing was sent. You can ask again, or take the send back.",
        ),
        ApprovalState.WITHDRAWN: (f"“{name}” was taken back.", f"{by} took it back. Nothing was sent."),
    }[state]


def _reason(one: ApprovalRequest) -> str:
    said = one.decisions.filter(approved=False).order_by("-pk").values_list("comment", flat=True).first()
    return said or "it is on the page."
