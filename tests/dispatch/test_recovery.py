"""What a run that broke off, or a process that died, had leased goes on at once: nothing twice, nothing parked that was never sent."""

import os
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from sms import dispatch
from sms.dispatch.journal import BOOT, HEAD, PLACES, Journal, journals
from sms.dispatch.post import Held, PostOutcome
from sms.dispatch.recovery import recover_run
from sms.models import Message, MessageState, Slice
from sms.sends.cancel import cancel
from sms.webex.errors import NotSent, RequestRefused, Throttled, Unconfirmed
from sms.webex.replies import Accepted
from tests.support.dispatching import Dispatcher, states
from tests.support.provider import Provider, accepted
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path):
    """Of a host on which nobody has dispatched yet."""
    before, journals.folder = journals.folder, tmp_path
    yield tmp_path
    journals.folder = before


class OnThisHost(Dispatcher):
    """A dispatcher with a journal, which dies when the test says so."""

    def __init__(self, send, folder) -> None:
        self.journal = Journal(folder)
        super().__init__(send, self.journal.owner)

    def hand_over(self, count: int):
        """Armed and handed to the posters, who have not begun."""
        armed = self.arm(count)
        self.journal.reserve(message.pk for request in armed for message in request.messages)
        return armed

    def begin(self, request) -> None:
        self.journal.begin([message.pk for message in request.messages])

    def die(self) -> None:
        self.journal.let_go()


def left_behind(folder) -> list[str]:
    return sorted(path.suffix for path in folder.iterdir())


@pytest.mark.postgresql
@pytest.mark.parametrize("nth", [1, 30])
def test_a_connection_that_is_cut_in_mid_send_costs_neither_a_lease_nor_a_message(nth):
    send = a_send(a_service(), 60)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    provider = Provider()

    def cut(body):
        if len(provider.bodies) == nth:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
            connection.close()
        return accepted(body)

    provider.answer = cut
    with pytest.raises(DatabaseError):
        provider.dispatch()
    assert not Slice.objects.exclude(owner="").exists(), "its leases are free, before they run out"
    assert set(states(send)) <= {"pending", "queued"}
    provider.dispatch()
    assert states(send) == {"queued": 60}
    assert len(provider.numbers) == len(set(provider.numbers)) == 60


def test_of_what_a_dead_process_had_armed_only_what_it_had_begun_is_in_doubt(folder):
    send = a_send(a_service(), 10)
    one = OnThisHost(send, folder)
    armed = one.hand_over(6)
    one.begin(armed[2])
    one.begin(armed[4])
    assert dispatch.recover() == 0, "it is alive"
    assert states(send) == {"posting": 6, "pending": 4}
    one.die()
    assert dispatch.recover() == 1
    assert states(send) == {"unconfirmed": 2, "pending": 8}
    doubtful = send.messages.filter(state=MessageState.UNCONFIRMED).values_list("pk", flat=True)
    assert set(doubtful) == {armed[2].messages[0].pk, armed[4].messages[0].pk}
    assert left_behind(folder) == []
    provider = Provider()
    provider.dispatch()
    assert states(send) == {"unconfirmed": 2, "queued": 8}
    assert len(set(provider.numbers)) == 8


def test_what_the_database_knows_of_is_in_no_journal(folder):
    send = a_send(a_service(), 4)
    one = OnThisHost(send, folder)
    armed = one.hand_over(4)
    for request in armed:
        one.begin(request)
    one.journal.forget([request.messages[0].pk for request in armed[:3]])
    assert one.journal.begun() == {armed[3].messages[0].pk}
    one.journal.finish()
    assert one.journal.begun() == set()
    one.die()


@pytest.mark.parametrize("how", ["another_boot", "torn", "left_out"])
def test_without_proof_everything_armed_waits_for_the_lease_and_is_in_doubt(folder, how):
    send = a_send(a_service(), 3)
    one = OnThisHost(send, folder)
    one.hand_over(3)
    if how == "left_out":
        one.journal.reserve(range(10**9, 10**9 + PLACES + 1))
    one.die()
    (path,) = folder.iterdir()
    content = path.read_bytes()
    if how == "another_boot":
        path.write_bytes(content.replace(BOOT.read_bytes().strip(), b"0" * 36))
    if how == "torn":
        path.write_bytes(content[: HEAD + 8])
    assert dispatch.recover() == 0
    assert states(send) == {"posting": 3}
    Slice.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    dispatch.sweep()
    assert states(send) == {"unconfirmed": 3}


def test_answers_that_could_not_be_recorded_are_recorded_from_the_disk(folder):
    send = a_send(a_service(), 6)
    one = OnThisHost(send, folder)
    armed = one.hand_over(6)
    results = [
        Accepted("their-id"),
        RequestRefused("7001", 400, "no such number"),
        Unconfirmed("timeout", 0, "ReadTimeout"),
        NotSent("connect"),
        Throttled("429", 429, retry_after=3.0),
        Held(),
    ]
    for request, result in zip(armed[:5], results[:5], strict=True):
        one.begin(request)
        one.journal.keep([PostOutcome(request, result)])
    one.die()
    assert left_behind(folder) == [".answers", ".begun"]
    assert dispatch.recover() == 1
    assert [row.state for row in send.messages.order_by("pk")] == [
        *("queued", "failed", "unconfirmed"),
        *("pending", "pending", "pending"),
    ]
    assert list(Message.objects.exclude(provider_id="").values_list("provider_id", flat=True)) == ["their-id"]
    assert Message.objects.get(state="failed").detail == "no such number"
    assert left_behind(folder) == []


def test_answers_are_recorded_after_a_restart_of_the_machine_too(folder):
    send = a_send(a_service(), 2)
    one = OnThisHost(send, folder)
    armed = one.hand_over(2)
    one.journal.keep([PostOutcome(armed[0], Accepted("their-id"))])
    one.die()
    for path in folder.glob("*.begun"):
        path.unlink()
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes() + b'{"torn')
    dispatch.recover()
    assert states(send) == {"queued": 1, "posting": 1}
    assert left_behind(folder) == []


def test_what_is_cancelled_meanwhile_is_not_sent(folder):
    send = a_send(a_service(), 3)
    one = OnThisHost(send, folder)
    one.hand_over(2)
    cancel(send, by=BY)
    one.die()
    dispatch.recover()
    provider = Provider()
    provider.dispatch()
    assert (states(send), provider.bodies) == ({"cancelled": 3}, [])


def test_a_full_disk_keeps_answers_in_memory_until_the_run_is_recovered(folder, tmp_path_factory):
    send = a_send(a_service(), 1)
    one = OnThisHost(send, folder)
    (request,) = one.hand_over(1)
    one.journal.folder = tmp_path_factory.mktemp("file") / "gone" / "too"
    one.journal.keep([PostOutcome(request, Accepted("their-id"))])
    assert len(one.journal.owed) == 1
    with transaction.atomic():
        assert recover_run(one.journal) == 1
    assert states(send) == {"queued": 1}


def test_a_forked_process_has_a_journal_of_its_own(folder):
    with journals.one(simulated=False):
        pass
    child = os.fork()
    if not child:
        try:
            with journals.one(simulated=False) as mine:
                mine.reserve([1])
                mine.begin([1])
                os._exit(0 if mine.owner.startswith(f"{os.getpid()}-") and mine.path("begun").exists() else 1)
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_refusal_that_waited_on_the_disk_says_nothing_of_an_attempt_made_since(folder):
    send = a_send(a_service(), 2)
    one = OnThisHost(send, folder)
    armed = one.hand_over(2)
    one.journal.keep([PostOutcome(request, RequestRefused("7001", 400)) for request in armed])
    Slice.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    dispatch.sweep()
    assert dispatch.by_person(send, dispatch.Settlement.SEND_AGAIN, by=BY) == 2
    Provider().dispatch()
    assert states(send) == {"queued": 2}
    one.die()
    dispatch.recover()
    assert states(send) == {"queued": 2}, "what the second attempt was answered counts"
    assert ".answers" not in left_behind(folder)
