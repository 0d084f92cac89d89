"""`manage.py qcluster`: django-q2's own command, with an end that drains and a start that waits for the database.

It stands before django-q2's in INSTALLED_APPS, so `qcluster` is this one. Three things are added to it: its workers learn of SIGTERM
(django-q2 stops only those that are idle), the end comes within 30 s whatever hangs, and a cluster that hangs or whose guard has died says
so and ends with code 1 together with its orphans, so that a service manager starts it again.
"""

import contextlib
import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import structlog
from django.core.management.base import CommandError
from django.db import Error, connections
from django_q.cluster import Cluster
from django_q.management.commands.qcluster import Command as Original

from sms.ledger import wakeups
from sms.models import Heartbeat
from sms.worker import heartbeat, tasks, tied
from sms.worker.jobs import JobContext, loops
from sms.worker.loop import Loop
from sms.worker.watchdog import PATIENCE, Watchdog

log = structlog.get_logger(__name__)

DRAINED_WITHIN = 28.0  # seconds from the signal to the end
LONGEST_PAUSE = 5.0
GRACE = 3.0  # seconds for what is in flight when the cluster is lost
LATER_THAN_THE_SUPERVISOR = 10.0  # seconds; under `manage.py up` it acts first


class Command(Original):
    help = "Start django-q2's cluster. SIGTERM or Ctrl-C finishes what is in flight and ends within 30 s."

    def handle(self, *args: Any, **options: Any) -> None:
        """Until a signal, or until the cluster's guard dies."""
        if options.get("run_once"):
            super().handle(*args, **options)
            return
        if options.get("cluster_name"):
            os.environ["Q_CLUSTER_NAME"] = options["cluster_name"]
        tied.tie_forks()
        tasks.draining = multiprocessing.RawValue("b", 0)
        _prepare()
        cluster = Cluster()  # takes the signals
        signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: _drain(cluster, signals, number, frame))
        cluster.start()
        threading.Thread(target=_see_it_end, args=(cluster, signals), daemon=True).start()
        # after the fork, in this process: its workers are for sends and receipts
        context = JobContext(tasks.stopping, kind=Heartbeat.Kind.JOBS)
        beside = [
            threading.Thread(target=Loop(rows, context).run, name=name, daemon=True)
            for name, rows in loops(without=tasks.BY_TASKS).items()
        ]
        for thread in beside:
            thread.start()
        watch = Watchdog(PATIENCE + LATER_THAN_THE_SUPERVISOR)
        watch.begin()
        why = ""
        while cluster.sentinel.is_alive() and not why:
            cluster.sentinel.join(timeout=1.0)
            why = watch.verdict()
        watch.end()
        if tasks.draining.value:
            cluster.sentinel.join()
            until = time.monotonic() + GRACE
            for thread in beside:
                thread.join(max(until - time.monotonic(), 0.0))
            heartbeat.of_this_process(Heartbeat.Kind.JOBS).end()
            return
        tasks.draining.value = 1  # workers that still work come to an end
        why = f"The cluster hangs: {why}." if why else "The cluster's guard died."
        log.error("cluster_lost", sentence=f"{why} Its processes are ended.")
        time.sleep(GRACE)
        _end(list(_family(os.getpid())))
        raise CommandError(why)


def _prepare() -> None:
    """The schedule, and a look at what became due while nothing ran; once the database answers."""
    said, pause = False, 0.5
    while True:
        try:
            wakeups.make_schedule()
            wakeups.discard_stale()
            wakeups.dispatch()
        except Error as problem:
            if not said:
                log.warning("cluster_waits", sentence=f"The database does not answer: {str(problem).strip()}")
            said = True
            connections.close_all()
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        else:
            connections.close_all()  # none may cross the fork
            return


def _drain(cluster: Any, signals: "queue.SimpleQueue[int]", number: int, frame: FrameType | None) -> None:
    """A handler, so it takes no lock that the interrupted thread may hold: it neither logs nor starts a thread."""
    if tasks.draining.value:
        return
    tasks.draining.value = 1
    signals.put(number)
    cluster.sig_handler(number, frame)


def _see_it_end(cluster: Any, signals: "queue.SimpleQueue[int]") -> None:
    """On a thread, because django-q2's own end waits for ever on a guard that got the signal too and is dead."""
    log.info("cluster_drains", signal=signal.Signals(signals.get()).name)
    until = time.monotonic() + DRAINED_WITHIN
    while time.monotonic() < until and cluster.sentinel.is_alive():
        time.sleep(0.2)
    time.sleep(min(GRACE, max(until - time.monotonic(), 0)))  # in an orderly end we are gone by then
    log.error("cluster_gave_up", sentence="It did not come to an end; its processes are ended.")
    _end(list(_family(os.getpid())))
    os._exit(1)


def _end(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _family(pid: int) -> Iterator[int]:
    """Every descendant of a process, and those left behind in its group, where the system lists them (Linux)."""
    group = os.getpgid(pid) if os.getpgid(pid) == pid else None
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            fields = entry.read_text().rpartition(")")[2].split()
            child = int(entry.parent.name)
            parents[child] = pid if int(fields[2]) == group and child != pid else int(fields[1])
    for child in parents:
        ancestor = child
        while ancestor in parents and ancestor != pid:
            ancestor = parents[ancestor]
        if ancestor == pid and child != pid:
            yield child
