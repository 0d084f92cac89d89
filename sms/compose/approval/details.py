"""One request as its page shows it: what is asked about, and what has changed since the request before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import override

from sms.compose import options
from sms.compose.approval.parts import WORDS
from sms.compose.approval.snapshot import FACTS
from sms.models import ApprovalRequest
from sms.models.sender import SenderKind
from sms.values.diff import DiffRun, changes
from sms.words import moment, number, retold


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
        ChangedFact(str(label), _shown(before, name), _shown(snapshot, name))
        for name, label in FACTS.items()
        if before is not None and _words(before.get(name)) != _words(snapshot.get(name))
    ]
    if before is not None and before.get("recipients") != snapshot.get("recipients"):
        changed.append(
            ChangedFact(_("Recipients"), number(before["recipients"]), number(snapshot["recipients"]))
        )
    return RequestDetails(
        facts=[(str(label), _shown(snapshot, name)) for name, label in FACTS.items() if snapshot.get(name)],
        pieces=changes(old, new) if before is not None and old != new else [],
        text_changed=before is not None and old != new,
        changes=changed,
        others=[
            _(WORDS[part])
            for part in request.changed
            if part in ("audience", "values") or (part not in FACTS and part != "text")
        ],
    )


def _text(snapshot: dict[str, Any]) -> str:
    return str(snapshot["text"] or snapshot["provider_template"])


def _shown(snapshot: dict[str, Any], name: str) -> str:
    value = snapshot.get(name)
    if name in ("due_at", "expires_at") and value and (at := parse_datetime(value)) is not None:
        return moment(timezone.localtime(at), "j M Y, H:i T")
    if name == "rejected" and value:
        return "; ".join(map(retold, str(value).split("; ")))
    if name in ("sender", "policy") and value:
        thing, _bracket, words = str(value).rpartition(" (")
        words = words.removesuffix(")")
        return f"{thing} ({_kind(words) if name == 'sender' else retold(words)})" if thing else str(value)
    if name == "options" and isinstance(value, dict):
        return ", ".join(f"{options.retold_name(one)}: {retold(str(said))}" for one, said in value.items())
    return retold(_words(value))


def _kind(kept: str) -> str:
    with override("en"):
        kind = next((one for one in SenderKind if one.label.lower() == kept), None)
    return kind.label.lower() if kind is not None else kept


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_words(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    return "" if value is None else str(value)
