"""The one loop that runs jobs of the table, in whichever process: a thread of `manage.py dispatch` or `qcluster`, or once in a tick."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog
from django.db import Error, connections

from sms.models import Duty
from sms.models.sql.clock import host_clock
from sms.models.sql.limits import WorkKind, work_as
from sms.models.sql.trouble import is_away, may_be_of_one_alone, may_work_again
from sms.operations import own_facts
from sms.values.meters import meters
from sms.worker.jobs import IDLE, SIGNS, Job, JobContext

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0  # seconds between tries while the database is away, or a job breaks off
NEVER = float("-inf")
BROKE_OFF = "It broke off and is tried again"
BUSY = "Another transaction was in its way, so it is tried again"
# Kinds of work by loop, where it is another than a job's. Statements of the first may take long. Who looks for faults, and who sends,
# finds out soon also from a database that is silent.
WORK = dict.fromkeys(("audit", "audit check", "recurring sends", "retention"), WorkKind.LONG) | {
    SIGNS: WorkKind.PROBE,
    "sending": WorkKind.SEND,
}
LONG_REST = 10.0  # seconds for which no connection to the database is kept


class Loop:
    """Jobs that run one after the other, each when its time has come. One thread's own; `clock` in seconds."""

    def __init__(
        self, jobs: Sequence[Job], context: JobContext, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.jobs, self.context, self.clock = jobs, context, clock
        self._due = {job.name: NEVER for job in jobs}
        self._broken: dict[str, str] = {}  # what was said about a job or the database, once until it works
        self._retry: dict[str, float] = {}  # seconds until a job that broke off is tried again

    def run(self) -> None:
        """Until `stopped`. A database that is away is waited for, and mentioned once."""
        pause, since = FIRST_PAUSE, 0.0
        work_as(WORK.get(self.jobs[0].loop, WorkKind.JOB))
        try:
            while not self.context.stopped():
                try:
                    rest = self.once()
                except Error as problem:
                    connections.close_all()
                    since = since or self.clock()
                    self._say("", "The database does not answer, so this waits", problem)
                    rest, pause = pause, min(pause * 2, LONGEST_PAUSE)
                else:
                    if since:
                        log.info("jobs_go_on", loop=self.jobs[0].loop, seconds=round(self.clock() - since))
                        self._broken.pop("", None)
                    pause, since = FIRST_PAUSE, 0.0
                if rest >= LONG_REST:
                    connections.close_all()
                self._pause(rest)
        finally:
            connections.close_all()

    def once(self) -> float:
        """Run what is due; returns seconds until something is. Raises where the database is away: nothing else would work either.

        A statement that takes too long, or meets what is damaged, is no reason to keep the other jobs waiting.
        """
        for job in self.jobs:
            if self.context.stopped():
                break
            if self.clock() < self._due[job.name]:
                continue
            if self._due[job.name] == NEVER:
                log.debug("job_taken_up", job=job.name)
            try:
                with structlog.contextvars.bound_contextvars(job=job.name):
                    found = self._run(job)
            except Exception as problem:
                if is_away(problem) and not may_be_of_one_alone(problem):
                    raise
                connections.close_all()
                meters.add("textdesk_job_failures_total", job=job.name)
                if not may_work_again(problem):
                    own_facts.troubles.broke_off(job.name, seldom=job.comes_seldom)
                self._say(job.name, BUSY if may_work_again(problem) else BROKE_OFF, problem)
                pause = self._retry.get(job.name, FIRST_PAUSE)
                self._retry[job.name] = min(pause * 2, LONGEST_PAUSE)
                self._due[job.name] = self.clock() + max(job.every, pause)
            else:
                self._broken.pop(job.name, None)
                own_facts.troubles.worked(job.name)
                self._retry.pop(job.name, None)
                self._due[job.name] = self.clock() + (0.0 if found and job.repeats else job.every)
        return max(min(self._due.values()) - self.clock(), 0.0)

    def _run(self, job: Job) -> object:
        if (job.by_clock and host_clock.refusal()) or not job.waits():
            return None
        if not job.lease:
            return job.run(self.context)
        duty, started = Duty.hold(job.name, seconds=job.lease), self.clock()
        if duty is None:
            return None
        try:
            with duty.kept():
                found = job.run(replace(self.context, renew=duty.renew))
        except Exception as problem:
            if not is_away(problem):  # else it runs out
                duty.give_back()
            raise
        # a job that comes seldom is rested until its time, so that all processes together do it once
        rest = job.every - (self.clock() - started)
        duty.give_back(rest=rest if rest > job.lease else 0.0)
        return found

    def _say(self, name: str, sentence: str, problem: Exception) -> None:
        kind = type(problem).__name__
        if self._broken.get(name) == kind or (not name and name in self._broken):
            return  # one absence of the database can show as several kinds of error
        self._broken[name] = kind
        first = (str(problem).strip().splitlines() or [kind])[0]
        what = {"job": name} if name else {"loop": self.jobs[0].loop}
        broke_off = sentence == BROKE_OFF
        (log.error if broke_off else log.warning)(
            "job_waits", **what, sentence=f"{sentence}: {kind}: {first}"[:300], exc_info=broke_off
        )

    def _pause(self, seconds: float) -> None:
        until = self.clock() + seconds
        while not self.context.stopped() and (left := until - self.clock()) > 0:
            self.context.pause(min(left, IDLE))
