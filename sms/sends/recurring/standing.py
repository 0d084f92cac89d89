"""Standing approvals: an approver's word for the occurrences to come of a recurring send.

It is given with the answer to the request of one occurrence, and answers a later one only where that asks about the same: every part of
the fingerprint but the time, the numbers and what is filled in from the list; the same rhythm; for no rule that was not asked about; and
not more recipients than were agreed. What is another send in any of the parts ends it; more recipients or another rule only asks again.
"""

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop, ngettext

from sms.compose.approval import fingerprint
from sms.compose.approval.parts import words_of
from sms.models import (
    Actor,
    ApprovalRequest,
    ApprovalState,
    Occurrence,
    RecurringSend,
    StandingApproval,
)
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.sends import answers
from sms.sends.recurring.telling import tell
from sms.words import KeptSentence, number, retold

VALID = timedelta(days=90)
MORE = (0, 10, 20, 50)  # percent more recipients that can be agreed on
USUALLY_MORE = 10
AT_ONCE = 100
NOT_COVERED = ("due_at",)  # and of the messages nothing: their numbers and values come from the list
RHYTHM, AUDIENCE = "rhythm", "list"

# as they are kept: why one ended, what its answers say, what people are told
GIVEN_AGAIN = gettext_noop("The same person gave a new one.")
DAYS_OVER = KeptSentence(gettext_noop("Its %(days)s days were over."))
CHANGED = KeptSentence(gettext_noop("Changed since: %(parts)s."))
BY_IT = KeptSentence(gettext_noop("By the standing approval of %(day)s."))
# Translators: because is a sentence
ENDED = KeptSentence(gettext_noop("The standing approval by %(person)s of “%(name)s” ended. %(because)s"))

log = structlog.get_logger(__name__)


def in_force(recurring: RecurringSend, *, now: datetime | None = None) -> list[StandingApproval]:
    return list(recurring.standing_approvals.filter(ended_at=None, expires_at__gt=now or corrected_now()))


def give(
    request: ApprovalRequest, *, by: Actor, more: int = USUALLY_MORE, now: datetime | None = None
) -> StandingApproval | None:
    """After this person approved the request: let their word stand. None where they did not approve it, or it is of no occurrence."""
    now = now or corrected_now()
    occurrence = occurrence_of(request)
    if occurrence is None or more not in MORE:
        return None
    with transaction.atomic():
        recurring = RecurringSend.objects.select_for_update(of=("self",)).get(pk=occurrence.recurring_id)
        approved = request.decisions.filter(by=by.user, approved=True).exists()
        if (
            not approved
            or recurring.state == RecurringSend.State.ENDED
            or occurrence.draft_id != recurring.draft_id
        ):
            return None
        for earlier in recurring.standing_approvals.filter(by=by.user, ended_at=None):
            end(earlier, because=GIVEN_AGAIN, by=by, now=now)
        recipients = request.snapshot["recipients"]
        given = StandingApproval.objects.create(
            recurring=recurring,
            request=request,
            by=by.user,
            label=by.label,
            parts=_parts(request, recurring),
            rules=sorted(rule["rule"] for rule in request.rules),
            recipients=recipients,
            most=recipients + recipients * more // 100,
            given_at=now,
            expires_at=now + VALID,
        )
        audit(
            "standing_approval.given",
            given,
            by=by,
            recurring=recurring.pk,
            request=request.pk,
            most=given.most,
        )
    return given


def occurrence_of(request: ApprovalRequest) -> Occurrence | None:
    return (
        Occurrence.objects.filter(send=request.send_id).select_related("recurring__draft__audience").first()
    )


def waiting() -> "QuerySet[Occurrence]":
    """Those whose send waits for approval though somebody's word stands for it."""
    given = StandingApproval.objects.filter(recurring=OuterRef("recurring"), ended_at=None)
    found = Occurrence.objects.filter(
        Exists(given), send__in=ApprovalRequest.objects.filter(state=ApprovalState.OPEN).values("send")
    )
    return found.select_related("recurring__draft__audience").order_by("pk")


def answer_waiting(*, now: datetime) -> int:
    """Of large sends, whose messages are written after they were made: answer what a standing approval covers."""
    return sum(answer(one, now=now) for one in waiting()[:AT_ONCE])


def answer(occurrence: Occurrence, *, now: datetime) -> int:
    """Give the answers that stand to the open request of an occurrence; returns how many."""
    request = ApprovalRequest.objects.filter(send=occurrence.send_id, state=ApprovalState.OPEN).first()
    if request is None:
        return 0
    given = 0
    for standing in occurrence.recurring.standing_approvals.filter(ended_at=None).select_related("by"):
        if request.decisions.filter(by=standing.by).exists() or not _covers(
            standing, request, occurrence.recurring, now=now
        ):
            continue
        by = Actor.person(standing.by, door="system")
        day = timezone.localtime(standing.given_at)
        comment = BY_IT(day=f"{day:%-d %B %Y}")
        try:
            last = answers.approve(request, by=by, seen=request.fingerprint, comment=comment, now=now)
        except answers.ApprovalRefused as problem:
            # who gave it may approve no more, or wrote a part of it since: a person has to answer
            log.info("standing_approval_not_used", standing=standing.pk, because=str(problem))
            continue
        audit("standing_approval.used", standing, by=by, request=request.pk, send=occurrence.send_id)
        given += 1
        if last:
            break
    return given


def _covers(
    standing: StandingApproval, request: ApprovalRequest, recurring: RecurringSend, *, now: datetime
) -> bool:
    """Whether it is about the same; ends it where another send is asked about, or its days are over."""
    because = ""
    if standing.expires_at <= now:
        because = DAYS_OVER(days=VALID.days)
    elif changed := changed_parts(standing, request, recurring):
        because = CHANGED(parts=words_of(changed))
    if because:
        end(standing, because=because, by=Actor.system(), now=now)
        says = ENDED(person=standing.label, name=recurring.name, because=because)
        tell(recurring, says, once=f"standing:{standing.pk}")
        return False
    return not asks_again(standing, request)


def changed_parts(
    standing: StandingApproval, request: ApprovalRequest, recurring: RecurringSend
) -> list[str]:
    """The parts in which what is asked about is another send than was approved."""
    now = _parts(request, recurring)
    return [name for name in now if standing.parts.get(name) != now[name]]


def asks_again(standing: StandingApproval, request: ApprovalRequest) -> str:
    """Why it does not answer this request though it stays; empty where it does."""
    recipients = request.snapshot["recipients"]
    if recipients > standing.most:
        says = ngettext(
            "It goes to %(n)s person; the standing approval is for %(most)s at most.",
            "It goes to %(n)s people; the standing approval is for %(most)s at most.",
            recipients,
        )
        return says % {"n": number(recipients), "most": number(standing.most)}
    if new := [rule["detail"] for rule in request.rules if rule["rule"] not in standing.rules]:
        says = gettext("The standing approval was not asked about this: %(rule)s")
        return says % {"rule": retold(new[0])}
    return ""


def _parts(request: ApprovalRequest, recurring: RecurringSend) -> dict[str, str]:
    fields = fingerprint.fields_of(request.send_id)
    kept = {name: digest for name, digest in fields.items() if name not in NOT_COVERED}
    return kept | {
        RHYTHM: f"{recurring.rhythm} ({recurring.time_zone})",
        AUDIENCE: str(recurring.draft.audience_id),
    }


def end_all(recurring: RecurringSend, *, because: str, by: Actor, now: datetime) -> int:
    found = list(recurring.standing_approvals.filter(ended_at=None))
    for one in found:
        end(one, because=because, by=by, now=now)
    return len(found)


def end(standing: StandingApproval, *, because: str, by: Actor, now: datetime | None = None) -> None:
    """In the caller's transaction, where there is one."""
    ended = StandingApproval.objects.filter(pk=standing.pk, ended_at=None)
    if ended.update(ended_at=now or corrected_now(), ended_because=because[:300]):
        audit("standing_approval.ended", standing, by=by, recurring=standing.recurring_id)
