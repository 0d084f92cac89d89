"""Notices about approval: approvers are asked and reminded, who asked is told the outcome. Numbers and texts stay on the page.
Each line is English and kept; whoever shows it to a person retells it line by line.

`asked` and `ended` are called in the transaction of the act; a job reminds.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop, override

from sms import guard, notices
from sms.compose.approval.parts import words_of
from sms.models import Actor, ApprovalRequest, ApprovalState, NoticeKind
from sms.models.sql.clock import corrected_now
from sms.words import KeptSentence

NEEDS_APPROVAL = KeptSentence(gettext_noop("“%(name)s” needs your approval."))
STILL_NEEDS_APPROVAL = KeptSentence(
    gettext_noop("“%(name)s” needs your approval, and the time is running out.")
)
ASKS_AT_ONCE = KeptSentence(
    gettext_noop(
        "%(person)s asks to send “%(name)s” to %(recipients)s recipients, as soon as it is approved."
    )
)
ASKS_LATER = KeptSentence(
    gettext_noop("%(person)s asks to send “%(name)s” to %(recipients)s recipients, %(due)s UTC.")
)
LEFT_OUT = KeptSentence(gettext_noop("Left out: %(rows)s."))
WHY = gettext_noop("Why you are asked:")
BECAUSE = KeptSentence("- %(reason)s")
ONE_BY = KeptSentence(gettext_noop("One person has to approve it. It can be answered until %(until)s UTC."))
TWO_BY = KeptSentence(gettext_noop("Two people have to approve it. It can be answered until %(until)s UTC."))
CHANGED = KeptSentence(gettext_noop("Changed since the last request: %(parts)s."))
APPROVED = KeptSentence(gettext_noop("“%(name)s” was approved."))
BY_LAST = KeptSentence(gettext_noop("The last approval is from %(person)s."))
REJECTED = KeptSentence(gettext_noop("“%(name)s” was rejected."))
REJECTED_SAYS = KeptSentence(gettext_noop("%(person)s rejected it. Reason: %(reason)s"))
REJECTED_FROM_HERE = gettext_noop("The send is cancelled, and its draft can be changed.")
REASON_ON_PAGE = gettext_noop("it is on the page.")
VOID = KeptSentence(gettext_noop("The approval of “%(name)s” is void."))
VOID_SAYS = gettext_noop(
    "It was changed after it was asked about, so it has to be approved again. The page says what changed."
)
EXPIRED = KeptSentence(gettext_noop("The approval of “%(name)s” expired."))
EXPIRED_SAYS = gettext_noop(
    "The time for it ran out, so nothing was sent. You can ask again, or take the send back."
)
WITHDRAWN = KeptSentence(gettext_noop("“%(name)s” was taken back."))
WITHDRAWN_SAYS = KeptSentence(gettext_noop("%(person)s took it back. Nothing was sent."))
REMINDER_AT = 1 / 4  # of the time to answer is left then
REMINDED_AT_A_TIME = 50


def reminder_time(one: ApprovalRequest) -> datetime:
    return one.expires_at - (one.expires_at - one.asked_at) * REMINDER_AT


def asked(one: ApprovalRequest, *, late: bool = False, now: datetime | None = None) -> None:
    """Those who can answer and have not."""
    name, recipients = one.send.name, f"{one.snapshot['recipients']:,}"
    asks = ASKS_AT_ONCE if one.at_once else ASKS_LATER
    more = [
        asks(person=one.asked_label, name=name, recipients=recipients, due=f"{one.due_at:%-d %B %Y, %H:%M}")
    ]
    if one.snapshot["rejected"]:
        more.append(LEFT_OUT(rows=one.snapshot["rejected"]))
    more.append("\n".join([WHY, *(BECAUSE(reason=rule["detail"]) for rule in one.rules)]))
    more.append((TWO_BY if one.approvers > 1 else ONE_BY)(until=f"{one.expires_at:%-d %B, %H:%M}"))
    if one.changed:
        with override("en"):
            more.append(CHANGED(parts=words_of(one.changed)))
    _tell(
        one,
        NoticeKind.APPROVAL_ASKED,
        _approvers(one),
        _LATE if late else _ASKED,
        says=(STILL_NEEDS_APPROVAL if late else NEEDS_APPROVAL)(name=name),
        more="\n\n".join(more),
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
        ApprovalState.APPROVED: (APPROVED(name=name), BY_LAST(person=by)),
        ApprovalState.REJECTED: (
            REJECTED(name=name),
            f"{REJECTED_SAYS(person=by, reason=_reason(one))}\n\n{REJECTED_FROM_HERE}",
        ),
        ApprovalState.VOID: (VOID(name=name), VOID_SAYS),
        ApprovalState.EXPIRED: (EXPIRED(name=name), EXPIRED_SAYS),
        ApprovalState.WITHDRAWN: (WITHDRAWN(name=name), WITHDRAWN_SAYS(person=by)),
    }[state]


def _reason(one: ApprovalRequest) -> str:
    said = one.decisions.filter(approved=False).order_by("-pk").values_list("comment", flat=True).first()
    return said or REASON_ON_PAGE
