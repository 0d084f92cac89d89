"""The table of jobs and its one loop: what runs when, what a trouble stops, and how long a lease keeps others away."""

import math
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import psycopg
import pytest
from django.db import OperationalError, connection, connections, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from sms import reports
from sms.callbacks import leases as callback_leases
from sms.compose.background import lease as preparation_lease
from sms.dispatch import claim
from sms.models import Duty, FactDelta, Heartbeat, ReportFile, Service
from sms.models.duty import HeldDuty
from sms.models.lease import LEASE
from sms.models.sql.session import limit_statements
from sms.reports import background as report_files
from sms.reports import facts
from sms.worker import jobs, tasks
from sms.worker.jobs import JOBS, Job, JobContext, loops
from sms.worker.loop import Loop
from tests.support.jobs import run_job
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db(transaction=True)


class Clock:
    """Moves when a person pauses; the process is to end when a time has come."""

    def __init__(self, until: float = 60.0) -> None:
        self.now, self.until = 0.0, until

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def context(self) -> JobContext:
        return JobContext(lambda: self.now >= self.until, pause=self.pause)


def loop(clock: Clock, *jobs: Job) -> Loop:
    return Loop(jobs, clock.context(), clock=clock)


def test_every_job_has_a_name_of_its_own_and_its_lease_is_short():
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert {job.lease for job in JOBS} == {0, LEASE}
    assert LEASE <= 20
    assert all(len(job.name) <= 30 for job in JOBS)


def test_each_job_runs_when_its_time_has_come():
    clock, ran = Clock(until=59.9), []
    loop(
        clock,
        Job("often", 10, lambda _: ran.append("often")),
        Job("seldom", 30, lambda _: ran.append("seldom")),
    ).run()
    assert ran.count("often") == 6
    assert ran.count("seldom") == 2
    assert ran[:3] == ["often", "seldom", "often"]


def test_a_job_that_repeats_runs_again_at_once_while_it_finds_something():
    clock, found = Clock(until=15), [3, 2, 1, 0, 0]
    ran = []

    def run(_: JobContext) -> int:
        ran.append(clock.now)
        return found.pop(0)

    loop(clock, Job("folding", 10, run, repeats=True)).run()
    assert ran == [0, 0, 0, 0, 10]


def test_a_job_that_breaks_off_stops_no_other_and_is_tried_again():
    clock, ran = Clock(until=12), []

    def broken(_: JobContext) -> None:
        ran.append("broken")
        raise ValueError("of its own")

    loop(clock, Job("broken", 1, broken), Job("whole", 1, lambda _: ran.append("whole"))).run()
    assert ran.count("broken") == 5, "tried again after growing pauses, at 0, 1, 2, 4 and 8 seconds"
    assert ran.count("whole") == 12


def test_sending_that_breaks_off_is_tried_again_within_a_second():
    clock, at = Clock(until=20), []

    def broken(_: JobContext) -> None:
        at.append(clock.now)
        raise ValueError("of its own")

    loop(clock, Job("sending", 0, broken)).run()
    assert at == [0, 0.5, 1.5, 3.5, 7.5, 12.5, 17.5], "and never less often than every five seconds"


def test_a_job_that_breaks_off_gives_its_lease_back():
    def broken(_: JobContext) -> None:
        raise ValueError("of its own")

    loop(Clock(), Job("leased", 20, broken, lease=60)).once()
    ran = []
    loop(Clock(), Job("leased", 20, lambda _: ran.append("run"), lease=60)).once()
    assert ran == ["run"]


def test_a_database_that_is_away_is_waited_for_and_nothing_else_is_tried():
    clock, ran, away = Clock(until=30), [], [True, True, True]

    def run(_: JobContext) -> None:
        if away:
            away.pop()
            raise OperationalError("away")
        ran.append("first")

    loop(clock, Job("first", 10, run), Job("second", 10, lambda _: ran.append("second"))).run()
    assert ran[:2] == ["first", "second"]
    assert not away


@pytest.mark.parametrize("code", ["57014", "XX001"])
def test_a_statement_that_takes_too_long_or_meets_a_damaged_page_keeps_no_other_job_waiting(code):
    clock, ran = Clock(until=30), []

    def run(_: JobContext) -> None:
        ran.append("stuck")
        raise OperationalError("of one statement") from psycopg.errors.lookup(code)("of one statement")

    loop(clock, Job("stuck", 10, run), Job("whole", 10, lambda _: ran.append("whole"))).run()
    assert (ran.count("stuck"), ran.count("whole")) == (3, 3)


def test_processes_that_are_gone_for_long_are_forgotten():
    for age, kind in ((30, "dispatch"), (1, "jobs")):
        Heartbeat.beat(f"{kind}-1", host="gone", pid=1, kind=kind)
        Heartbeat.objects.filter(kind=kind).update(beat_at=Now() - timedelta(hours=age))
    run_job("old tries and sessions")
    assert [one.kind for one in Heartbeat.objects.filter(host="gone")] == ["jobs"]


def test_a_loop_leaves_the_database_error_to_a_tick():
    def away(_: JobContext) -> None:
        raise OperationalError("away")

    with pytest.raises(OperationalError):
        loop(Clock(), Job("first", 10, away)).once()


def test_one_process_at_a_time_has_a_job_with_a_lease():
    ran = []

    def run(context: JobContext) -> None:
        ran.append("run")
        assert context.renew()
        loop(Clock(), job).once()  # another process, while this one works

    job = Job("leased", 20, run, lease=60)
    loop(Clock(), job).once()
    assert ran == ["run"]
    loop(Clock(), job).once()
    assert ran == ["run", "run"], "given back"


def test_a_job_that_comes_seldom_is_done_once_by_all_processes_together():
    ran = []
    job = Job("seldom", 900, lambda _: ran.append("run"), lease=60)
    loop(Clock(), job).once()
    loop(Clock(), job).once()
    assert ran == ["run"]
    Duty.objects.update(leased_until=Now() - timedelta(seconds=1))
    loop(Clock(), job).once()
    assert ran == ["run", "run"]


def test_a_job_that_waits_for_nothing_writes_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        loop(Clock(), Job("idle", 20, lambda _: None, lease=60, waits=lambda: False)).once()


@pytest.mark.parametrize("job", [job for job in JOBS if job.lease], ids=lambda job: job.name)
def test_a_killed_holder_keeps_a_job_for_its_lease_and_no_longer(job):
    ran = []
    again = Job(job.name, job.every, lambda _: ran.append("run"), lease=job.lease)
    held = Duty.hold(job.name, seconds=job.lease)
    assert held, "and its process is killed here"
    loop(Clock(), again).once()
    assert ran == []
    Duty.objects.update(leased_until=Now() - timedelta(milliseconds=1))  # its lease is over
    loop(Clock(), again).once()
    assert ran == ["run"]


def test_a_holder_that_lost_its_duty_is_told_so_at_every_step():
    lost = HeldDuty("erasures", 60.0, _renewed=float("-inf"))
    assert Duty.hold("erasures", seconds=60.0)
    assert [lost.renew(), lost.renew()] == [False, False]


def test_a_rebuild_of_facts_holds_its_lease_for_seconds_at_a_time():
    a_send(a_service())
    leases = []
    facts.rebuild(progress=lambda _: leases.append(Duty.objects.get(name="facts").leased_until))
    assert leases
    assert max(leases) <= timezone.now() + timedelta(seconds=LEASE)
    assert not Duty.is_held("facts"), "given back"


# -- the real table, in both commands, by a clock that is moved

HALF_HOUR = 1800.0


class Timetable:
    """When the jobs of the real table run. They note it instead of working; leases are real, and get older with the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock, self.ran = Clock(), defaultdict(list)
        self._aged = 0.0
        rows = [
            replace(job, run=self._note(job.name), waits=self._age if job.lease else lambda: True)
            for job in JOBS
        ]
        monkeypatch.setattr(jobs, "JOBS", tuple(rows))

    def _note(self, name: str) -> Callable[[JobContext], None]:
        def run(context: JobContext) -> None:
            self.ran[name].append(self.clock.now)
            if name == "sending":  # which waits by itself
                context.pause(jobs.IDLE)

        return run

    def _age(self) -> bool:
        passed, self._aged = self.clock.now - self._aged, self.clock.now
        if passed:
            Duty.objects.update(leased_until=F("leased_until") - timedelta(seconds=passed, milliseconds=2))
        return True

    def run(self, rows: list[Job]) -> None:
        """As a thread of a command runs them, for half an hour."""
        self.clock, self._aged = Clock(until=HALF_HOUR), 0.0
        Loop(rows, self.clock.context(), clock=self.clock).run()

    def tick(self) -> None:
        """As django-q2's schedule does, for half an hour."""
        self.clock, self._aged = Clock(), 0.0
        while self.clock.now < HALF_HOUR:
            tasks.tick()
            self.clock.pause(jobs.MINUTE)


@pytest.fixture
def timetable(monkeypatch) -> Timetable:
    return Timetable(monkeypatch)


def times(every: float) -> list[float]:
    return [count * every for count in range(math.ceil(HALF_HOUR / every))]


def test_dispatch_runs_every_job_of_the_table_at_its_time(timetable):
    for rows in loops().values():
        timetable.run(rows)
    expected = {job.name: times(job.every or jobs.IDLE) for job in JOBS}
    assert timetable.ran == expected


def test_the_cluster_runs_every_job_of_the_table_at_its_time(timetable):
    for rows in loops(without=tasks.BY_TASKS).values():
        timetable.run(rows)
    timetable.tick()
    by_tasks = [job for job in JOBS if job.loop in tasks.BY_TASKS]
    expected = {job.name: times(job.every) for job in JOBS if job not in by_tasks}
    expected |= {
        job.name: times(max(job.every, jobs.MINUTE)) for job in by_tasks if job.name != "sending"
    }  # receipts are folded between ticks too, by their wake-ups
    assert timetable.ran == expected
    assert {job.name for job in JOBS} - expected.keys() == {"sending"}, "by the tasks themselves"


# -- holders that are killed


@contextmanager
def holder(act: Callable[[Callable[[], None]], object]) -> Iterator[None]:
    """A process that has come to the `hold` of its work; killed at the end of the block."""
    connections.close_all()  # a child must not speak on its parent's connection
    reached, tell = os.pipe()
    child = os.fork()
    if not child:

        def hold() -> None:
            os.write(tell, b"x")
            while True:
                time.sleep(1)

        try:
            act(hold)
        finally:
            os._exit(3)
    os.close(tell)
    try:
        with os.fdopen(reached, "rb") as heard:
            assert heard.read(1), "it broke off before"
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def report_file_waits() -> None:
    service = a_service()
    query = {"by": "day", "from": "2026-03-01", "until": "2026-03-02"}
    ReportFile.objects.create(service=service, kind="csv", query=query)


def fold_is_due() -> None:
    a_send(Service.objects.first() or a_service())
    assert FactDelta.objects.exists()


@dataclass
class Work:
    """Work under a lease called `name`: how it begins, what it does up to `hold`, and whether another process gets to do it."""

    name: str
    act: Callable[[Callable[[], None]], object]
    again: Callable[[], object]
    before: Callable[[], object] = lambda: None


def job_of_table(job: Job) -> Work:
    def run(work: Callable[[JobContext], object]) -> None:
        loop(Clock(), replace(job, run=work, waits=lambda: True)).once()

    def again() -> list[str]:
        ran: list[str] = []
        run(lambda _: ran.append("run"))
        return ran

    return Work(job.name, lambda hold: run(lambda _: hold()), again)


WORK = [
    *(job_of_table(job) for job in JOBS if job.lease),
    Work("facts", lambda hold: facts.rebuild(progress=lambda _: hold()), facts.fold, fold_is_due),
    Work(
        report_files.DUTY,
        lambda hold: reports.make_files(stopped=hold),
        reports.make_files,
        report_file_waits,
    ),
]


@pytest.mark.parametrize("work", WORK, ids=lambda work: work.name)
def test_a_process_killed_at_its_work_keeps_it_from_others_for_its_lease_and_no_longer(work):
    work.before()
    with holder(work.act):
        assert Duty.is_held(work.name)
    assert Duty.objects.filter(name=work.name, leased_until__lte=Now() + timedelta(seconds=LEASE)).exists()
    assert not work.again(), "its lease goes on"
    Duty.objects.update(leased_until=F("leased_until") - timedelta(seconds=LEASE))
    assert work.again()


@pytest.mark.postgresql
def test_a_statement_of_a_killed_rebuild_ends_with_its_process():
    """It would hold the rows of the facts for as long as it takes, whatever the lease says."""
    fold_is_due()
    assert facts.fold()
    fold_is_due()  # more of the same service and day

    def endless(_: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(120)")

    connections.close_all()
    child = os.fork()
    if not child:
        try:
            facts.rebuild(progress=endless)
        finally:
            os._exit(3)
    sleeping = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    )
    while not counted(sleeping):
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    Duty.objects.update(leased_until=F("leased_until") - timedelta(seconds=LEASE))
    with transaction.atomic():
        limit_statements(60_000)
        assert facts.fold()
    assert not counted(sleeping)


def counted(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def test_a_lease_is_renewed_for_as_long_as_its_process_works_and_ends_by_itself_when_that_is_killed():
    short = Job("short", 0, lambda _: None, lease=1.0)
    ran: list[str] = []
    again = replace(short, run=lambda _: ran.append("run"))
    with holder(lambda hold: loop(Clock(), replace(short, run=lambda _: hold())).once()):
        first = Duty.objects.get(name="short").leased_until
        while Duty.objects.get(name="short").leased_until < first + timedelta(seconds=2):
            loop(Clock(), again).once()
            time.sleep(0.05)
        assert ran == []
    while not ran:
        loop(Clock(), again).once()
        time.sleep(0.05)


def test_no_lease_of_any_work_is_longer_than_a_minute():
    seconds = {
        "job": LEASE,
        "slice": claim.LEASE.total_seconds(),
        "endpoint": callback_leases.LEASE.total_seconds(),
        "preparation": preparation_lease.LEASE.total_seconds(),
        "slot": tasks.SLOT_LEASE,
        "folding": tasks.FOLD_LEASE,
    }
    assert max(seconds.values()) <= 60, seconds


@pytest.mark.postgresql
def test_a_step_that_holds_its_own_lease_locked_comes_to_its_end():
    duty = HeldDuty("locked", seconds=1)
    assert duty.take()
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with transaction.atomic(), duty.kept(), connection.cursor() as cursor:
        Duty.objects.filter(name="locked").update(owner=F("owner"))
        while cursor.execute(waits).fetchone() == (0,):
            time.sleep(0.05)
    assert duty.is_mine()
