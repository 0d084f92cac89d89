"""Who does what among dispatching processes: slots, the one who waits, heartbeats, the schedule, and the watchdog's judgement."""

import itertools
import re
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django_q.models import OrmQ, Schedule

from sms.ledger import wakeups
from sms.models import Duty, Heartbeat, Slice
from sms.worker import health, heartbeat, tasks
from sms.worker.watchdog import AGAIN, QUIET_WITH_WORK, Watchdog
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh_clocks(monkeypatch):
    """A process that has just begun."""
    monkeypatch.setattr(wakeups, "_schedule", wakeups.RareWakeUp(wakeups.TICK, period=0.0))
    monkeypatch.setattr(health, "_wake", wakeups.RareWakeUp("sms.worker.tasks.work", period=0.0))


def overdue(seconds: float) -> None:
    """One message that has been due for a while."""
    a_send(a_service())
    OrmQ.objects.all().delete()
    Slice.objects.update(due_at=Now() - timedelta(seconds=seconds))


def beaten(seconds_ago: float, *, kind: str = Heartbeat.Kind.CLUSTER, name: str = "1-a") -> None:
    Heartbeat.beat(name, host=heartbeat.HOST, pid=1, kind=kind, doing="", progress=0)
    Heartbeat.objects.filter(pk=name).update(beat_at=Now() - timedelta(seconds=seconds_ago))


def test_a_cluster_has_two_slots_so_that_the_third_worker_is_free_for_receipts():
    with tasks.sending_slot() as first, tasks.sending_slot() as second:
        assert first is not None
        assert second is not None
        with tasks.sending_slot() as third:
            assert third is None
    with tasks.sending_slot() as again:
        assert again is not None


def test_the_slot_of_a_killed_process_is_free_again_after_its_lease():
    host = heartbeat.HOST[:18]
    for number in range(tasks.SENDING_SLOTS):
        assert Duty.hold(f"slot-{number}-{host}", seconds=tasks.SLOT_LEASE)
    with tasks.sending_slot() as none:
        assert none is None
    Duty.objects.update(leased_until=Now() - timedelta(seconds=1))
    with tasks.sending_slot() as free:
        assert free is not None


def test_the_newest_relieves_who_waits_before_it():
    a_send(a_service())
    Slice.objects.update(due_at=Now() + timedelta(seconds=60))
    ended: list[float] = []

    def wait() -> None:
        mine = heartbeat.Pulse(Heartbeat.Kind.CLUSTER)
        tasks.wait_and_send(pulse=mine, stopped=lambda: bool(over))
        ended.append(time.monotonic())
        connection.close()

    over: list[bool] = []
    first, second = threading.Thread(target=wait), threading.Thread(target=wait)
    first.start()
    time.sleep(0.3)
    second.start()
    first.join(timeout=60)
    try:
        assert not first.is_alive(), "relieved"
        assert second.is_alive(), "waits on"
    finally:
        over.append(True)
        second.join(timeout=60)
    assert len(ended) == 2


def test_a_wait_ends_at_once_where_nothing_is_near():
    turns = itertools.count()
    tasks.wait_and_send(pulse=heartbeat.Pulse("cluster"), stopped=lambda: next(turns) > 0)
    assert next(turns) == 1, "it ended by itself at its first turn"


def test_a_heartbeat_is_written_seldom_and_old_rows_go():
    beaten(3600, name="long-gone")
    mine = heartbeat.Pulse(Heartbeat.Kind.DISPATCH)
    mine.beat("sending")
    assert list(Heartbeat.objects.values_list("pk", "kind", "doing")) == [(mine.name, "dispatch", "sending")]
    Heartbeat.objects.update(doing="untouched")
    for _ in range(50):
        assert mine.through(lambda: False)() is False
    assert Heartbeat.objects.get().doing == "untouched", "not before a few seconds have passed"
    mine.end()
    assert not Heartbeat.objects.exists()


def test_a_lost_schedule_is_made_again_and_a_doubled_one_is_mended():
    wakeups.keep_schedule()
    assert Schedule.objects.get().func == "sms.worker.tasks.tick"
    Schedule.objects.create(name="tick", func="sms.worker.tasks.tick")
    wakeups.make_schedule()
    assert Schedule.objects.get().minutes == 1


def test_a_wake_up_makes_a_lost_schedule_again():
    wakeups.dispatch()
    assert (OrmQ.objects.count(), Schedule.objects.count()) == (1, 1)


def test_wake_ups_of_a_busy_process_are_gathered_and_the_last_is_made_good(monkeypatch):
    monkeypatch.setattr(wakeups, "_work", wakeups.CoalescedWakeUp("sms.worker.tasks.work"))
    wakeups.coalesce(1.0)
    for _ in range(5):  # well within the second, also on a busy machine
        wakeups.dispatch()
    assert OrmQ.objects.count() == 1
    until = time.monotonic() + 60
    while OrmQ.objects.count() < 2 and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(1.1)
    assert OrmQ.objects.count() == 2, "once for all that came meanwhile, and no more"


def test_wake_ups_without_a_taker_do_not_pile_up():
    wakeups.dispatch()
    wakeups.dispatch()
    old = OrmQ.objects.order_by("pk").first()
    OrmQ.objects.filter(pk=old.pk).update(lock=Now() - timedelta(minutes=11))
    assert wakeups.discard_stale() == 1
    assert OrmQ.objects.count() == 1


def test_a_stop_file_that_was_left_behind_stops_no_process(settings, tmp_path):
    import os

    settings.STOP_FILE = tmp_path / "stopping"
    assert not tasks.stopping()
    settings.STOP_FILE.touch()
    assert tasks.stopping()
    long_ago = time.time() - 2 * tasks.STOP_COUNTS_FOR
    os.utime(settings.STOP_FILE, (long_ago, long_ago))
    assert not tasks.stopping()


# --- The sentence ---------------------------------------------------------------------------------------------------------
def test_silence_with_work_is_said_and_anything_else_is_not():
    assert health.sentence() == "", "nothing is due"
    overdue(5)
    assert health.sentence() == "", "due only just now"
    Slice.objects.update(due_at=Now() - timedelta(seconds=41))
    assert health.sentence() == "Nothing is being sent: no dispatcher has reported yet."
    beaten(41)
    since = re.compile(r"Nothing is being sent: no dispatcher has reported for 4\d s\.")  # the clock goes on
    assert since.fullmatch(health.sentence())
    beaten(600, name="other")
    assert since.fullmatch(health.sentence()), "the last of all counts"
    beaten(2, kind=Heartbeat.Kind.DISPATCH, name="here")
    assert health.sentence() == ""


def test_looking_wakes_the_cluster_where_it_is_late():
    overdue(15)
    assert health.sentence() == ""
    assert OrmQ.objects.count() == 1


# --- The watchdog ---------------------------------------------------------------------------------------------------------
def started(seconds_ago: float, **fields) -> Watchdog:
    dog = Watchdog(**fields)
    dog._heard = time.monotonic() - seconds_ago
    return dog


def test_a_quiet_cluster_is_asked_before_it_is_judged():
    overdue(1)
    dog = started(QUIET_WITH_WORK + 1, patience=0.3)
    dog.look()
    assert OrmQ.objects.count() == 1, "asked"
    assert dog.verdict() == ""
    time.sleep(0.4)
    dog.look()
    assert dog.verdict().startswith("it has shown no sign of life for ")
    assert dog.verdict().endswith(" s although messages are due")


def test_an_answer_settles_it():
    overdue(1)
    dog = started(QUIET_WITH_WORK + 1, patience=0.2)
    dog.look()
    beaten(0)
    time.sleep(0.3)
    dog.look()
    assert dog.verdict() == ""
    assert dog._asked is None


def test_a_beat_of_before_does_not_count_and_neither_does_another_kind():
    overdue(1)
    beaten(QUIET_WITH_WORK + 5)
    beaten(0, kind=Heartbeat.Kind.DISPATCH, name="here")
    dog = started(QUIET_WITH_WORK + 1, patience=0.1)
    dog.look()
    time.sleep(0.2)
    dog.look()
    assert dog.verdict()


def test_a_cluster_that_was_never_heard_is_given_twice_as_long_with_each_start():
    overdue(1)
    dog = Watchdog(patience=8.0, _thread=threading.main_thread())  # looks only when it is told to
    assert [given_to_the_next_start(dog) for _ in range(6)] == [8, 16, 32, 64, 64, 64]
    beaten(0)
    dog.look()
    assert given_to_the_next_start(dog) == 8, "after one that was heard"


def given_to_the_next_start(dog: Watchdog) -> int:
    """Seconds after the first wake-up."""
    dog.begin()
    dog._heard -= QUIET_WITH_WORK + 1
    for seconds in range(4, 200, 4):
        dog._asked = time.monotonic() - seconds - 1
        dog.look()
        if dog.verdict():
            return seconds
    raise AssertionError("endless")


def test_idle_is_not_asked_for_a_minute_and_then_is():
    dog = started(30)
    dog.look()
    assert OrmQ.objects.count() == 0
    dog = started(61)
    dog.look()
    dog.look()
    assert OrmQ.objects.count() == 1, f"not again for {AGAIN:.0f} s"
