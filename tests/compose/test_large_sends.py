"""Large sends: their messages are written in the background, each row once whatever breaks off, and nothing is leased before the end."""

import io
from datetime import timedelta

import pytest
from django.utils import timezone

from sms.audiences.files import Limits, read
from sms.compose import background
from sms.compose.create import create
from sms.compose.order import LARGE
from sms.inbound import optouts
from sms.models import (
    AuditEvent,
    Fact,
    Message,
    OptOut,
    Preparation,
    Reject,
    SendState,
    Slice,
)
from sms.sends import reschedule
from sms.sends.cancel import cancel
from tests.support.large_audiences import large_order, one_block, rows
from tests.support.provider import Provider
from tests.support.sends import BY, a_service, an_order

pytestmark = pytest.mark.django_db
FOREVER = {"stopped": lambda: False}


def test_it_is_preparing_until_every_message_is_there_and_then_as_a_small_one_would_be():
    service = a_service()
    send = create(large_order(service, ramp=True), by=BY)
    assert (send.state, send.recipients, send.rejected) == (SendState.PREPARING, 2_475, 25)
    assert AuditEvent.objects.filter(act="send.created", noun_key=str(send.pk)).exists()
    one_block(send)
    assert 0 < send.messages.count() < 1_001 and not Slice.objects.exists(), "nothing to lease yet"
    assert background.has_work()
    background.run(**FOREVER)
    send.refresh_from_db()
    assert (send.state, send.counts()) == (SendState.SENDING, {"pending": 2_475})
    small = read(io.BytesIO(rows(2_500)), name="a.csv", country="GB", limits=Limits())
    twin = create(an_order(service, audience=small, content="Hi $(name)", ramp=True), by=BY)
    kept = ("row", "msisdn", "country", "text", "segments", "zone", "state", "substitutions")
    assert list(send.messages.values_list(*kept)) == list(twin.messages.values_list(*kept))
    cut = [[(one.stage, _covered(one)) for one in Slice.objects.filter(send=which)] for which in (send, twin)]
    assert cut[0] == cut[1]
    refused = ("row", "value", "code", "reason")
    assert list(send.rejects.values_list(*refused)) == list(twin.rejects.values_list(*refused))
    assert send.preparation.state == "ready" and not background.has_work()
    assert send.audience_digest == twin.audience_digest != ""


def test_every_message_of_a_large_send_keeps_what_it_is_called():
    service = a_service()
    lines = [f"0771{at:07d},o-{at}" if at % 3 else f"0771{at:07d}," for at in range(LARGE + 1_500)]
    content = "\n".join(["number,correlation_id", *lines]).encode()
    audience = read(io.BytesIO(content), name="a.csv", country="GB", limits=Limits())
    send = create(an_order(service, audience=audience), by=BY)
    assert send.state == SendState.PREPARING
    background.run(**FOREVER)
    rows = send.messages.select_related("echo").order_by("row")
    assert [one.partner_correlation_id for one in rows] == [line.partition(",")[2] for line in lines]


def _covered(one: Slice) -> int:
    return Message.objects.filter(send=one.send, pk__range=(one.first_id, one.last_id)).count()


def test_wherever_it_breaks_off_every_row_is_there_once():
    send = create(large_order(a_service()), by=BY)
    for _ in range(10):
        one_block(send)
    send.refresh_from_db()
    assert send.state == SendState.SENDING
    written = list(send.messages.values_list("row", flat=True)) + list(
        send.rejects.values_list("row", flat=True)
    )
    assert sorted(written) == list(range(2, 2_502))
    assert send.counts() == {"pending": send.messages.count()}


def test_what_was_taken_over_after_its_lease_ran_out_writes_nothing_more():
    from sms.compose.background.expand import expand
    from sms.compose.background.lease import LeaseLost, PreparationLease

    send = create(large_order(a_service()), by=BY)
    slow = PreparationLease(send.preparation.pk, owner="slow")
    assert slow.take()
    steps = expand(send.preparation, slow)
    next(steps)
    Preparation.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    background.run(**FOREVER)
    with pytest.raises(LeaseLost):
        next(steps)
    assert send.messages.count() + send.rejects.count() == 2_500


def test_cancelled_while_it_is_written_it_ends_there():
    send = create(large_order(a_service()), by=BY)
    one_block(send)
    there = send.messages.count()
    assert cancel(send, by=BY) == there > 0
    background.run(**FOREVER)
    assert (send.state, send.recipients, send.counts()) == (SendState.CANCELLED, there, {"cancelled": there})
    assert send.messages.count() == there and not Slice.objects.exists()
    assert send.preparation.state == "cancelled" and not background.has_work()


def test_opting_out_while_it_is_written_stops_the_message():
    service = a_service()
    send = create(large_order(service), by=BY)
    one_block(send)
    number = "+447710002000"
    optouts.opt_out(service.pk, [optouts.Refusal(number, "asked")], by=BY, source=OptOut.Source.PAGE)
    background.run(**FOREVER)
    send.refresh_from_db()
    assert Reject.objects.get(send=send, code="opted_out").row == 2_002
    assert (send.recipients, send.rejected) == (2_474, 26)


def test_a_scheduled_one_waits_for_its_time_and_may_be_put_off_while_it_is_written():
    service = a_service()
    due = timezone.now() + timedelta(days=1)
    send = create(large_order(service, due_at=due), by=BY)
    reschedule.reschedule(send, due_at=due + timedelta(days=1), by=BY)
    background.run(**FOREVER)
    send.refresh_from_db()
    assert send.state == SendState.SCHEDULED
    assert set(Slice.objects.values_list("due_at", flat=True)) == {due + timedelta(days=1)}


def test_it_is_dispatched_once_it_is_there():
    service = a_service(slug="quick", name="Quick")
    send = create(large_order(service, 1_050), by=BY)
    provider = Provider()
    provider.dispatch()
    assert not provider.bodies
    background.run(**FOREVER)
    provider.dispatch()
    assert len(provider.numbers) == len(set(provider.numbers)) == send.recipients
    send.refresh_from_db()
    assert send.state == SendState.FINISHED


def test_its_figures_in_reports_are_those_of_a_small_one():
    from sms.reports import facts

    service = a_service()
    create(large_order(service), by=BY)
    background.run(**FOREVER)
    facts.fold()
    assert facts.compare()[1] is None
    told = Fact.objects.filter(service_id=service.pk, measure="state", cut=Fact.Cut.WHOLE, grain="d")
    assert sum(told.values_list("messages", flat=True)) == 2_475
