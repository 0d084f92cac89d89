"""What pages and the API show of requests for approval: who is asked what, how it stands, and what has changed since the last time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from sms.compose.approval.fingerprint import WORDS
from sms.compose.approval.snapshot import FACTS
from sms.models import ApprovalRequest, ApprovalState, Message, Send, Service
from sms.values.diff import DiffRun, changes


@dataclass(frozen=True, slots=True)
class ApprovalStatus:
    """How the approval of a send stands: yeses `given` of those `needed`."""

    request: ApprovalRequest
    given: int

    @property
    def state(self) -> str:
        """As stored: `open`, `approved`, …"""
        return self.request.state

    @property
    def needed(self) -> int:
        """How many must say yes."""
        return self.request.approvers


@dataclass(frozen=True, slots=True)
class ChangedFact:
    """One fact that is not what it was."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RequestDetails:
    """A request as its page shows it; `pieces` are the words of the text, where there is one to compare with."""

    facts: Sequence[tuple[str, Any]]
    pieces: Sequence[DiffRun]
    text_changed: bool
    changes: Sequence[ChangedFact]
    others: Sequence[str]  # parts that changed and have no word of their own in the facts
    first: Message | None
    longest: Message | None


def approvals_of(sends: Collection[Send]) -> dict[int, ApprovalStatus]:
    """By send, the latest request of each of these that has one; one query, none where nobody was asked."""
    asked = [send.pk for send in sends if send.approvers]
    if not asked:
        return {}
    rows: Any = _with_yeses(ApprovalRequest.objects.filter(send__in=asked).order_by("pk"))
    return {row.send_id: ApprovalStatus(row, row.given) for row in rows}


def standing(send: Send) -> ApprovalStatus | None:
    """The latest request of one send."""
    return approvals_of([send]).get(send.pk)


def to_answer(service: Service, user: Any) -> "QuerySet[ApprovalRequest]":
    """Open requests that this person can answer: not theirs, and not answered by them; the oldest first."""
    rows = ApprovalRequest.objects.filter(service=service, state=ApprovalState.OPEN)
    return rows.exclude(authors=user).exclude(decisions__by=user).order_by("pk")


def waiting_for(service: Service, user: Any) -> int:
    """How many requests wait for this person."""
    return to_answer(service, user).count()


def nothing() -> "QuerySet[ApprovalRequest]":
    """For who may not answer."""
    return ApprovalRequest.objects.none()


def still_open(service: Service) -> "QuerySet[ApprovalRequest]":
    """Everything that waits for somebody, the oldest first."""
    return ApprovalRequest.objects.filter(service=service, state=ApprovalState.OPEN).order_by("pk")


def mine(service: Service, user: Any) -> "QuerySet[ApprovalRequest]":
    """Requests that this person asked or wrote, the newest first."""
    return (
        ApprovalRequest.objects.filter(Q(asked_by=user) | Q(authors=user), service=service)
        .distinct()
        .order_by("-pk")
    )


def decided(service: Service) -> "QuerySet[ApprovalRequest]":
    """Everything that is not open any more, the newest first."""
    return ApprovalRequest.objects.filter(service=service).exclude(state=ApprovalState.OPEN).order_by("-pk")


def _with_yeses(rows: "QuerySet[ApprovalRequest]") -> "QuerySet[ApprovalRequest]":
    return rows.annotate(given=Count("decisions", filter=Q(decisions__yes=True)))


def shown(request: ApprovalRequest) -> RequestDetails:
    """Facts, differences and two previews; reads the longest message, so it walks over the send's messages once."""
    snapshot = request.snapshot
    before = request.previous.snapshot if request.previous else None
    old, new = (_text(one) if one else "" for one in (before, snapshot))
    told = [
        ChangedFact(label, _fact(before, name), _fact(snapshot, name))
        for name, label in FACTS.items()
        if before is not None and _said(before.get(name)) != _said(snapshot.get(name))
    ]
    if before is not None and before.get("recipients") != snapshot.get("recipients"):
        told.append(ChangedFact("Recipients", f"{before['recipients']:,}", f"{snapshot['recipients']:,}"))
    rows = Message.objects.filter(send=request.send_id).order_by("pk")
    first = rows.first()
    longest = rows.order_by("-segments", "pk").first()
    return RequestDetails(
        facts=[(label, _fact(snapshot, name)) for name, label in FACTS.items() if snapshot.get(name)],
        pieces=changes(old, new) if before is not None and old != new else [],
        text_changed=before is not None and old != new,
        changes=told,
        others=[
            WORDS[part]
            for part in request.changed
            if part in ("audience", "values") or (part not in FACTS and part != "text")
        ],
        first=first,
        longest=longest if longest is not None and first is not None and longest.pk != first.pk else None,
    )


def _text(snapshot: dict[str, Any]) -> str:
    return str(snapshot["text"] or snapshot["provider_template"])


def _fact(snapshot: dict[str, Any], name: str) -> str:
    """In words; times in the viewer's zone."""
    value = snapshot.get(name)
    if name in ("due_at", "expires_at") and value and (at := parse_datetime(value)) is not None:
        return f"{timezone.localtime(at):%-d %b %Y, %H:%M %Z}"
    return _said(value)


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_said(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    return "" if value is None else str(value)


def listed(rows: "QuerySet[ApprovalRequest]") -> "QuerySet[ApprovalRequest]":
    """With what lists show: the send, and how many said yes (`given`)."""
    return _with_yeses(rows).select_related("send", "asked_by")
