"""A process of its own for as long as something waits: the rows of one audience never take the interpreter from sending, nor a worker
from receipts. Called, through `sms.rounds`, by the cluster and by `manage.py dispatch`, each on a thread.
"""

import subprocess
import time
from collections.abc import Callable, Sequence

import structlog
from django.db import DatabaseError, InterfaceError, connections

from sms.compose.background.work import has_work

log = structlog.get_logger(__name__)

LOOK = 0.5  # seconds between looks
LONGEST_PAUSE = 5.0  # after trouble
SEEN_OFF_WITHIN = 3.0  # seconds for the block under way


def keep(
    stopped: Callable[[], bool], *, command: Sequence[str], waits: Callable[[], bool] = has_work
) -> None:
    """Start `command`, which does the work and ends, whenever something waits that nobody is at. Until `stopped`.

    `has_work` is of large audiences unless it is said what else the command does.
    """
    said = False
    child: subprocess.Popen[bytes] | None = None
    while not stopped():
        pause = LOOK
        try:
            if child is not None and child.poll() is not None:
                pause = LOOK if child.returncode == 0 else LONGEST_PAUSE
                child = None
            elif child is None and waits():
                child = subprocess.Popen(command)  # noqa: S603 - our own program
            said = False
        except Exception as problem:
            if not said:
                gone = isinstance(problem, (DatabaseError, InterfaceError))
                log.warning(
                    "process_waits", command=command[-1], error=repr(problem)[:300], exc_info=not gone
                )
            said, pause = True, LONGEST_PAUSE
            connections.close_all()
        until = time.monotonic() + pause
        while time.monotonic() < until and not stopped():
            time.sleep(0.1)
    if child is not None:
        _see_off(child)
    connections.close_all()


def _see_off(child: "subprocess.Popen[bytes]") -> None:
    """What it leaves goes on in the next process."""
    child.terminate()
    try:
        child.wait(SEEN_OFF_WITHIN)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
