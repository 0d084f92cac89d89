"""Dispatch by the ledger's protocol: what each answer of the provider does to a message, and what a crash leaves behind."""

import time
from datetime import timedelta

import httpx
import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from sms.dispatch import claim, rate
from sms.dispatch.claim import Owner
from sms.dispatch.post import PostOutcome
from sms.dispatch.record import record
from sms.ledger.counters import CounterDeltas
from sms.models import AuditEvent, SendState, Slice
from sms.sends.cancel import cancel
from sms.values import correlation_id
from sms.webex.errors import Throttled
from tests.support.dispatching import Dispatcher, release, states
from tests.support.provider import PUBLIC_URL, Provider, accepted, raw_reply, refused
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db


def test_an_accepted_message_is_queued_with_the_providers_id_and_a_correlation_id_of_ours():
    service, provider = a_service(), Provider()
    send = a_send(service, 3)
    provider.dispatch()
    assert states(send) == {"queued": 3}
    send.refresh_from_db()
    assert send.state == SendState.FINISHED
    for message in send.messages.all():
        body = next(b for b in provider.bodies if b["to"][0]["msisdn"] == [message.msisdn.lstrip("+")])
        found = correlation_id.read(body["to"][0]["correlationId"], key=service.correlation_key)
        assert (found.message_id, found.attempt) == (message.pk, 1)
        assert message.provider_id
        assert body["notifyUrl"] == f"{PUBLIC_URL}/receipts/{service.receipt_token}/"


def test_every_message_is_posted_exactly_once_over_many_slices():
    provider = Provider()
    send = a_send(a_service(), 1203)
    provider.dispatch(clients=8)
    assert states(send) == {"queued": 1203}
    assert len(provider.numbers) == len(set(provider.numbers)) == 1203


def test_a_refusal_fails_the_message_with_its_code():
    provider = Provider(lambda body: refused("7004"))
    send = a_send(a_service(), 2)
    provider.dispatch()
    assert states(send) == {"failed": 2}
    assert send.failures() == [("7004", 2)]


def test_a_throttled_message_goes_back_and_is_posted_again_under_a_new_attempt():
    answers = iter([refused("7020"), None])
    provider = Provider(lambda body: next(answers) or accepted(body))
    send = a_send(a_service())
    provider.dispatch()
    if states(send) == {"pending": 1}:
        release(send)
        provider.another_process()
    message = send.messages.get()
    assert (message.state, message.attempt) == ("queued", 2)
    ids = {body["to"][0]["correlationId"] for body in provider.bodies}
    assert len(ids) == 2


def test_a_server_error_leaves_the_message_unconfirmed_and_it_is_never_posted_again():
    provider = Provider(lambda body: raw_reply(500))
    send = a_send(a_service())
    provider.dispatch()
    release(send)
    provider.dispatch()
    assert states(send) == {"unconfirmed": 1}
    assert len(provider.bodies) == 1
    send.refresh_from_db()
    assert send.state == SendState.FINISHED


def test_an_outage_parks_a_few_messages_and_keeps_the_others_waiting_however_many_runs_it_lasts():
    provider = Provider(lambda body: raw_reply(503))
    send = a_send(a_service(), 200)
    for _ in range(5):
        provider.dispatch(clients=4)
        release(send)
    found = states(send)
    assert found["unconfirmed"] <= 4 + 3
    assert found["pending"] == 200 - found["unconfirmed"]


def test_refused_credentials_pause_the_service_once_and_keep_every_message():
    service = a_service()
    provider = Provider(lambda body: raw_reply(401))
    send = a_send(service, 50)
    provider.dispatch()
    service.refresh_from_db()
    assert service.paused_at is not None
    assert "credentials" in service.paused_because
    assert states(send) == {"pending": 50}
    assert AuditEvent.objects.filter(act="service.paused").count() == 1
    posted = len(provider.bodies)
    provider.dispatch()
    assert len(provider.bodies) == posted, "a paused service posts nothing"


def test_a_connection_that_fails_certainly_did_not_send():
    def answer(body):
        raise httpx.ConnectError("refused")

    provider = Provider(answer)
    send = a_send(a_service(), 5)
    provider.dispatch()
    assert states(send) == {"pending": 5}


def test_a_scheduled_send_waits_for_its_time_and_is_posted_then():
    provider = Provider()
    send = a_send(a_service(), due_at=timezone.now() + timedelta(hours=1))
    assert send.state == SendState.SCHEDULED
    assert provider.dispatch().posted == 0
    due = timezone.now() + timedelta(seconds=1.2)
    Slice.objects.filter(send=send).update(due_at=due)
    provider.dispatch(look_ahead=60)
    message = send.messages.get()
    assert message.state == "queued"
    assert message.posted_at >= due


def test_cancelling_in_time_posts_nothing():
    provider = Provider()
    send = a_send(a_service(), 4, due_at=timezone.now() + timedelta(hours=1))
    assert cancel(send, by=BY) == 4
    Slice.objects.filter(send=send).update(due_at=timezone.now())
    provider.dispatch()
    assert provider.bodies == []
    assert states(send) == {"cancelled": 4}
    assert cancel(send, by=BY) == 0, "a second press finds nothing"


def test_an_expired_send_is_not_posted():
    provider = Provider()
    now = timezone.now()
    send = a_send(a_service(), 2, expires_at=now + timedelta(seconds=0.3))
    time.sleep(0.4)
    provider.dispatch()
    assert provider.bodies == []
    assert states(send) == {"expired": 2}


def run_out(send) -> None:
    Slice.objects.filter(send=send).update(leased_until=timezone.now() - timedelta(seconds=1))


def test_what_a_dead_dispatcher_had_armed_becomes_unconfirmed_and_the_rest_is_sent():
    send = a_send(a_service(), 5)
    one = Dispatcher(send, "dead")
    jobs = one.arm(2)
    assert len(jobs) == 2
    run_out(send)
    provider = Provider()
    provider.dispatch()
    assert states(send) == {"unconfirmed": 2, "queued": 3}
    armed = {job.messages[0].msisdn.lstrip("+") for job in jobs}
    assert armed.isdisjoint(provider.numbers)


def test_a_dispatcher_that_slept_past_its_lease_arms_nothing():
    send = a_send(a_service(), 3)
    one = Dispatcher(send, "sleeper")
    run_out(send)
    provider = Provider()
    provider.dispatch()
    jobs = one.arm(3)
    assert jobs == []
    assert states(send) == {"queued": 3}


def test_a_message_that_the_provider_returns_after_a_cancellation_is_cancelled_too():
    send = a_send(a_service(), 3)
    one = Dispatcher(send, "one")
    jobs = one.arm(1)
    assert cancel(send, by=BY) == 2
    deltas = CounterDeltas()
    record([PostOutcome(jobs[0], Throttled("7020", 400))], at=timezone.now(), deltas=deltas)
    deltas.write()
    claim.finish(one.lease, owner=one.owner)
    assert states(send) == {"cancelled": 3}
    assert not Slice.objects.filter(send=send, done=False).exists()


@pytest.mark.django_db(transaction=True)  # the second failure opens another connection
@pytest.mark.parametrize("failures", [1, 2])
def test_an_answer_is_recorded_although_the_database_failed_when_it_came(failures):
    send, provider, failed = a_send(a_service(), 3), Provider(), []

    def fail(execute, sql, params, many, context):
        if "SET state = %s, queued_at" in sql and len(failed) < failures:
            failed.append(sql)
            raise OperationalError("the server closed the connection")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail), pytest.raises(OperationalError):
        provider.dispatch()
    assert len(failed) == failures
    assert states(send) == {"queued": 3}
    assert all(send.messages.values_list("provider_id", flat=True))
    assert len(provider.bodies) == 3


def test_two_dispatchers_never_hold_the_same_slice():
    send = a_send(a_service(), 3)
    assert len(claim.claim(owner=Owner("one"), limit=4)) == 1
    assert claim.claim(owner=Owner("two"), limit=4) == []
    assert Slice.objects.get(send=send).owner == "one"


def test_a_service_number_rule_adds_the_plus_to_recipients_only():
    provider = Provider()
    a_send(a_service(e164_plus=True))
    provider.dispatch()
    assert provider.numbers == ["+447710000000"]
    assert provider.bodies[0]["from"] == "SHOP"


def test_a_text_outside_gsm7_is_sent_as_unicode():
    provider = Provider()
    a_send(a_service(), content="Привет 👋")
    provider.dispatch()
    assert provider.bodies[0]["content"] == {"type": "unicode", "text": "Привет 👋"}


def test_a_provider_template_carries_substitutions_instead_of_a_text():
    import io

    from sms.audiences.files import Limits, read
    from sms.models import MessageTemplate

    service, provider = a_service(), Provider()
    template = MessageTemplate.objects.create(
        service=service, name="welcome", provider_template_id="5S2ABCDFNR", provider_placeholders="name"
    )
    audience = read(
        io.BytesIO(b"number,Name\n+447710000001,Ada\n"), name="a.csv", country="GB", limits=Limits()
    )
    a_send(service, content="", template=template, audience=audience)
    provider.dispatch()
    (body,) = provider.bodies
    assert body["template"] == {"id": "5S2ABCDFNR"}
    assert "content" not in body
    assert body["to"][0]["substitutions"] == {"name": "Ada"}


def test_the_contracted_rate_is_kept():
    """How even it is within each second, `tests/bench/rate.py` measures; a busy machine only adds to the time."""
    provider = Provider()
    send = a_send(a_service(rate=40), 60)
    started = time.monotonic()
    provider.dispatch(clients=8)
    assert states(send) == {"queued": 60}
    assert time.monotonic() - started > 59 / 40 - 0.1, "more than the contracted rate"


def test_reservations_of_two_dispatchers_share_one_rate():
    service = a_service(rate=10)
    instants: list[float] = []
    for wanted in (2, 5):
        with transaction.atomic():
            grant = rate.open_grant(service.pk, rate=10)
            instants += [grant.take(1) for _ in range(min(wanted, grant.room))]
            grant.close()
    assert instants == sorted(instants)
    assert all(later - earlier > 0.05 for earlier, later in zip(instants, instants[1:], strict=False))
    assert 2 <= len(instants) <= 4, "nothing is reserved beyond the horizon"
