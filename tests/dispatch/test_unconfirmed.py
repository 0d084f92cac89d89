"""What becomes of a message of which we do not know whether it was sent: nothing, a policy's one extra attempt, or a person's decision."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from sms import dispatch
from sms.compose.errors import ComposeError
from sms.models import AuditEvent, Message, Resend, Send, SendState, Slice
from sms.sends.cancel import cancel
from tests.support.dispatching import back_in_time, release, states
from tests.support.provider import Provider, accepted, raw_reply
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db


def unconfirmed(service, count: int = 1, **changes) -> Send:
    send = a_send(service, count, **changes)
    Provider(lambda body: raw_reply(500)).dispatch(clients=1)
    assert states(send).get("unconfirmed")
    return send


def test_by_default_nothing_is_ever_sent_again_by_itself():
    send, provider = unconfirmed(a_service()), Provider()
    back_in_time(send, timedelta(days=1))
    release(send)
    provider.dispatch()
    assert provider.bodies == []
    assert Send.objects.get(pk=send.pk).state == SendState.FINISHED


def test_always_sends_again_once_after_ten_seconds_and_needs_an_expiry():
    service, soon = a_service(), timezone.now() + timedelta(minutes=5)
    with pytest.raises(ComposeError, match="expiry"):
        a_send(service, resend=Resend.ALWAYS)
    send = unconfirmed(service, resend=Resend.ALWAYS, expires_at=soon)
    assert 5 < (dispatch.due_within(60) or 0) <= 10, "the slice comes due again"
    back_in_time(send, timedelta(seconds=11))
    release(send)
    provider = Provider(lambda body: raw_reply(500))
    provider.dispatch()
    assert len([body for body in provider.bodies if body]) == 1
    back_in_time(send, timedelta(seconds=11))
    release(send)
    provider.dispatch()
    assert len([body for body in provider.bodies if body]) == 1, "one extra attempt, no more"


def test_always_does_not_send_again_what_has_expired():
    send = unconfirmed(a_service(), resend=Resend.ALWAYS, expires_at=timezone.now() + timedelta(seconds=1))
    back_in_time(send, timedelta(seconds=11))
    time.sleep(1.0)
    release(send)
    provider = Provider()
    provider.dispatch()
    assert provider.bodies == []


@pytest.mark.parametrize(("witnesses", "again"), [(25, 1), (19, 0)])
def test_evidence_sends_again_only_if_enough_others_had_their_receipts(witnesses, again):
    service = a_service()
    send = a_send(service, 30, resend=Resend.EVIDENCE)
    lost = "447710000004"
    Provider(lambda body: raw_reply(500) if body["to"][0]["msisdn"] == [lost] else accepted(body)).dispatch(
        seconds=1.0
    )
    assert states(send) == {"queued": 29, "unconfirmed": 1}
    others = Message.objects.filter(send=send, state="queued").order_by("pk")[:witnesses]
    Message.objects.filter(pk__in=[other.pk for other in others]).update(submitted_at=timezone.now())
    back_in_time(send, timedelta(minutes=16))
    release(send)
    provider = Provider()
    provider.dispatch()
    assert provider.numbers == [lost] * again


@pytest.mark.parametrize(
    ("verdict", "becomes"),
    [("send_again", "pending"), ("treat_as_sent", "queued"), ("give_up", "failed")],
)
def test_a_person_decides_and_it_is_written_down(verdict, becomes):
    send = unconfirmed(a_service())
    assert dispatch.by_person(send, dispatch.Settlement(verdict), by=BY, reason="the operator says so") == 1
    assert states(send) == {becomes: 1}
    event = AuditEvent.objects.get(act=f"messages.{verdict}")
    assert (event.actor_label, event.details) == (BY.label, {"messages": 1, "reason": "the operator says so"})
    assert dispatch.by_person(send, dispatch.Settlement(verdict), by=BY) == 0, "nothing is left to decide"


def test_what_a_person_sends_again_is_posted_under_a_new_correlation_id():
    send = unconfirmed(a_service())
    dispatch.by_person(send, dispatch.Settlement.SEND_AGAIN, by=BY, reason="asked the customer")
    provider = Provider()
    provider.dispatch()
    assert states(send) == {"queued": 1}
    assert Message.objects.get(send=send).attempt == 2
    assert "-2-" in provider.bodies[0]["to"][0]["correlationId"]


def test_nothing_of_a_cancelled_send_is_sent_again_and_then_called_cancelled():
    service = a_service()
    send = unconfirmed(service, resend=Resend.ALWAYS, expires_at=timezone.now() + timedelta(minutes=5))
    cancel(send, by=BY)
    back_in_time(send, timedelta(seconds=11))
    Slice.objects.filter(send=send).update(done=False)
    release(send)
    Provider().dispatch()
    assert dispatch.by_person(send, dispatch.Settlement.SEND_AGAIN, by=BY) == 0
    assert states(send) == {"unconfirmed": 1}
    assert dispatch.by_person(send, dispatch.Settlement.GIVE_UP, by=BY) == 1
