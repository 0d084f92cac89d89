"""Where incoming SMS wait while the database is away: one small file each, synced to the disk before the provider hears 200.

A STOP must not get lost, and the provider tries only for three minutes. Incoming SMS are few, so a file each is simple and enough.
"""

import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
import structlog
from django.db import InterfaceError, OperationalError

from sms.values import durable_file

log = structlog.get_logger(__name__)

MOST = 10_000  # files; people do not send more than that


class SpooledMessage(msgspec.Struct, frozen=True):
    service_id: int
    raw: bytes
    received_at: datetime


@dataclass(slots=True)
class InboundSpool:
    """One folder, shared by all processes of a host."""

    folder: Path | None = None

    def put(self, item: SpooledMessage) -> None:
        """Return once it is on the disk; raises OSError where it is not."""
        if self.folder is None:
            raise OSError("no folder is set")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if sum(1 for _ in self.folder.iterdir()) >= MOST:
            raise OSError("the folder is full")
        path = self.folder / f"{item.received_at.timestamp():.6f}-{secrets.token_hex(6)}.sms"
        durable_file.put(path, msgspec.msgpack.encode(item))

    def waiting(self) -> int:
        return len(self._files())

    def sweep(self, take: Callable[[SpooledMessage], object]) -> int:
        """Hand what waits to `take`, oldest first; returns how many. Raises the database's troubles, and the file stays.

        What cannot be brought in for another reason is renamed to `.kept`, for a person. Two sweeps at once are harmless: an SMS that
        comes in twice is one.
        """
        done = 0
        for path in self._files():
            try:
                item = msgspec.msgpack.decode(path.read_bytes(), type=SpooledMessage)
            except FileNotFoundError:
                continue
            except msgspec.MsgspecError:
                log.error("inbound_file_damaged", file=str(path))
                _keep(path)
                continue
            try:
                take(item)
            except (OperationalError, InterfaceError):
                raise
            except Exception as problem:  # its service is gone, for example; the others shall not wait for it
                log.error("inbound_file_kept", file=str(path), error=repr(problem)[:300])
                _keep(path)
                continue
            path.unlink(missing_ok=True)
            done += 1
        return done

    def _files(self) -> list[Path]:
        if self.folder is None or not self.folder.is_dir():
            return []
        return sorted(self.folder.glob("*.sms"), key=lambda path: path.name)


def _keep(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.replace(path.with_suffix(".kept"))


inbound_spool = InboundSpool()
