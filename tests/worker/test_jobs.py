"""The table of jobs and its one loop: what runs when, what a trouble stops, and how long a lease keeps others away."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from django.utils import timezone

from sms.models import Duty
from sms.models.duty import HeldDuty
from sms.reports import facts
from sms.worker.jobs import JOBS, Job, JobContext
from sms.worker.loop import Loop
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
    assert max(job.lease for job in JOBS) <= 120
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


def test_a_rebuild_of_facts_holds_its_lease_for_a_minute_at_a_time():
    a_send(a_service())
    leases = []
    facts.rebuild(progress=lambda _: leases.append(Duty.objects.get(name="facts").leased_until))
    assert leases
    assert max(leases) <= timezone.now() + timedelta(seconds=60)
    assert not Duty.is_held("facts"), "given back"
