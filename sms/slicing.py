"""A send, its messages and the slices that cover them, as `sms.compose` stores them: a dispatcher leases slices, not messages."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Protocol

from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone

from sms.models import Message, MessageState, Send, Slice
from sms.models.insert import Later, insert
from sms.models.ledger import Tally
from sms.msisdn import country_of

SLICE = 500  # messages per lease: small enough to share between dispatchers, large enough that a claim costs nothing


class Written(Protocol):
    """What a message is made of."""

    @property
    def row(self) -> int:
        """Where it stands in the audience."""

    @property
    def msisdn(self) -> str:
        """E.164 with its plus."""

    @property
    def text(self) -> str:
        """After substitution; empty where a provider template makes it."""

    @property
    def substitutions(self) -> dict[str, str]:
        """For the provider, where it substitutes."""

    @property
    def segments(self) -> int:
        """How many it will take."""

    @property
    def zone(self) -> str:
        """IANA time zone of the recipient, where a column says."""


SEND = tuple(field.attname for field in Send._meta.concrete_fields if not field.primary_key)
MESSAGE = ("send_id", "msisdn", "country", "row", "text", "substitutions", "segments", "zone", "state")
RUN = ("send_id", "service_id", "first_id", "last_id", "due_at", "lane", "stage")


def begin(**fields: object) -> Send:
    """A send, whose messages are to follow in the same transaction."""
    send = Send(created_at=timezone.now(), **fields)
    send.pk = insert(Send, SEND, [[getattr(send, name) for name in SEND]])[0]
    send._state.adding, send._state.db = False, DEFAULT_DB_ALIAS
    return send


def store(send: Send, lines: Sequence[Written], *, tally: Tally, later: Later) -> list[int]:
    """Messages in the order of their rows, and `later` the slices that cover them; returns the messages' ids."""
    countries = [country_of(line.msisdn) for line in lines]
    tally.create(send.pk, zip(countries, (line.segments for line in lines), strict=True))
    pending = (
        (
            send.pk,
            line.msisdn,
            country,
            line.row,
            line.text,
            line.substitutions,
            line.segments,
            line.zone,
            MessageState.PENDING,
        )
        for line, country in zip(lines, countries, strict=True)
    )
    slices, ids = list[tuple[object, ...]](), list[int]()
    for stage, size in _runs(len(lines), ramp=send.ramp):
        stored = insert(Message, MESSAGE, list(islice(pending, size)))
        ids += stored
        slices.append((send.pk, send.service_id, stored[0], stored[-1], send.due_at, int(send.lane), stage))
    insert(Slice, RUN, slices, later=later)
    return ids


def stage_ends(count: int, *, ramp: bool) -> list[int]:
    """How many messages each stage goes up to: a ramp begins with one percent, goes on to ten, and ends with the rest."""
    return [-(-count // 100), -(-count // 10), count] if ramp else [count]


def _runs(count: int, *, ramp: bool) -> Iterator[tuple[int, int]]:
    """Stage and size of each slice."""
    done = 0
    for stage, end in enumerate(stage_ends(count, ramp=ramp)):
        while done < end:
            size = min(SLICE, end - done)
            yield stage, size
            done += size
