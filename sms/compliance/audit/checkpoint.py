"""What the chain's end was, kept where SQL does not reach: a cut-off end cannot be seen within the database.

Two files in a folder of `VAR_DIR`: `heads.json` holds the newest head of each service and is renewed at every sealing;
`checkpoints.jsonl` gets a line an hour and is only appended to. The same line goes to the log stream, which should leave the machine.
"""

import fcntl
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from sms.compliance.audit.seal import Head, head_of
from sms.models import AuditSeal, audit_proof
from sms.values import durable_file

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head at a time, with its MAC: what one line of the file says."""

    service: str
    number: int
    hash: str
    at: str
    mac: str

    @classmethod
    def of(cls, head: Head, *, now: datetime | None = None) -> "Checkpoint":
        at = f"{(now or datetime.now(UTC)).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        key = audit_proof.audit_keys.of(head.service_slug)[0]
        mac = audit_proof.checkpoint_mac(key, head.service_slug, head.number, head.hash, at)
        return cls(head.service_slug, head.number, head.hash, at, mac)

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> "Checkpoint | None":
        """From a line of ours or of the log stream; None where it is something else, or was not made by us."""
        try:
            made = cls(*(line[name] for name in cls.__slots__))
            fits = any(
                audit_proof.checkpoint_mac(key, made.service, made.number, made.hash, made.at) == made.mac
                for key in audit_proof.audit_keys.of(made.service)
            )
        except (KeyError, TypeError, AttributeError):
            return None
        return made if fits else None


def heads_of(services: Iterable[str]) -> dict[str, Head]:
    found = ((slug, head_of(slug)) for slug in services)
    return {slug: head for slug, head in found if head is not None}


class CheckpointFiles:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._heads = folder / "heads.json"
        self._checkpoints = folder / "checkpoints.jsonl"

    def keep(self, heads: Mapping[str, Head]) -> list[str]:
        """Renew the newest heads; returns the services whose chain no longer holds the head that was there.

        Such a head stays: it is the evidence.
        """
        if not heads:
            return []
        broken = []
        with self._alone():
            known = self._read_heads()
            for slug, head in heads.items():
                before = known.get(slug)
                if before is not None and not holds(before):
                    broken.append(slug)
                    continue
                known[slug] = Checkpoint.of(head)
            durable_file.put(self._heads, json.dumps([asdict(one) for one in known.values()]).encode())
        for slug in broken:
            log.error("audit_chain_broken", service=slug, sentence="Run manage.py verify_audit.")
        return broken

    def note(self, checkpoints: Iterable[Checkpoint]) -> None:
        """Append them to `checkpoints.jsonl`."""
        lines = "".join(json.dumps({"event": "audit_checkpoint"} | asdict(one)) + "\n" for one in checkpoints)
        if lines:
            with self._alone():
                durable_file.append(self._checkpoints, lines.encode())

    def read_all(self) -> list[Checkpoint]:
        """All that is known, oldest first."""
        found = list(checkpoints_in(self._checkpoints)) if self._checkpoints.exists() else []
        return [*found, *self._read_heads().values()]

    def _read_heads(self) -> dict[str, Checkpoint]:
        try:
            lines = json.loads(self._heads.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        read = (Checkpoint.read(line) for line in lines)
        return {one.service: one for one in read if one is not None}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("a") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            yield


def checkpoints_in(path: Path) -> Iterator[Checkpoint]:
    """The checkpoints in a file of JSON lines: ours, or what was collected from the log stream with LOG_FORMAT=json."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if "audit_checkpoint" not in line:
                continue
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if isinstance(said, dict) and (one := Checkpoint.read(said)) is not None:
                yield one


def holds(checkpoint: Checkpoint) -> bool:
    """Whether the chain has that hash at that number."""
    return AuditSeal.objects.filter(
        service_slug=checkpoint.service, number=checkpoint.number, hash=checkpoint.hash
    ).exists()


def write_checkpoints(
    files: CheckpointFiles, heads: Mapping[str, Head], *, now: datetime | None = None
) -> list[Checkpoint]:
    """Write heads to the log stream and to the files. What the files know and the chain does not hold is logged as an error."""
    checkpoints = [Checkpoint.of(head, now=now) for head in heads.values()]
    for one in checkpoints:
        log.info("audit_checkpoint", **asdict(one))
    files.keep(heads)
    files.note(checkpoints)
    return checkpoints
