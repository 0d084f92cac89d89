"""The pulse of a dispatching process: heartbeats from inside its loop, so that they stop when the loop does.

`Pulse.through(stopped)` gives a dispatch run its `stopped` callable; the run asks it on every turn, and each asking may leave a beat.
No thread writes them: a thread would go on beating beside a loop that hangs.
"""

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable

import structlog
from django.db import DatabaseError, connection

from sms.models import Heartbeat
from sms.models.sql.clock import host_clock

log = structlog.get_logger(__name__)

EVERY = 4.0  # seconds between two writes
HOST = socket.gethostname()


class Pulse:
    """One process's heartbeat. Forked children need one each; only the thread that made it beats."""

    def __init__(self, kind: str) -> None:
        self.kind, self.pid = kind, os.getpid()
        self.name = f"{self.pid}-{secrets.token_hex(8)}"
        self.progress = 0
        self.doing = ""
        self._thread = threading.get_ident()
        self._written = -EVERY

    def beat(self, doing: str | None = None) -> None:
        """Write a beat if the last one is old enough. Others report a database that is away."""
        if doing is not None:
            self.doing = doing
        if time.monotonic() - self._written < EVERY:
            return
        if threading.get_ident() != self._thread or connection.in_atomic_block:
            return
        try:
            Heartbeat.beat(
                self.name,
                host=HOST,
                pid=self.pid,
                kind=self.kind,
                doing=self.doing,
                progress=self.progress,
                skew=host_clock.compare(),
            )
            self._written = time.monotonic()
        except DatabaseError as problem:
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
        except DatabaseError as problem:
            log.debug("heartbeat_lost", error=type(problem).__name__)


_pulses: dict[int, Pulse] = {}  # by process: a worker of django-q2 has no other place of its own that lasts


def of_this_process(kind: str) -> Pulse:
    """The pulse of this process; a forked worker gets one of its own."""
    if os.getpid() not in _pulses:
        _pulses.clear()
        _pulses[os.getpid()] = Pulse(kind)
    return _pulses[os.getpid()]
