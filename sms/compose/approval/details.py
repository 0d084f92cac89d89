"""One request as its page shows it: what is asked about, and what has changed since the request before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from sms.compose.approval.parts import WORDS
from sms.compose.approval.snapshot import FACTS
from sms.models import ApprovalRequest
from sms.values.diff import DiffRun, changes


@dataclass(frozen=True, slots=True)
class ChangedFact:
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


def details_of(request: ApprovalRequest) -> RequestDetails:
    """Facts and differences."""
    snapshot = request.snapshot
    before = request.previous.snapshot if request.previous else None
    old, new = (_text(one) if one else "" for one in (before, snapshot))
    changed = [
        ChangedFact(label, _shown(before, name), _shown(snapshot, name))
        for name, label in FACTS.items()
        if before is not None and _words(before.get(name)) != _words(snapshot.get(name))
    ]
    if before is not None and before.get("recipients") != snapshot.get("recipients"):
        changed.append(ChangedFact("Recipients", f"{before['recipients']:,}", f"{snapshot['recipients']:,}"))
    return RequestDetails(
        facts=[(label, _shown(snapshot, name)) for name, label in FACTS.items() if snapshot.get(name)],
        pieces=changes(old, new) if before is not None and old != new else [],
        text_changed=before is not None and old != new,
        changes=changed,
        others=[
            WORDS[part]
            for part in request.changed
            if part in ("audience", "values") or (part not in FACTS and part != "text")
        ],
    )


def _text(snapshot: dict[str, Any]) -> str:
    return str(snapshot["text"] or snapshot["provider_template"])


def _shown(snapshot: dict[str, Any], name: str) -> str:
    value = snapshot.get(name)
    if name in ("due_at", "expires_at") and value and (at := parse_datetime(value)) is not None:
        return f"{timezone.localtime(at):%-d %b %Y, %H:%M %Z}"
    return _words(value)


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_words(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    return "" if value is None else str(value)
