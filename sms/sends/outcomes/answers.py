"""What was asked of approvers about sends, and what they answered."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sms.models import ApprovalRequest, ApprovalState


@dataclass(frozen=True, slots=True)
class ApprovalAnswer:
    """One request with one of its answers; `by` is empty where nobody has answered."""

    asked_at: datetime
    asked_by: str
    state: ApprovalState
    ended_at: datetime | None
    by: str = ""
    at: datetime | None = None
    approved: bool = False
    comment: str = ""


def answers_about(send_ids: Collection[int]) -> dict[int, Sequence[ApprovalAnswer]]:
    """By send, in their order; one query, none for no sends."""
    found: dict[int, list[ApprovalAnswer]] = defaultdict(list)
    if not send_ids:
        return {}
    columns = (
        *("send_id", "asked_at", "asked_label", "state", "ended_at"),
        *("decisions__label", "decisions__at", "decisions__approved", "decisions__comment"),
    )
    rows = ApprovalRequest.objects.filter(send__in=send_ids).order_by("pk", "decisions__pk")
    for send_id, asked_at, asked_by, state, ended_at, by, at, approved, comment in rows.values_list(*columns):
        found[send_id].append(
            ApprovalAnswer(
                *(asked_at, asked_by, ApprovalState(state), ended_at),
                *(by or "", at, bool(approved), comment or ""),
            )
        )
    return dict(found)
