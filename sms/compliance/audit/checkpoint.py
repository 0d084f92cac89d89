"""A checkpoint: what the end of a chain was at some time, with a MAC. Kept outside the database, it shows that an end was cut off."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sms.compliance.audit.seal import Head, head_of
from sms.models import AuditSeal, audit_proof

EVENT = "audit_checkpoint"  # as a line of a file or of a log stream calls itself


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head at a time. `before` is the MAC of the line before in the same file, so that no line can be taken out between others."""

    service: str
    number: int
    hash: str
    at: str
    before: str
    mac: str

    @classmethod
    def of(cls, head: Head, *, now: datetime | None = None, before: str = "") -> "Checkpoint":
        at = f"{(now or datetime.now(UTC)).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        key = audit_proof.audit_keys.of(head.service_slug)[0]
        mac = audit_proof.checkpoint_mac(key, head.service_slug, head.number, head.hash, at, before)
        return cls(head.service_slug, head.number, head.hash, at, before, mac)

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> "Checkpoint | None":
        """From a line of ours or of the log stream; None where it is something else, or was not made by us."""
        try:
            one = cls(*(line[name] for name in cls.__slots__))
            said = (one.service, one.number, one.hash, one.at, one.before)
            fits = any(
                audit_proof.checkpoint_mac(key, *said) == one.mac
                for key in audit_proof.audit_keys.of(one.service)
            )
        except (KeyError, TypeError, AttributeError):
            return None
        return one if fits else None


def heads_of(services: Iterable[str]) -> dict[str, Head]:
    return {slug: head for slug in services if (head := head_of(slug)).number}


def line_of(checkpoint: Checkpoint) -> str:
    return json.dumps({"event": EVENT} | asdict(checkpoint))


def own_line(line: str) -> Checkpoint | None:
    """The checkpoint that a line of our own file is to the letter; None where anything was changed."""
    found = read_lines([line]).checkpoints
    return found[0] if found and line == f"{line_of(found[0])}\n" else None


@dataclass(slots=True)
class ReadLines:
    """What lines hold: our checkpoints, and how many say that they are one and were not made with our keys."""

    checkpoints: list[Checkpoint] = field(default_factory=list)
    foreign: int = 0


def read_lines(lines: Iterable[str]) -> ReadLines:
    """From our file, a mailbox or a log that was collected; what else stands there, or in front of a checkpoint, is passed over."""
    found = ReadLines()
    for line in lines:
        if f'"{EVENT}"' not in line or "{" not in line:
            continue
        try:
            said = json.loads(line[line.index("{") : line.rindex("}") + 1])
        except ValueError:
            said = None
        one = Checkpoint.read(said) if isinstance(said, dict) else None
        if one is None:
            found.foreign += 1
        else:
            found.checkpoints.append(one)
    return found


def checkpoints_in(path: Path) -> ReadLines:
    """Raises OSError."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return read_lines(file)


def holds(checkpoint: Checkpoint) -> bool:
    """Whether the chain has that hash at that number."""
    seals = AuditSeal.objects.filter(service_slug=checkpoint.service, number=checkpoint.number)
    return seals.filter(hash=checkpoint.hash).exists()
