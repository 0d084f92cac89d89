"""What the heartbeats say of every process and host."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models.functions import Now
from django.utils.translation import gettext, gettext_noop

from sms.models import Heartbeat

SILENT = 45.0  # seconds without a heartbeat after which something is wrong with a process
FRESH = 60.0  # seconds for which it counts what a process says of itself
ROOM = 5 * 1024**3  # bytes below which less than a twentieth of a disk is little
WORKER = Heartbeat.Kind.CLUSTER  # beats with each task only
DOING = {  # as a process says it
    "sending": gettext_noop("sending"),
    "looking": gettext_noop("looking for work"),
    "waiting": gettext_noop("waiting"),
    "folding": gettext_noop("applying receipts"),
}


@dataclass(frozen=True, slots=True)
class Process:
    host: str
    kind: str
    pid: int
    name: str
    version: str
    started_at: datetime
    age: float  # seconds since its last heartbeat
    skew: float  # seconds by which its clock is ahead of the database's
    doing: str
    progress: int
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return str(Heartbeat.Kind(self.kind).label)

    @property
    def silent(self) -> bool:
        """Whether it should have been heard since."""
        return self.kind != WORKER and self.age > SILENT

    @property
    def fresh(self) -> bool:
        """Whether what it says of itself still counts."""
        return self.age <= FRESH


@dataclass(frozen=True, slots=True)
class Host:
    name: str
    var_dir: bool
    spool_files: int
    spool_bytes: int
    spool_kept: int
    spool_for: float = 0.0  # seconds for which files have waited though the database answers
    disks: tuple["Disk", ...] = ()


@dataclass(frozen=True, slots=True)
class Disk:
    """The one below a folder: bytes that are free, and of all."""

    folder: str
    free: int
    size: int

    @property
    def nearly_full(self) -> bool:
        return self.free < min(self.size / 20, ROOM)


def processes() -> list[Process]:
    rows = Heartbeat.objects.annotate(now=Now()).order_by("host", "kind", "started_at")
    return [
        Process(
            host=one.host,
            kind=one.kind,
            pid=one.pid,
            name=one.name,
            version=one.version,
            started_at=one.started_at,
            age=max((one.now - one.beat_at).total_seconds(), 0.0),
            skew=one.skew,
            doing=gettext(DOING[one.doing]) if one.doing in DOING else one.doing,
            progress=one.progress,
            facts=one.facts,
        )
        for one in rows
    ]


def hosts(found: Sequence[Process]) -> list[Host]:
    """Each by what the process says of it that was heard last."""
    latest: dict[str, Process] = {}
    for one in sorted(found, key=lambda one: -one.age):
        if "var_dir" in one.facts:
            latest[one.host] = one
    return [host_of(name, one.facts) for name, one in sorted(latest.items())]


def host_of(name: str, facts: Mapping[str, Any]) -> Host:
    """By the facts of one of its processes."""
    return Host(
        name,
        var_dir=facts.get("var_dir", False),
        spool_files=facts.get("spool_files", 0),
        spool_bytes=facts.get("spool_bytes", 0),
        spool_kept=facts.get("spool_kept", 0),
        spool_for=facts.get("spool_for", 0.0),
        disks=tuple(Disk(folder, free, size) for folder, (free, size) in facts.get("disks", {}).items()),
    )


def provider_troubles(found: Sequence[Process]) -> dict[int, float]:
    """Seconds for which a process has had trouble with Webex Connect, the longest by service."""
    longest: dict[int, float] = {}
    for one in found:
        if one.fresh:
            for key, seconds in one.facts.get("provider", {}).items():
                longest[int(key)] = max(longest.get(int(key), 0.0), seconds + one.age)
    return longest
