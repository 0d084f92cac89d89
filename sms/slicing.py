"""Messages and the slices that cover them, as `sms.compose` stores them: a dispatcher leases a slice, never a single message."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Protocol

from sms.models import Message, Send, Slice

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


def store(send: Send, lines: Sequence[Written]) -> list[int]:
    """Messages in the order of their rows, and the slices that cover them; returns the messages' ids."""
    pending = iter(
        Message(
            send=send,
            msisdn=line.msisdn,
            row=line.row,
            text=line.text,
            substitutions=line.substitutions,
            segments=line.segments,
            zone=line.zone,
        )
        for line in lines
    )
    slices, ids = [], list[int]()
    for stage, size in _runs(len(lines), ramp=send.ramp):
        stored = Message.objects.bulk_create(list(islice(pending, size)))
        ids += [message.pk for message in stored]
        slices.append(
            Slice(
                send=send,
                service_id=send.service_id,
                first_id=stored[0].pk,
                last_id=stored[-1].pk,
                due_at=send.due_at,
                lane=send.lane,
                stage=stage,
            )
        )
    Slice.objects.bulk_create(slices)
    return ids


def _runs(count: int, *, ramp: bool) -> Iterator[tuple[int, int]]:
    """Stage and size of each slice: a ramp begins with one percent, goes on to ten, and ends with the rest."""
    ends = [-(-count // 100), -(-count // 10), count] if ramp else [count]
    done = 0
    for stage, end in enumerate(ends):
        while done < end:
            size = min(SLICE, end - done)
            yield stage, size
            done += size
