"""The pulse of a process: heartbeats from inside its loop, so that they stop when the loop does. They carry what only it knows.

`Pulse.through(stopped)` gives a dispatch run its `stopped` callable; the run asks it on every turn, and each asking may leave a beat.
No thread writes them: a thread would go on beating beside a loop that hangs.
"""

import os
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from django.conf import settings
from django.db import Error, connection

from sms.models import Heartbeat
from sms.operations import own_facts, totals

log = structlog.get_logger(__name__)

HOST = own_facts.HOST
EVERY = 4.0  # seconds between two writes


def folders() -> dict[str, Path]:
    """Where this host keeps what must not be lost."""
    return {"VAR_DIR": settings.VAR_DIR, "ARCHIVE_DIR": settings.ARCHIVE_DIR}


class Pulse:
    """One process's heartbeat. Forked children need one each; only the thread that made it beats."""

    def __init__(self, kind: str) -> None:
        self.kind, self.pid = kind, os.getpid()
        self.name = f"{self.pid}-{secrets.token_hex(8)}"
        self.progress = 0
        self.doing = ""
        self._thread = threading.get_ident()
        self._written = float("-inf")
        self._facts = own_facts.OwnFacts(None if kind == Heartbeat.Kind.CLUSTER else folders())

    def beat(self, doing: str | None = None) -> None:
        """Write a beat if the last one is old enough. Others report a database that is away."""
        if doing is not None:
            self.doing = doing
        if time.monotonic() - self._written < EVERY:
            return
        if threading.get_ident() != self._thread or connection.in_atomic_block:
            return
        try:
            if self._written < 0:
                forget_dead()
            says = {"doing": self.doing, "progress": self.progress} | self._facts.now()
            Heartbeat.beat(self.name, host=HOST, pid=self.pid, kind=self.kind, **says)
            self._written = time.monotonic()
            totals.keep()
        except Error as problem:
            log.debug("heartbeat_lost", error=type(problem).__name__)

    def through(self, stopped: Callable[[], bool]) -> Callable[[], bool]:
        """`stopped`, beating on the way."""

        def look() -> bool:
            self.beat()
            return stopped()

        return look

    def end(self) -> None:
        try:
            Heartbeat.objects.filter(pk=self.name).delete()
        except Error as problem:
            log.debug("heartbeat_lost", error=type(problem).__name__)


def forget_dead() -> None:
    """Those of this host that ended without a word: whoever starts again in their place is another process."""
    for one in Heartbeat.objects.filter(host=HOST).only("pid"):
        if one.pid == os.getpid() or not _lives(one.pid):
            one.delete()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


_pulses: dict[int, Pulse] = {}  # by process: a worker of django-q2 has no other place of its own that lasts


def of_this_process(kind: str) -> Pulse:
    """The pulse of this process; a forked worker gets one of its own."""
    if os.getpid() not in _pulses:
        _pulses.clear()
        _pulses[os.getpid()] = Pulse(kind)
    return _pulses[os.getpid()]
