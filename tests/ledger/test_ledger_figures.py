"""The ledger figure by figure: how states merge, what each change counts, how sends are cut, and when a cluster is woken."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from sms.ledger import slices, squash, wakeups
from sms.ledger.counters import CountedMessage, best_of, crossed_posting, quarter_of, window_of
from sms.ledger.state_machine import RANK, StateChange, merge
from sms.models import FactDelta, Message, Send, Slice, StateCount
from tests.support.provider import Provider
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db
AT = datetime(2027, 3, 2, 9, 0, tzinfo=UTC)
LATER, EARLIER = AT + timedelta(seconds=1), AT - timedelta(seconds=1)


def a_row(state: str = "queued", **changes) -> SimpleNamespace:
    fields = {
        "state": state, "attempt": 1, "code": "", "detail": "", "provider_id": "", "carrier": "", "segments_billed": None,
        "queued_at": None, "submitted_at": None, "final_at": None,
    }  # fmt: skip
    return SimpleNamespace(**fields | changes)


def merged(row: SimpleNamespace, state: str, at: datetime = AT, **more) -> tuple[bool, dict]:
    """Whether anything changed, and what is different now."""
    before = dict(vars(row))
    changed = merge(row, StateChange(1, state, at, **more))
    after = {name: value for name, value in vars(row).items() if value != before[name]}
    assert changed == bool(after)
    return changed, after


@pytest.mark.parametrize("before", sorted(RANK))
@pytest.mark.parametrize(
    "reported", ["unconfirmed", "queued", "submitted", "no_report", "failed", "delivered", "expired"]
)
def test_a_state_moves_up_only(before, reported):
    final = before in ("failed", "cancelled", "expired", "delivered")
    row = a_row(before, final_at=AT if final else None)
    merged(row, reported, LATER, code="7203", detail="why")
    higher = RANK[reported] > RANK[before]
    assert row.state == (reported if higher else before)
    if higher and not final:
        assert (row.code, row.detail) == ("7203", "why")
        assert row.final_at == (LATER if reported in ("failed", "delivered", "expired") else None)


@pytest.mark.parametrize(("attempt", "counts"), [(0, True), (1, True), (2, False)])
def test_what_is_of_an_attempt_that_was_not_made_is_ignored(attempt, counts):
    assert merged(a_row("posting"), "delivered", attempt=attempt)[0] == counts


@pytest.mark.parametrize(
    ("state", "attempt", "back"),
    [
        ("posting", 1, True),
        ("unconfirmed", 1, True),
        ("queued", 1, False),
        ("pending", 1, False),
        ("posting", 0, False),
    ],
)
def test_only_an_open_attempt_comes_back(state, attempt, back):
    changed, after = merged(
        a_row(state), "pending", attempt=attempt, returned=True, code="7020", detail="d" * 201
    )
    assert after == ({"state": "pending", "code": "7020", "detail": "d" * 200} if back else {})
    assert changed == back


@pytest.mark.parametrize(
    ("had", "news", "after"),
    [
        ({}, {"provider_id": "p" * 65}, {"provider_id": "p" * 64}),
        ({"provider_id": "a"}, {"provider_id": "b"}, {}),
        ({}, {"carrier": "c" * 21}, {"carrier": "c" * 20}),
        ({"carrier": "a"}, {"carrier": "b"}, {"carrier": "b"}),
        ({"carrier": "a"}, {"carrier": "a"}, {}),
        ({}, {"segments": 0}, {"segments_billed": 0}),
        ({"segments_billed": 2}, {"segments": 3}, {}),
    ],
)
def test_details_are_added_whatever_the_state(had, news, after):
    assert merged(a_row("delivered", final_at=EARLIER, **had), "queued", queued := AT, **news)[1] == after | {
        "queued_at": queued
    }


def test_the_first_submission_counts_and_the_first_acceptance():
    row = a_row("delivered", final_at=LATER, submitted_at=AT, queued_at=AT)
    assert merged(row, "submitted", LATER)[1] == {}
    assert merged(row, "submitted", EARLIER)[1] == {"submitted_at": EARLIER}
    assert merged(row, "queued", EARLIER)[1] == {}


@pytest.mark.parametrize(
    ("had", "news", "after"),
    [
        (("failed", "7203", AT), ("failed", "7203", AT), {}),
        (("failed", "7203", AT), ("failed", "7203", LATER), {}),
        (("failed", "7203", AT), ("failed", "7204", AT), {}),
        (("failed", "7203", AT), ("failed", "7202", AT), {"code": "7202", "detail": "new"}),
        (("failed", "7203", AT), ("failed", "7204", EARLIER), {"code": "7204", "final_at": EARLIER, "detail": "new"}),
        (("failed", "7203", AT), ("delivered", "", LATER),
         {"state": "delivered", "code": "", "final_at": LATER, "detail": "Also reported failed, code 7203."}),
        (("delivered", "", AT), ("failed", "7203", EARLIER), {"detail": "Also reported failed, code 7203."}),
        (("failed", "7203", AT), ("expired", "", EARLIER), {"detail": "Also reported expired."}),
    ],
)  # fmt: skip
def test_two_ends_of_one_message(had, news, after):
    state, code, at = had
    row = a_row(state, code=code, final_at=at, detail="old")
    assert merged(row, news[0], news[2], code=news[1], detail="new")[1] == after
    assert merged(row, news[0], news[2], code=news[1], detail="new")[1] == {}, "once more changes nothing"


def test_details_fit_their_columns():
    row = a_row("queued")
    merged(row, "failed", code="12345678901", detail="d" * 201)
    assert (row.code, row.detail) == ("1234567890", "d" * 200)
    merged(row, "failed", EARLIER, code="abcdefghijk", detail="e" * 201)
    assert (row.code, row.detail) == ("abcdefghij", "e" * 200)


def test_a_noted_conflict_stays():
    row = a_row("failed", code="7203", final_at=AT, detail="Also reported expired.")
    assert merged(row, "failed", EARLIER, code="7204", detail="new")[1] == {
        "code": "7204",
        "final_at": EARLIER,
    }
    assert merged(row, "cancelled", AT)[1] == {}


# --- counters -----------------------------------------------------------------------------------------------------------
def test_quarters_windows_and_the_best_click():
    assert quarter_of("queued", AT) == int(AT.timestamp()) // 900
    assert (quarter_of("pending", AT), quarter_of("queued", None)) == (0, 0)
    assert window_of(AT) == int(AT.timestamp()) // StateCount.WINDOW
    assert [best_of(one) for one in ([], ["machine"], ["machine", "unsure"], ["unsure", "human", "machine"])] == [
        None, "machine", "unsure", "human",
    ]  # fmt: skip
    posted, waiting = (
        SimpleNamespace(posted_at=AT, state="queued"),
        SimpleNamespace(posted_at=AT, state="pending"),
    )
    never = SimpleNamespace(posted_at=None, state="pending")
    assert crossed_posting(waiting, posted) and crossed_posting(posted, waiting)
    assert not crossed_posting(posted, posted) and not crossed_posting(never, never)
    row = {
        "send_id": 1,
        "country": "GB",
        "carrier": "",
        "segments": 1,
        "segments_billed": None,
        "posted_at": AT,
    }
    codes = [CountedMessage.of(SimpleNamespace(**row), state, "7203").code for state in ("queued", "failed")]
    assert codes == ["", "7203"], "only failures count by code"


def test_each_step_of_a_message_counts_once():
    from sms.inbound import receipts
    from tests.support.callbacks import comes_in

    send = a_send(a_service(), 2)
    Provider().dispatch()
    first, _ = send.messages.order_by("pk")
    comes_in(first, code="7501", status="Submitted", carrier="GBVOD", info={"messageCount": "3"})
    comes_in(first, info={"messageCount": "3"}, carrier="GBVOD")
    receipts.fold()
    found: Counter[tuple[str, str, str]] = Counter()
    amounts: Counter[str] = Counter()
    for one in FactDelta.objects.filter(send_id=send.pk):
        found[(one.measure, one.word, one.carrier)] += one.messages
        amounts["amount"] += one.amount if one.measure == "state" else 0
        amounts["billed"] += one.billed
        amounts["billed_of"] += one.billed_of
    assert {key: count for key, count in found.items() if count} == {
        ("state", "queued", ""): 1,
        ("state", "delivered", "GBVOD"): 1,
        ("wait", "", ""): 2,
        ("submit", "", ""): 2,
        ("carrier", "", "GBVOD"): 1,
        ("deliver", "", "GBVOD"): 1,
    }
    assert amounts == {"amount": 2, "billed": 3, "billed_of": 1}
    assert send.counts() == {"queued": 1, "delivered": 1}


@pytest.mark.parametrize(("rows", "saved"), [(16, 0), (17, 16)])
def test_counters_are_squashed_beyond_sixteen_rows(rows, saved):
    send = a_send(a_service(), 1)
    StateCount.objects.filter(send=send).delete()
    StateCount.objects.bulk_create([StateCount(send=send, state="queued", delta=2) for _ in range(rows)])
    StateCount.objects.bulk_create(
        [StateCount(send=send, state="failed", code="7203", delta=1) for _ in range(2)]
    )
    assert squash.squash() == saved
    assert StateCount.objects.filter(send=send).count() == rows - saved + 2
    assert send.counts() == {"queued": 2 * rows, "failed": 2}
    StateCount.objects.filter(state="queued").delete()
    StateCount.objects.bulk_create(
        [StateCount(send=send, state="queued", delta=d) for d in (1, -1) for _ in range(9)]
    )
    assert squash.squash() == 17
    assert not StateCount.objects.filter(state="queued").exists(), "what sums to nothing leaves no row"


# --- slices -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("count", "ramp", "ends"),
    [(1, False, [1]), (100, True, [1, 10, 100]), (101, True, [2, 11, 101]), (1000, True, [10, 100, 1000])],
)
def test_the_ends_of_stages(count, ramp, ends):
    assert slices.stage_ends(count, ramp=ramp) == ends


def test_a_hundred_are_enough_to_start_small():
    assert [slices.ramps(count) for count in (0, 99, 100, 101)] == [False, False, True, True]


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (500, [500]), (501, [500, 1]), (1001, [500, 500, 1])])
def test_a_send_is_cut_into_slices_of_five_hundred(count, sizes):
    send = a_send(a_service(), count)
    rows = list(Slice.objects.filter(send=send).order_by("first_id"))
    messages = Message.objects.filter(send=send)
    assert [messages.filter(pk__range=(one.first_id, one.last_id)).count() for one in rows] == sizes
    assert {(one.stage, one.lane, one.due_at, one.service_id) for one in rows} == {
        (0, send.lane, send.due_at, send.service_id)
    }
    assert slices.runs_of(send) == [(one.first_id, one.last_id, 0) for one in rows]


def test_a_ramp_is_cut_by_stages_too():
    send = a_send(a_service(), 600, ramp=True)
    rows = [
        (one.first_id, one.last_id, one.stage) for one in Slice.objects.filter(send=send).order_by("first_id")
    ]
    assert [stage for _, _, stage in rows] == [0, 1, 2, 2]
    assert [last - first + 1 for first, last, _ in rows] == [6, 54, 500, 40]
    assert slices.runs_of(send) == rows


@pytest.mark.parametrize(
    ("due", "approvers", "state"),
    [(-1, 0, "sending"), (0, 0, "sending"), (1, 0, "scheduled"), (-1, 1, "awaiting"), (1, 2, "awaiting")],
)
def test_the_state_of_a_send_that_is_ready(due, approvers, state):
    assert slices.state_of(due_at=AT + timedelta(seconds=due), approvers=approvers, now=AT) == state


# --- waking -------------------------------------------------------------------------------------------------------------
@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(wakeups, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def woken() -> int:
    return OrmQ.objects.count()


def test_what_is_rare_is_done_once_in_its_period(clock):
    fold = wakeups.RareWakeUp("sms.worker.tasks.fold", period=5.0)
    assert [fold.due(), fold.due()] == [True, False]
    clock.now += 4.99
    assert not fold.due()
    clock.now += 0.01
    fold()
    fold()
    assert woken() == 1
    clock.now += 5.0
    fold()
    assert woken() == 2


def test_without_a_period_each_call_wakes_and_with_one_the_rest_waits_for_a_thread(clock, monkeypatch):
    started: list[float] = []
    monkeypatch.setattr(
        wakeups.threading,
        "Timer",
        lambda seconds, what: SimpleNamespace(start=lambda: started.append(seconds)),
    )
    closed: list[bool] = []
    monkeypatch.setattr(wakeups, "connection", SimpleNamespace(close=lambda: closed.append(True)))
    work = wakeups.CoalescedWakeUp("sms.worker.tasks.work")
    work()
    work()
    assert (woken(), started) == (2, [])
    work.period = 2.0
    work()
    assert woken() == 3
    clock.now += 0.5
    work()
    work()
    assert (woken(), started) == (3, [1.5]), "one thread for all that come"
    clock.now += 1.5
    work._wake_late()
    assert (woken(), closed) == (4, [True]), "and a thread's connection is closed"
    work()
    assert (woken(), started) == (4, [1.5, 2.0]), "the period begins with the late one"


def test_where_no_thread_can_be_had_it_wakes_at_once(clock, monkeypatch):
    def refuse(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(wakeups.threading, "Timer", refuse)
    work = wakeups.CoalescedWakeUp("sms.worker.tasks.work")
    work.period = 2.0
    work()
    work()
    assert woken() == 2


@pytest.mark.parametrize("there", [0, 1, 3])
def test_there_is_one_schedule_as_it_should_be(there):
    Schedule.objects.all().delete()
    for _ in range(there):
        Schedule.objects.create(name="tick", func="wrong", schedule_type=Schedule.HOURLY, repeats=3)
    wakeups.make_schedule()
    one = Schedule.objects.get()
    assert (one.name, one.func, one.schedule_type, one.minutes, one.repeats) == (
        "tick", "sms.worker.tasks.tick", Schedule.MINUTES, 1, -1,
    )  # fmt: skip


def test_a_schedule_that_is_gone_is_made_again_and_looked_for_every_five_seconds(clock, monkeypatch):
    monkeypatch.setattr(wakeups, "_schedule", wakeups.RareWakeUp(wakeups.TICK, period=5.0))
    Schedule.objects.all().delete()
    wakeups.keep_schedule()
    assert Schedule.objects.count() == 1
    Schedule.objects.all().delete()
    wakeups.keep_schedule()
    assert Schedule.objects.count() == 0
    clock.now += 5.0
    wakeups.keep_schedule()
    assert Schedule.objects.count() == 1


@pytest.mark.parametrize(("minutes", "removed"), [(9.9, 0), (10.1, 1)])
def test_a_wake_up_that_no_cluster_took_is_removed_after_ten_minutes(minutes, removed):
    OrmQ.objects.create(key="x", payload="y", lock=timezone.now() - timedelta(minutes=minutes))
    assert wakeups.discard_stale() == removed
    assert woken() == 1 - removed


def test_a_wake_up_is_lost_without_harm_where_the_database_refuses_it(monkeypatch):
    def refuse(_):
        raise OperationalError("away")

    monkeypatch.setattr(wakeups, "async_task", refuse)
    wakeups._enqueue("sms.worker.tasks.work")
    assert Send.objects.count() == woken() == 0
