"""Operators are told of a fault within a minute, once, and once when it is over; also while there is no database."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db.models.functions import Now
from django.utils import timezone
from django_q.conf import Conf

from sms.dispatch import breaker, restored_copy
from sms.models import Heartbeat, Notice, OperationalFault, RestoredCopy, Slice
from sms.models.sql.limits import WorkKind
from sms.operations import faults, own_facts, processes, telling
from sms.operations.delivery import FaultDelivery
from sms.webex.errors import NotSent
from sms.worker import heartbeat
from sms.worker.jobs import JOBS, JobContext
from sms.worker.redis_queue import RedisQueue
from tests.support.callback_receiver import receiving
from tests.support.faults_of_databases import database_away, read_only_database
from tests.support.people import a_cast
from tests.support.processes import free_port
from tests.support.sends import a_send, a_service

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("ids_stay_low")]
NOW = timezone.now()


def told(receiver) -> list[tuple[str, str, str]]:
    return [(one.json["state"], one.json["fault"], one.json["where"]) for one in receiver.heard]


@pytest.fixture
def receiver():
    with receiving() as found:
        yield found


@pytest.fixture
def delivery(receiver) -> FaultDelivery:
    return FaultDelivery("https://desk.example.test", ("ops@example.test",), f"{receiver.url}/hook")


def beat(seconds_ago: float = 0.0, *, kind: str = "dispatch", **says) -> None:
    Heartbeat.beat("1-a", host="far", pid=1, kind=kind, **{"doing": "", "progress": 0} | says)
    Heartbeat.objects.update(beat_at=Now() - timedelta(seconds=seconds_ago))


def test_messages_that_nobody_sends_are_told_by_webhook_mail_and_notices(delivery, receiver):
    cast = a_cast(waiting=True)
    a_send(cast.service)
    telling.of_all(faults.find(), delivery)
    assert told(receiver) == []
    Slice.objects.update(due_at=Now() - timedelta(seconds=46))
    telling.of_all(faults.find(), delivery)
    assert told(receiver) == [("begun", "not_dispatched", "")], "it has waited long enough by then"
    ours = [one for one in mail.outbox if one.to == ["ops@example.test"]]
    assert ours[0].subject == "Textdesk: does not work: Messages are due, and no dispatcher has reported yet."
    assert "https://desk.example.test/status" in ours[0].body
    admins = set(Notice.objects.filter(kind="operations").values_list("person__email", flat=True))
    assert admins == {"admin@example.test", "foreigner@example.test"}, "the admins of every service"
    telling.of_all(faults.find(), delivery)
    assert len(receiver.heard) == 1, "once"

    beat()
    telling.of_all(faults.find(), delivery)
    assert len(receiver.heard) == 1, "it may come again"
    telling.of_all(faults.find(), delivery, now=timezone.now() + timedelta(seconds=61))
    assert told(receiver)[1:] == [("over", "not_dispatched", "")]
    assert not OperationalFault.objects.exists()


def test_what_comes_and_goes_is_told_once(delivery, receiver):
    fault = faults.Fault("clock_skew", "far", "Its clock is wrong.")
    for second in range(0, 300, 10):
        found = [fault] if second % 30 else []
        telling.of_all(found, delivery, now=NOW + timedelta(seconds=second))
    assert told(receiver) == [("begun", "clock_skew", "far")]


def test_a_fault_that_passes_within_seconds_is_not_told(delivery, receiver):
    fault = faults.Fault("clock_skew", "far", "Its clock is wrong.")
    for second, found in ((0, [fault]), (20, [fault]), (30, []), (100, [])):
        telling.of_all(found, delivery, now=NOW + timedelta(seconds=second))
    assert (told(receiver), mail.outbox) == ([], [])


@pytest.mark.parametrize("seen_after", [0, heartbeat.EVERY + own_facts.LOOK])
@pytest.mark.parametrize("first_look", range(0, 10, 3))
def test_a_fault_is_told_within_a_minute_of_its_beginning(delivery, receiver, first_look, seen_after):
    """Whenever the looks come; what a host knows of itself is in its heartbeat a while after it began."""
    fault = faults.Fault("var_dir_not_writable", "far", "It cannot be written.")
    looks = iter(range(first_look, 120, int(telling.EVERY)))
    while not told(receiver):
        second = next(looks)
        found = [fault] if second >= seen_after else []
        telling.of_all(found, delivery, now=NOW + timedelta(seconds=second))
    assert second <= 55, "a mail may take five seconds to leave"


@pytest.mark.parametrize("first_look", range(0, 10, 3))
def test_a_database_that_is_silent_is_told_within_a_minute(delivery, receiver, tmp_path, first_look):
    """Each look waits for it until the deadline of a probe."""
    teller, now = telling.Teller(delivery, tmp_path), float(first_look)
    while not told(receiver):
        now += WorkKind.PROBE.value.wait
        teller.of_database("database_away", now=now)
        ended, now = now, now + telling.EVERY
    assert ended <= 55


@pytest.mark.parametrize("longest", [processes.SILENT, faults.LATE])
def test_what_is_late_is_told_within_a_minute_at_the_first_look(longest):
    assert telling.LASTED <= longest <= 60 - telling.EVERY - 5


@pytest.mark.parametrize("way", ["webhook", "mail"])
def test_a_way_that_fails_is_told_by_the_other_and_gets_later_what_it_is_owed(receiver, settings, way):
    def mailed() -> list[str]:
        return [one.subject.removeprefix("Textdesk: ")[:24] for one in mail.outbox]

    def look(second: int, *found: faults.Fault) -> None:
        clock[0] = float(second)
        telling.of_all([*found, *faults.find()], delivery, now=NOW + timedelta(seconds=second))

    clock, backend = [0.0], settings.EMAIL_BACKEND
    delivery = FaultDelivery(
        "https://desk.example.test", ("ops@example.test",), f"{receiver.url}/hook", clock=lambda: clock[0]
    )
    fault = faults.Fault("clock_skew", "far", "Its clock is wrong.", age=61)
    if way == "webhook":
        receiver.answer = 500
    else:
        settings.EMAIL_BACKEND, settings.EMAIL_PORT = (
            "django.core.mail.backends.smtp.EmailBackend",
            free_port(),
        )
    for second in range(0, 50, 10):
        look(second, fault)
    tries = len(receiver.heard)
    if way == "webhook":
        assert mailed() == ["does not work: Its clock", "does not work: Operators"]
        assert {one.json["fault"] for one in receiver.heard} == {"clock_skew"} and 1 < tries < 5, "with rests"
    else:
        assert told(receiver) == [("begun", "clock_skew", "far"), ("begun", "operators_not_told", "mail")]
        assert mailed() == []
    receiver.answer, settings.EMAIL_BACKEND = 200, backend
    look(70, fault)
    assert OperationalFault.objects.get(fault="clock_skew").owed == ""
    if way == "webhook":
        assert len(receiver.heard) == tries + 1 and len(mailed()) == 2, "once"
    else:
        assert mailed() == ["does not work: Its clock"] and len(receiver.heard) == 2, "once"
    for second in (80, 150, 220):
        look(second)
    ends = mailed() if way == "webhook" else [one.json["text"][10:] for one in receiver.heard]
    assert sorted(one[:20] for one in ends[-2:]) == ["over: Its clock is w", "over: Operators cann"]
    assert not OperationalFault.objects.exists()


def test_what_some_were_told_to_be_over_is_told_anew_when_it_comes_again(delivery, receiver):
    fault = faults.Fault("clock_skew", "far", "Its clock is wrong.")
    for second, found, answer in (
        (0, [fault], 200),
        (30, [fault], 200),
        (40, [], 500),
        (110, [], 500),  # the mail says that it is over, the webhook does not hear it
        (120, [fault], 200),
        (130, [fault], 200),
    ):
        receiver.answer = answer
        telling.of_all(found, delivery, now=NOW + timedelta(seconds=second))
    assert [one.subject.split(": ")[1] for one in mail.outbox] == ["does not work", "over"]
    telling.of_all([fault], delivery, now=NOW + timedelta(seconds=150))
    assert [one.subject.split(": ")[1] for one in mail.outbox] == ["does not work", "over", "does not work"]


def test_a_webhook_that_fails_while_the_database_is_away_hears_of_it_later(receiver, tmp_path):
    clock = [0.0]
    delivery = FaultDelivery(
        "https://desk.example.test", ("ops@example.test",), f"{receiver.url}/hook", clock=lambda: clock[0]
    )
    teller = telling.Teller(delivery, tmp_path)
    for clock[0] in range(0, 60, 10):
        receiver.answer = 500 if clock[0] < 45 else 200
        teller.of_database("database_away", now=clock[0])
    assert len(mail.outbox) == 1 and len(receiver.heard) == 2, "the second time it was taken"
    for clock[0] in range(60, 160, 10):
        receiver.answer = 500 if clock[0] < 125 else 200
        teller.of_database("", now=clock[0])
    assert len(mail.outbox) == 2 and told(receiver)[-1] == ("over", "database_away", heartbeat.HOST)


@pytest.mark.parametrize(
    ("trouble", "word"), [(database_away, "database_away"), (read_only_database, "database_read_only")]
)
def test_a_database_that_takes_nothing_is_told_by_one_process_of_each_host(
    delivery, receiver, tmp_path, monkeypatch, trouble, word
):
    first, second = (telling.Teller(delivery, tmp_path) for _ in range(2))
    clock = [1000.0]
    monkeypatch.setattr(telling.time, "monotonic", lambda: clock[0])
    with trouble():
        for _ in range(7):
            for teller in (first, second):
                teller.of_database(telling.readiness.of_database(), now=clock[0])
            clock[0] += 10
            assert receiver.heard == [] or clock[0] > 1025
    assert told(receiver) == [("begun", word, heartbeat.HOST)]
    assert [one.to for one in mail.outbox] == [["ops@example.test"]]
    for _ in range(7):
        for teller in (first, second):
            teller.look()
        clock[0] += 10
    assert told(receiver)[1:] == [("over", word, heartbeat.HOST)]
    assert mail.outbox[-1].subject.startswith("Textdesk: over: ")


def test_a_database_that_comes_and_goes_is_told_once(delivery, receiver, tmp_path):
    teller = telling.Teller(delivery, tmp_path)
    for second in range(0, 300, 10):
        teller.of_database("database_away" if second % 50 else "", now=float(second))
    assert told(receiver) == [("begun", "database_away", heartbeat.HOST)]


def test_a_restored_copy_is_told_until_it_is_settled(delivery, receiver):
    a_cast(waiting=True)
    restored_copy.declare("another database", at=timezone.now() - timedelta(seconds=61))
    telling.of_all(faults.find(), delivery)
    assert told(receiver) == [("begun", "restored_copy", "")]
    assert mail.outbox[0].subject.startswith("Textdesk: does not work: This is a restored copy")
    RestoredCopy.objects.update(settled_at=timezone.now())
    telling.of_all(faults.find(), delivery)
    telling.of_all(faults.find(), delivery, now=timezone.now() + timedelta(seconds=61))
    assert told(receiver)[1:] == [("over", "restored_copy", "")]


def test_a_process_that_died_without_a_word_is_a_fault_and_one_that_ended_is_none():
    beat(46)
    (found,) = faults.find()
    assert (found.word, found.where) == ("process_silent", "far dispatch 1")
    beat(46, kind="cluster")
    Heartbeat.objects.update(kind="cluster")
    assert faults.find() == [], "a worker beats with its tasks only"
    mine = heartbeat.Pulse(Heartbeat.Kind.DISPATCH)
    mine.beat()
    mine.end()
    assert faults.find() == []


def test_who_starts_again_takes_the_place_of_what_was_killed():
    Heartbeat.beat("999999-a", host=heartbeat.HOST, pid=2**22 + 1, kind="dispatch", doing="", progress=0)
    Heartbeat.objects.update(beat_at=Now() - timedelta(seconds=90))
    mine = heartbeat.Pulse(Heartbeat.Kind.DISPATCH)
    mine.beat()
    assert list(Heartbeat.objects.values_list("pk", flat=True)) == [mine.name]


def test_clocks_folders_and_kept_files_of_other_hosts_are_faults():
    beat(skew=61.0, facts={"var_dir": False, "spool_kept": 2, "spool_files": 2, "spool_bytes": 9})
    found = {one.word: one.where for one in faults.find()}
    assert found == {"clock_skew": "far", "var_dir_not_writable": "far", "spool_kept": "far"}
    beat(skew=59.0, facts={"var_dir": True, "spool_kept": 0})
    assert faults.find() == []


def test_a_provider_that_takes_nothing_is_a_fault_of_the_service(monkeypatch):
    service = a_service()
    breakers = breaker.Breakers()
    monkeypatch.setattr(breaker, "OF_THIS_PROCESS", breakers)
    breakers[service.pk].answered(NotSent("unreachable"))
    heartbeat.Pulse(Heartbeat.Kind.CLUSTER).beat("sending")
    (found,) = faults.find()
    assert (found.word, found.where) == ("provider_away", "shop")
    breakers[service.pk].answered(object())
    Heartbeat.objects.all().delete()
    heartbeat.Pulse(Heartbeat.Kind.CLUSTER).beat("sending")
    assert faults.find() == []


def test_a_queue_that_is_away_is_told(delivery, receiver, monkeypatch):
    """On a port where no Redis listens."""
    monkeypatch.setattr(Conf, "BROKER_CLASS", "sms.worker.redis_queue.RedisQueue")
    monkeypatch.setattr(Conf, "REDIS", f"redis://127.0.0.1:{free_port()}/0")
    monkeypatch.setattr(RedisQueue, "_next_try", 0.0)
    monkeypatch.setattr(RedisQueue, "_lost", False)
    for seconds in (0, 61):
        telling.of_all(faults.find(), delivery, now=timezone.now() + timedelta(seconds=seconds))
    assert told(receiver) == [("begun", "redis_away", "")]


def test_every_process_looks_for_faults(settings, receiver):
    settings.OPERATIONS_WEBHOOK = receiver.url
    a_send(a_service())
    Slice.objects.update(due_at=Now() - timedelta(seconds=61))
    (job,) = [one for one in JOBS if one.name == "faults"]
    job.run(JobContext(lambda: False))
    assert told(receiver) == [("begun", "not_dispatched", "")]
