"""What a yes is bound to: everything that decides what is posted to whom and when, read from the database, in named parts.

The fields of a send are listed in PARTS or, with the reason, in EXEMPT; a test sees to it that a new field is in one of them. Messages are
digested slice by slice, a few hundred rows in memory at a time; a dispatcher compares the digest of the slice that it is about to post.

Reading all messages takes a second for 100 000, so it is done before a transaction begins (`read`), and the fingerprint is made of that
inside it (`of`). Nothing of ours writes the digested columns while a send waits. What somebody's hand changes between reading and commit
is found where everything is found that changes later: a yes reads anew, and a dispatcher compares each slice with what was digested.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from sms.models import Message, Send, Slice

# Names are those that people read about (WORDS); paths are fields of the send or of what it points to.
PARTS: dict[str, tuple[str, ...]] = {
    "text": (
        *("text", "template_id", "template_version_id", "template_version__text"),
        *("template_version__provider_template_id", "template__provider_template_id"),
    ),
    "sender": ("service_id", "sender_id", "sender__address", "sender__kind"),
    "domain": ("link_domain_id", "link_domain__host"),
    "policy": (
        *("policy_group_id", "policy_group__group_id"),
        *("policy_group__check_consent", "policy_group__apply_frequency_cap"),
    ),
    "smartlinks": ("smartlinks",),
    "callback_data": ("callback_data",),
    "wishes": ("wishes",),
    "due_at": ("due_at",),
    "expires_at": ("expires_at",),
    "quiet_hours": ("quiet_hours",),
    "lane": ("lane",),
    "resend": ("resend",),
    "ramp": ("ramp",),
}
EXEMPT: dict[str, str] = {
    "id": "names the send and is never written again",
    "name": "a label for people, which says the time and moves with it",
    "state": "where the send stands; `sms.dispatch.last_look` asks for the request beside it",
    "approvers": "how many are asked, not what they are asked about",
    "time_zone": "in which the time is shown to people",
    "test": "a test needs nobody, and no other send becomes one",
    "tested_id": "which draft a test was of",
    "stage": "how far a ramp has come",
    "recipients": "counted in the audience part",
    "rejected": "rows that become no message",
    "source": "where the numbers came from; the numbers themselves are in the audience part",
    "audience_id": "where the numbers came from, as above",
    "reference": "what a partner was answered with",
    "file_sha256": "where the numbers came from, as above",
    "audience_digest": "where the numbers came from, as above",
    "client_reference": "the partner's own name for it",
    "created_at": "when it was made",
    "created_by_id": "whose it is; its authors are kept with the request",
    "partner": "whose it is",
    "cancelled_at": "nothing of a cancelled send is posted",
    "cancelled_by": "nothing of a cancelled send is posted",
}
# Of every message, in the order of their rows.
MESSAGE_PARTS: dict[str, tuple[str, ...]] = {
    "audience": ("row", "msisdn", "zone"),
    "values": ("text", "substitutions"),
}
MESSAGE_EXEMPT: dict[str, str] = {
    "id": "its place; rows are digested in this order",
    "send_id": "messages are read by their send",
    "country": "follows from the number",
    "segments": "follow from the text",
} | dict.fromkeys(
    (
        *("state", "attempt", "resent", "code", "detail", "provider_id", "carrier", "segments_billed"),
        *("posted_at", "queued_at", "submitted_at", "final_at"),
    ),
    "what becomes of it",
)
WORDS = {
    "text": "the text or template",
    "sender": "the sender",
    "domain": "the short-link domain",
    "policy": "the contact policy",
    "smartlinks": "the smartlinks",
    "callback_data": "the callback data",
    "wishes": "links, receipts or other wishes",
    "due_at": "the time",
    "expires_at": "the expiry",
    "quiet_hours": "the quiet hours",
    "lane": "the lane",
    "resend": "what happens if it is not confirmed",
    "ramp": "whether it starts small",
    "audience": "who gets it",
    "values": "the texts of single recipients",
}
_PATHS = tuple(path for paths in PARTS.values() for path in paths)
_FIGURES = ("segments", "country")
_encode = msgspec.json.Encoder(order="deterministic").encode


def words_of(parts: Sequence[str]) -> str:
    """`the sender, the time and who gets it`."""
    names = [WORDS.get(part, part) for part in parts]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0] if names else ""


@dataclass(slots=True)
class FingerprintFigures:
    """What was counted on the way; for people, and no part of the fingerprint."""

    recipients: int = 0
    segments: int = 0
    worst: int = 0
    countries: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Print:
    """A fingerprint with its parts (digests by name) and the digest of each slice by its key."""

    parts: dict[str, str]
    slices: dict[int, str]
    figures: FingerprintFigures

    @property
    def fingerprint(self) -> str:
        """All parts in one."""
        return sealed(self.parts)

    def changed_from(self, parts: Mapping[str, str]) -> list[str]:
        """The parts that are not what they were, in the order of PARTS."""
        return [name for name in self.parts if parts.get(name) != self.parts[name]]


def sealed(parts: Mapping[str, str]) -> str:
    """Parts as one fingerprint, whatever their order."""
    return hashlib.sha256(_encode(sorted(parts.items()))).hexdigest()


@dataclass(frozen=True, slots=True)
class Read:
    """All messages of a send as they were when they were read: their parts, and the digest of each slice by its first and last id."""

    parts: dict[str, str]
    runs: dict[tuple[int, int], str]
    figures: FingerprintFigures


class Reader:
    """Reads the messages of a send slice by slice, in the order of their ids, for whoever has something to do in between."""

    def __init__(self, send_id: int) -> None:
        self._send_id = send_id
        self._audience, self._values = hashlib.sha256(), hashlib.sha256()
        self._runs, self._figures = dict[tuple[int, int], str](), FingerprintFigures()

    def add(self, first_id: int, last_id: int) -> None:
        """The next slice, or what will be one."""
        whom, what = _digests(self._send_id, first_id, last_id, self._figures)
        self._audience.update(whom)
        self._values.update(what)
        self._runs[first_id, last_id] = hashlib.sha256(whom + what).hexdigest()

    def done(self) -> Read:
        """What all of them are."""
        parts = {"audience": self._audience.hexdigest(), "values": self._values.hexdigest()}
        return Read(parts, self._runs, self._figures)


def read(send_id: int) -> Read:
    """Every message, 100 000 in about a second: before a transaction, never in one that others wait for."""
    reader = Reader(send_id)
    for _, first, last in _runs_of(send_id):
        reader.add(first, last)
    return reader.done()


def of(send_id: int, *, found: Read | None = None, due_at: datetime | None = None) -> Print:
    """The fingerprint of a send: its fields as they stand, its messages as they were `found`. `due_at` as in `fields_of`.

    They are read here where nothing was found before, or other slices than there are now.
    """
    runs = _runs_of(send_id)
    if found is None or list(found.runs) != [(first, last) for _, first, last in runs]:
        found = read(send_id)
    slices = {pk: found.runs[first, last] for pk, first, last in runs}
    return Print(fields_of(send_id, due_at=due_at) | found.parts, slices, found.figures)


def _runs_of(send_id: int) -> list[tuple[int, int, int]]:
    """Key, first and last id of each slice."""
    rows = Slice.objects.filter(send=send_id).order_by("first_id")
    return list(rows.values_list("pk", "first_id", "last_id"))


def of_slice(send_id: int, first_id: int, last_id: int) -> str:
    """The digest of one slice, as in `Print.slices`."""
    whom, what = _digests(send_id, first_id, last_id, FingerprintFigures())
    return hashlib.sha256(whom + what).hexdigest()


def fields_of(send_id: int, *, due_at: datetime | None = None) -> dict[str, str]:
    """The parts that are fields of the send and of what it points to, in one query.

    `due_at` is taken in place of its own: a send that goes with the last yes gets its time then.
    """
    row: dict[str, Any] = Send.objects.filter(pk=send_id).values(*_PATHS).get()
    if due_at is not None:
        row["due_at"] = due_at
    if row["template_version_id"]:  # it goes by its version; the template may move on
        row["template__provider_template_id"] = None
    return {
        name: hashlib.sha256(_encode([[path, _plain(row[path])] for path in paths])).hexdigest()
        for name, paths in PARTS.items()
    }


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _digests(send_id: int, first_id: int, last_id: int, figures: FingerprintFigures) -> tuple[bytes, bytes]:
    """Of the messages of one slice: whom, and what."""
    whom, what = hashlib.sha256(), hashlib.sha256()
    for row in _rows(send_id, first_id, last_id):
        whom.update(_encode(row[:3]))
        what.update(_encode(row[3:5]))
        figures.recipients += 1
        figures.segments += row[5]
        figures.worst = max(figures.worst, row[5])
        figures.countries[row[6]] += 1
    return whom.digest(), what.digest()


def _rows(send_id: int, first_id: int, last_id: int) -> Iterator[tuple[Any, ...]]:
    columns = (*MESSAGE_PARTS["audience"], *MESSAGE_PARTS["values"], *_FIGURES)
    rows = Message.objects.filter(send=send_id, pk__gte=first_id, pk__lte=last_id).order_by("pk")
    yield from rows.values_list(*columns)
