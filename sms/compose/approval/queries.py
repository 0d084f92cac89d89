"""Which requests wait for whom, and how the approval of a send stands. Called by pages and the API."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from sms.models import ApprovalDecision, ApprovalRequest, ApprovalState, Draft, Send, Service


@dataclass(frozen=True, slots=True)
class ApprovalStatus:
    request: ApprovalRequest
    given: int

    @property
    def state(self) -> str:
        return self.request.state

    @property
    def needed(self) -> int:
        return self.request.approvers


def approvals_of(sends: Collection[Send]) -> dict[int, ApprovalStatus]:
    """By send, the latest request of each of these that has one; one query, none where none needs approval."""
    asked = [send.pk for send in sends if send.approvers]
    if not asked:
        return {}
    rows: Any = _with_given(
        ApprovalRequest.objects.filter(send__in=asked).select_related("draft").order_by("pk")
    )
    return {row.send_id: ApprovalStatus(row, row.given) for row in rows}


def rejections_of(drafts: Iterable[Draft]) -> dict[int, ApprovalDecision]:
    """By draft, the no with which its latest request ended; one query."""
    newer = ApprovalRequest.objects.filter(draft=OuterRef("request__draft"), pk__gt=OuterRef("request"))
    rows = ApprovalDecision.objects.filter(
        ~Exists(newer), request__draft__in=list(drafts), request__state=ApprovalState.REJECTED, approved=False
    )
    return {one.request.draft_id: one for one in rows.select_related("request") if one.request.draft_id}


def with_last_request(drafts: "QuerySet[Draft]") -> "QuerySet[Draft]":
    """Each with the key and the state of its latest request (`last_request`, `last_answer`), in the query of the drafts."""
    asked = ApprovalRequest.objects.filter(draft=OuterRef("pk")).order_by("-pk")
    return drafts.annotate(
        last_request=Subquery(asked.values("pk")[:1]), last_answer=Subquery(asked.values("state")[:1])
    )


def status_of(send: Send) -> ApprovalStatus | None:
    return approvals_of([send]).get(send.pk)


def to_answer(service: Service, user: Any) -> "QuerySet[ApprovalRequest]":
    """Open requests that this person can answer: not theirs, and not answered by them; the oldest first."""
    rows = ApprovalRequest.objects.filter(service=service, state=ApprovalState.OPEN)
    return rows.exclude(authors=user).exclude(decisions__by=user).order_by("pk")


def waiting_for(service: Service, user: Any) -> int:
    return to_answer(service, user).count()


def open_requests(service: Service) -> "QuerySet[ApprovalRequest]":
    return ApprovalRequest.objects.filter(service=service, state=ApprovalState.OPEN).order_by("pk")


def asked_or_written_by(service: Service, user: Any) -> "QuerySet[ApprovalRequest]":
    return (
        ApprovalRequest.objects.filter(Q(asked_by=user) | Q(authors=user), service=service)
        .distinct()
        .order_by("-pk")
    )


def ended(service: Service) -> "QuerySet[ApprovalRequest]":
    return ApprovalRequest.objects.filter(service=service).exclude(state=ApprovalState.OPEN).order_by("-pk")


def _with_given(rows: "QuerySet[ApprovalRequest]") -> "QuerySet[ApprovalRequest]":
    return rows.annotate(given=Count("decisions", filter=Q(decisions__approved=True)))


def with_related(rows: "QuerySet[ApprovalRequest]") -> "QuerySet[ApprovalRequest]":
    """With what lists show: the send, and how many approvals there are (`given`)."""
    return _with_given(rows).select_related("send", "asked_by")
