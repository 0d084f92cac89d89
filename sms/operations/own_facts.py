"""What only this process knows of itself and its host, which its heartbeat carries to all others."""

import contextlib
import os
import secrets
import socket
import time
from pathlib import Path
from typing import Any

from sms import VERSION
from sms.dispatch import breaker, epochs
from sms.inbound.optouts import inbound_spool
from sms.inbound.receipts import spool
from sms.models.sql.clock import host_clock

HOST = socket.gethostname()
LOOK = 10.0  # seconds between looks at the disk and at the clocks


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


def of_host(folder: Path) -> dict[str, Any]:
    """Spool of this host, and whether `folder`, where it lies, can be written."""
    found = [one.waiting() for one in (spool, inbound_spool)]
    return {
        "var_dir": can_write(folder),
        "spool_files": sum(files for files, _ in found),
        "spool_bytes": sum(size for _, size in found),
        "spool_kept": spool.kept() + inbound_spool.kept(),
    }


def of_provider() -> dict[str, float]:
    """Seconds for which posting has been in trouble, by the key of a service; services without trouble are left out."""
    return {str(key): round(seconds) for key, seconds in breaker.OF_THIS_PROCESS.troubles().items()}


class OwnFacts:
    """The columns that a heartbeat carries. One for each process; with a `folder` it also speaks for its host."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._looked = float("-inf")
        self._of_host: dict[str, Any] = {}

    def now(self) -> dict[str, Any]:
        if time.monotonic() - self._looked >= LOOK:
            self._looked = time.monotonic()
            self._of_host = of_host(self._folder) if self._folder else {}
        trouble = of_provider()
        facts = self._of_host | ({"provider": trouble} if trouble else {})
        if epochs.trouble:
            facts["epoch"] = epochs.trouble
        return {"version": VERSION, "skew": host_clock.compare(), "facts": facts}
