"""What an approval is bound to: a fingerprint of everything that decides what is posted to whom and when, in named parts (`parts`).

Messages are digested slice by slice, a few hundred rows in memory at a time; a dispatcher compares the digest of the slice that it is
about to post. Reading all messages takes a second for 100 000, so it is done before a transaction begins (`digest_messages`), and the
fingerprint is made of that inside it (`of_send`). Nothing of ours writes the digested columns while a send waits. What is changed by hand
between reading and commit is found like any later change: an approval reads again, and a dispatcher compares each slice.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from sms.catalogue import link_lengths
from sms.compose.approval.parts import MESSAGE_PARTS, PARTS
from sms.models import Message, Send, Slice
from sms.values import quiet_hours, time_zones

_PATHS = tuple(path for paths in PARTS.values() for path in paths)
_COLUMNS = (*MESSAGE_PARTS["audience"], *MESSAGE_PARTS["values"], "segments", "country")
_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(slots=True)
class FingerprintFigures:
    """Counted on the way, for people to read; no part of the fingerprint."""

    recipients: int = 0
    segments: int = 0
    worst: int = 0
    countries: Counter[str] = field(default_factory=Counter)
    spans: dict[str, list[int]] = field(default_factory=dict)
    """By country: recipients, fewest and most segments, as in `Survey.countries`."""
    groups: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """Recipients by the time zones they can be in, where quiet hours are respected."""

    def count(self, send: Send, row: tuple[Any, ...]) -> None:
        _, msisdn, zone, text, _, segments, country = row
        self.recipients += 1
        self.segments += segments
        self.worst = max(self.worst, segments)
        self.countries[country] += 1
        if not text:
            least, most = link_lengths.of_template(send.service.text_limit)
        elif send.link_host or "{{smartlink_" in text:
            least, most = link_lengths.span(text, send.link_host)
        else:
            least = most = segments
        one = self.spans.setdefault(country, [0, 0, 0])
        one[0] += 1
        one[1] += least
        one[2] += most
        if send.quiet_hours:
            number = () if zone else time_zones.of_number(msisdn)
            self.groups[quiet_hours.zones_of(column=zone, number=number, service=send.service.time_zone)] += 1


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A fingerprint with its parts (digests by name) and the digest of each slice by its key."""

    parts: dict[str, str]
    slices: dict[int, str]
    figures: FingerprintFigures

    @property
    def digest(self) -> str:
        """Of all parts, whatever their order."""
        return hashlib.sha256(_encode(sorted(self.parts.items()))).hexdigest()

    def changed_from(self, parts: Mapping[str, str]) -> list[str]:
        """The parts that are not what they were, in the order of PARTS."""
        return [name for name in self.parts if parts.get(name) != self.parts[name]]


@dataclass(frozen=True, slots=True)
class MessageDigests:
    """All messages of a send as they were when they were read: their parts, and the digest of each slice by its first and last id."""

    parts: dict[str, str]
    slices: dict[tuple[int, int], str]
    figures: FingerprintFigures


class MessageDigester:
    """Digests the messages of a send slice by slice, in the order of their ids, for a caller that has something to do in between."""

    def __init__(self, send_id: int) -> None:
        self._send = Send.objects.select_related("service", "link_domain").get(pk=send_id)
        self._audience, self._values = hashlib.sha256(), hashlib.sha256()
        self._slices, self._figures = dict[tuple[int, int], str](), FingerprintFigures()

    def add(self, first_id: int, last_id: int) -> None:
        audience, values = _digests(
            self._send.pk, first_id, last_id, partial(self._figures.count, self._send)
        )
        self._audience.update(audience)
        self._values.update(values)
        self._slices[first_id, last_id] = hashlib.sha256(audience + values).hexdigest()

    def finish(self) -> MessageDigests:
        parts = {"audience": self._audience.hexdigest(), "values": self._values.hexdigest()}
        return MessageDigests(parts, self._slices, self._figures)


def digest_messages(send_id: int) -> MessageDigests:
    """Reads every message, 100 000 in about a second: before a transaction, never in one that others wait for."""
    digester = MessageDigester(send_id)
    for _, first, last in _slices_of(send_id):
        digester.add(first, last)
    return digester.finish()


def of_send(
    send_id: int, *, digests: MessageDigests | None = None, due_at: datetime | None = None
) -> Fingerprint:
    """The fingerprint of a send: its fields as they are now, its messages as in `digests`. `due_at` as in `fields_of`.

    The messages are read here where there are no digests, or where they are of other slices than there are now.
    """
    slices = _slices_of(send_id)
    if digests is None or list(digests.slices) != [(first, last) for _, first, last in slices]:
        digests = digest_messages(send_id)
    by_key = {pk: digests.slices[first, last] for pk, first, last in slices}
    return Fingerprint(fields_of(send_id, due_at=due_at) | digests.parts, by_key, digests.figures)


def of_slice(send_id: int, first_id: int, last_id: int) -> str:
    """The digest of one slice, as in `Fingerprint.slices`."""
    return hashlib.sha256(b"".join(_digests(send_id, first_id, last_id))).hexdigest()


def fields_of(send_id: int, *, due_at: datetime | None = None) -> dict[str, str]:
    """The parts that are fields of the send and of what it points to, in one query.

    `due_at` is taken in place of its own: a send that goes out with the last approval gets its time then.
    """
    row: dict[str, Any] = Send.objects.filter(pk=send_id).values(*_PATHS).get()
    if due_at is not None:
        row["due_at"] = due_at
    if row["template_version_id"]:  # the version decides; the template may move on
        row["template__provider_template_id"] = None
    return {
        name: hashlib.sha256(_encode([[path, _plain(row[path])] for path in paths])).hexdigest()
        for name, paths in PARTS.items()
    }


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _slices_of(send_id: int) -> list[tuple[int, int, int]]:
    rows = Slice.objects.filter(send=send_id).order_by("first_id")
    return list(rows.values_list("pk", "first_id", "last_id"))


def _digests(
    send_id: int, first_id: int, last_id: int, count: Callable[[tuple[Any, ...]], None] | None = None
) -> tuple[bytes, bytes]:
    audience, values = hashlib.sha256(), hashlib.sha256()
    rows = Message.objects.filter(send=send_id, pk__gte=first_id, pk__lte=last_id).order_by("pk")
    for found in rows.values_list(*_COLUMNS):
        row, msisdn, zone, text, substitutions, _, _ = found
        audience.update(_encode((row, msisdn, zone)))
        values.update(_encode((text, substitutions)))
        if count is not None:
            count(found)
    return audience.digest(), values.digest()
