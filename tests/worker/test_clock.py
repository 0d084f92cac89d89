"""A host whose clock is wrong, beside a database whose clock is right: it holds, deletes and delays nothing, and says so."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sms import dispatch
from sms.compliance import retention
from sms.inbound import receipts
from sms.models import ApiKey, Heartbeat, Hold, Message, ReceiptInbox, Send, Slice
from sms.models.sql.clock import host_clock
from sms.models.sql.session import database_now
from sms.worker.heartbeat import Pulse
from sms.worker.jobs import JOBS, JobContext
from sms.worker.loop import Loop
from tests.support import drop_in
from tests.support.callbacks import comes_in
from tests.support.partners import a_key, a_partner_service
from tests.support.past_sends import a_past_send, an_old_service
from tests.support.provider import Provider
from tests.support.receipts import post, posted_message, receipt
from tests.support.sends import a_send, a_service

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,  # SQLite has the host's clock
]
HOUR = timedelta(hours=1)


@pytest.fixture
def host():
    """Another time on this host, until the test ends."""
    moved: list[time_machine.travel] = []

    def move(by: timedelta) -> None:
        travel = time_machine.travel(timezone.now() + by)
        travel.start()
        moved.append(travel)

    yield move
    for travel in reversed(moved):
        travel.stop()
    host_clock.compare()


def compared() -> float:
    return round(host_clock.compare())


@pytest.mark.parametrize("seconds", [3600, -3600, 30, 0])
def test_each_beat_says_how_far_the_host_is_ahead_of_the_database(host, seconds):
    host(timedelta(seconds=seconds))
    Pulse(Heartbeat.Kind.DISPATCH).beat("sending")
    assert round(Heartbeat.objects.get().skew) == seconds


@pytest.mark.parametrize(
    ("seconds", "refuses"), [(1, False), (58, False), (63, True), (-58, False), (-63, True)]
)
def test_more_than_a_minute_refuses_what_cannot_be_undone_and_less_does_not(host, seconds, refuses):
    host(timedelta(seconds=seconds))
    assert compared() == seconds
    which = "ahead of" if seconds > 0 else "behind"
    says = f"This host's clock is {which} the database's by more than a minute,"
    says += " so this process deletes, holds and expires nothing until they agree."
    assert host_clock.refusal() == (says if refuses else "")


def under_way(service):
    """A send whose messages are with the provider, and which is not over."""
    send = a_send(service, 100)
    Provider().dispatch(seconds=5)
    Slice.objects.filter(send=send).update(done=False, due_at=timezone.now() + timedelta(hours=9))
    type(send).objects.filter(pk=send.pk).update(state="sending")
    return send


@pytest.mark.parametrize("ahead", [HOUR, timedelta(seconds=55)])
def test_a_host_ahead_of_the_database_holds_nothing(host, ahead):
    send = under_way(a_service(hold_silence=100))
    # nine and a half minutes of silence are none of ten
    send.messages.update(posted_at=timezone.now() - timedelta(minutes=9.5))
    send.counters.filter(state="queued").update(window=(timezone.now().timestamp() - 570) // 300)
    host(ahead)
    compared()
    assert dispatch.watch() == 0
    assert not Hold.objects.exists()


@pytest.mark.parametrize("ahead", [timedelta(days=365), timedelta(seconds=55)])
def test_a_host_ahead_of_the_database_deletes_nothing_early(host, ahead):
    service = an_old_service(keep_bodies=30)
    a_past_send(service, days=30 - 30 / 86_400)  # so it is due in half a minute
    host(ahead)
    compared()
    [job] = [job for job in JOBS if job.name == retention.DUTY]
    Loop([job], JobContext(lambda: False)).once()
    assert Message.objects.exclude(text="").count() == Message.objects.count() > 0


def test_a_person_who_lets_retention_run_there_is_told_why_it_does_not(host):
    an_old_service(keep_bodies=30)
    host(HOUR)
    compared()
    with pytest.raises(CommandError, match="ahead of the database's by more than a minute"):
        call_command("retain")


def test_a_job_goes_on_when_the_clocks_agree_again(host):
    job = next(job for job in JOBS if job.by_clock)
    host(HOUR)
    compared()
    assert host_clock.refusal()
    host(-HOUR)
    compared()
    assert Loop([job], JobContext(lambda: False)).once() > 0
    assert host_clock.refusal() == ""


def test_a_receipt_that_a_host_ahead_took_in_is_applied_by_the_next_look(host):
    send = under_way(a_service())
    host(HOUR)
    comes_in(send.messages.first())
    host(-HOUR)
    assert receipts.fold() == 1
    assert send.counts()["delivered"] == 1


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_what_a_web_server_with_a_wrong_clock_takes_in_has_the_times_of_the_database(host, ahead):
    """From the comparison of its heartbeat, however many requests it takes."""
    service = a_partner_service()
    ends = timezone.now() + timedelta(minutes=30)
    key = a_key(service, expires_at=ends)
    over = a_key(service, expires_at=timezone.now() + timedelta(seconds=5))
    ApiKey.objects.filter(expires_at__lt=ends).update(expires_at=timezone.now() - timedelta(minutes=1))
    _, name = posted_message(service)
    host(ahead)
    Pulse(Heartbeat.Kind.WEB).beat("")
    began = database_now()
    soon, late = began + timedelta(minutes=20), began - timedelta(minutes=20)
    with CaptureQueriesContext(connection) as asked:
        assert drop_in.post(key, drop_in.body(expireAt=soon.isoformat())).status_code == 201
        assert drop_in.post(key, drop_in.body(expireAt=late.isoformat())).json()["code"] == "7004"
        assert drop_in.post(over, drop_in.body()).status_code == 401
        assert post(service, receipt(name)).status_code == 200
    assert not [
        one["sql"] for one in asked.captured_queries if one["sql"].startswith("SELECT clock_timestamp")
    ]
    send, taken = Send.objects.latest("pk"), ReceiptInbox.objects.get()
    for at in (send.created_at, send.due_at, taken.received_at, taken.next_at):
        assert abs(at - began) < timedelta(minutes=10)
