"""What only this process knows of itself and its host, which its heartbeat carries to all others."""

import contextlib
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import Error

from sms import VERSION
from sms.dispatch import breaker, epochs
from sms.inbound.optouts import inbound_spool
from sms.inbound.receipts import spool
from sms.models.sql.clock import host_clock

HOST = socket.gethostname()
LOOK = 10.0  # seconds between looks at the disk and at the clocks
DAMAGE_COUNTS = 900.0  # seconds for which storage that was found damaged is spoken of


@dataclass(slots=True)
class BrokenJob:
    since: float  # monotonic seconds
    times: int = 0


@dataclass(slots=True)
class Troubles:
    """What this process met: jobs that broke off and have not come to their end since, and storage that could not be read."""

    jobs: dict[str, BrokenJob] = field(default_factory=dict)
    damage_at: float = float("-inf")

    def forget(self) -> None:
        self.jobs, self.damage_at = {}, float("-inf")

    def broke_off(self, job: str, *, seldom: bool) -> None:
        """One that comes often may break off once; of one that comes `seldom` operators are told of the first time."""
        self.jobs.setdefault(job, BrokenJob(time.monotonic())).times += 2 if seldom else 1

    def worked(self, job: str) -> None:
        self.jobs.pop(job, None)

    def damaged(self) -> None:
        self.damage_at = time.monotonic()

    def facts(self) -> dict[str, Any]:
        now = time.monotonic()
        jobs = {name: round(now - one.since) for name, one in list(self.jobs.items()) if one.times > 1}
        damage = {"damage": True} if now - self.damage_at < DAMAGE_COUNTS else {}
        return damage | ({"jobs": jobs} if jobs else {})


troubles = Troubles()  # of this process


def can_write(folder: Path) -> bool:
    """Tried by a file, since a disk that is full or mounted read-only has the same permissions as before."""
    name = folder / f".writable-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        name.write_bytes(b"textdesk")
        return True
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            name.unlink()


def of_host(folders: Mapping[str, Path]) -> dict[str, Any]:
    """Spool of this host, whether VAR_DIR, where it lies, can be written, and the room below each folder."""
    found = [one.waiting() for one in (spool, inbound_spool)]
    return {
        "var_dir": can_write(folders["VAR_DIR"]),
        "spool_files": sum(files for files, _ in found),
        "spool_bytes": sum(size for _, size in found),
        "spool_kept": spool.kept() + inbound_spool.kept(),
        "disks": dict(_disks(folders)),
    }


def _disks(folders: Mapping[str, Path]) -> Iterator[tuple[str, list[int]]]:
    """Bytes that are free, and of all, once for each disk. A folder that is not there yet has nothing to say."""
    known = set()
    for name, folder in folders.items():
        with contextlib.suppress(OSError):
            if (device := folder.stat().st_dev) not in known:
                known.add(device)
                room = shutil.disk_usage(folder)
                yield name, [room.free, room.total]


def of_provider() -> dict[str, float]:
    """Seconds for which posting has been in trouble, by the key of a service; services without trouble are left out."""
    return {str(key): round(seconds) for key, seconds in breaker.OF_THIS_PROCESS.troubles().items()}


class OwnFacts:
    """The columns that a heartbeat carries. One for each process; with `folders` it also speaks for its host."""

    def __init__(self, folders: Mapping[str, Path] | None = None) -> None:
        self._folders = folders
        self._spooled_since: float | None = None  # with a database that answers
        self._looked = float("-inf")
        self._of_host: dict[str, Any] = {}

    def now(self) -> dict[str, Any]:
        if time.monotonic() - self._looked >= LOOK:
            self._looked = time.monotonic()
            self._of_host = of_host(self._folders) if self._folders else {}
        trouble = of_provider()
        facts = self._of_host | ({"provider": trouble} if trouble else {})
        if epochs.trouble:
            facts["epoch"] = epochs.trouble
        facts |= troubles.facts()
        try:
            skew = host_clock.compare()
        except Error:
            self._spooled_since = None
            raise
        if not facts.get("spool_files"):
            self._spooled_since = None
        else:
            self._spooled_since = self._spooled_since or time.monotonic()
            facts["spool_for"] = round(time.monotonic() - self._spooled_since)
        return {"version": VERSION, "skew": skew, "facts": facts}
