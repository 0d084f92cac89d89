"""Sends under way: at which figures a ramp goes on, and at which a rule holds them. Figures come from receipts, as in real life."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from sms import dispatch
from sms.inbound import receipts
from sms.models import AuditEvent, Hold, OptOut, Send, Slice
from sms.sends import holds
from tests.support.callbacks import comes_in
from tests.support.dispatching import back_in_time
from tests.support.provider import Provider
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db


def come(send, *, delivered: int = 0, failed: int = 0) -> None:
    """Receipts for messages that the provider has."""
    waiting = list(send.messages.filter(state="queued").order_by("pk")[: delivered + failed])
    assert len(waiting) == delivered + failed
    for index, message in enumerate(waiting):
        code, status = ("7203", "Un-Delivered") if index < failed else ("7500", "Delivered")
        comes_in(message, code=code, status=status)
    receipts.fold()


def stage(send) -> int:
    return Send.objects.get(pk=send.pk).stage


def ramped(service=None, count: int = 1000):
    """A send whose first stage is posted."""
    send = a_send(service or a_service(), count, ramp=True)
    Provider().dispatch(seconds=3)
    return send


def under_way(service, count: int = 100):
    """A send of one stage whose messages are all with the provider, and which is not over."""
    send = a_send(service, count)
    Provider().dispatch(seconds=5)
    Slice.objects.filter(send=send).update(done=False, due_at=timezone.now() + timedelta(hours=1))
    Send.objects.filter(pk=send.pk).update(state="sending")
    return send


@pytest.mark.parametrize(("count", "sizes"), [(100, [1, 9, 90]), (250, [3, 22, 225]), (1000, [10, 90, 900])])
def test_a_ramp_has_stages_of_one_and_ten_percent_and_the_rest(count, sizes):
    send = a_send(a_service(), count, ramp=True)
    found = [0, 0, 0]
    for row in Slice.objects.filter(send=send):
        found[row.stage] += send.messages.filter(pk__gte=row.first_id, pk__lte=row.last_id).count()
    assert found == sizes


def test_a_stage_waits_for_four_fifths_of_the_final_receipts_and_goes_on_by_one(
    django_capture_on_commit_callbacks,
):
    send = ramped()
    come(send, delivered=7)
    assert (dispatch.watch(), stage(send)) == (0, 0)
    OrmQ.objects.all().delete()
    come(send, delivered=1)
    with django_capture_on_commit_callbacks(execute=True):
        assert (dispatch.watch(), stage(send)) == (1, 1)
    assert OrmQ.objects.count() == 1, "dispatchers are woken"
    row = AuditEvent.objects.get(act="send.stage")
    assert (row.details["stage"], row.details["posted"], row.actor_kind) == (1, 10, "system")
    assert (dispatch.watch(), stage(send)) == (0, 1), "the next stage is not posted yet"


def test_a_stage_with_few_receipts_goes_on_after_ten_minutes():
    send = ramped()
    come(send, delivered=2)  # with none at all the usual rule of services would hold it
    back_in_time(send, timedelta(minutes=9, seconds=50))
    assert (dispatch.watch(), stage(send)) == (0, 0)
    back_in_time(send, timedelta(seconds=20))
    assert (dispatch.watch(), stage(send)) == (1, 1)


def test_the_last_stage_is_the_last():
    send = ramped()
    Send.objects.filter(pk=send.pk).update(stage=2)
    come(send, delivered=10)
    assert (dispatch.watch(), stage(send)) == (0, 2)


@pytest.mark.parametrize(("failed", "rule"), [(1, None), (2, "failures")])
def test_a_ramp_is_held_at_a_fifth_of_failures_where_the_service_has_no_stricter_rule(failed, rule):
    send = ramped(a_service(hold_failures=90))
    come(send, delivered=10 - failed, failed=failed)
    assert dispatch.watch() == 1
    assert (Hold.objects.filter(send=send).values_list("rule", flat=True).first(), stage(send)) == (
        rule,
        0 if rule else 1,
    )


def test_a_stricter_rule_of_the_service_holds_a_ramp_too():
    send = ramped(a_service(hold_failures=10))
    come(send, delivered=9, failed=1)
    assert dispatch.watch() == 1
    assert Hold.objects.get(send=send).facts["limit"] == 10


@pytest.mark.parametrize(
    ("failed", "delivered", "held"), [(30, 69, False), (29, 71, False), (30, 70, True), (31, 69, True)]
)
def test_failures_hold_a_send_from_a_hundred_results_and_the_limit_on(failed, delivered, held):
    send = under_way(a_service(hold_failures=30))
    come(send, failed=failed, delivered=delivered)
    assert dispatch.watch() == int(held)
    assert Hold.objects.filter(send=send, rule="failures").exists() == held


@pytest.mark.parametrize(("refusals", "held"), [(4, False), (5, True)])
def test_opt_outs_hold_a_send_from_the_limit_on(refusals, held):
    service = a_service(hold_opt_outs=5)
    send = under_way(service)
    for index in range(refusals):
        OptOut.objects.create(service=service, msisdn=f"+44771{index:07d}", source="inbound", send=send)
    assert dispatch.watch() == int(held)
    assert [hold.facts["opt_outs"] for hold in Hold.objects.filter(send=send)] == [5] * held


@pytest.mark.parametrize(("minutes", "receipts_in", "held"), [(9, 0, False), (11, 1, False), (11, 0, True)])
def test_silence_holds_a_send_when_enough_have_had_no_receipt_for_ten_minutes(minutes, receipts_in, held):
    send = under_way(a_service(hold_silence=100))
    come(send, delivered=receipts_in)
    back_in_time(send, timedelta(minutes=minutes))
    assert dispatch.watch() == int(held)
    assert Hold.objects.filter(send=send, rule="silence").exists() == held


def test_a_rule_that_a_person_overruled_does_not_hold_the_send_again_and_others_still_do():
    service = a_service(hold_failures=30, hold_opt_outs=1)
    send = under_way(service)
    come(send, failed=60, delivered=40)
    assert dispatch.watch() == 1
    holds.lift(Hold.objects.get(send=send), by=BY)
    assert dispatch.watch() == 0
    OptOut.objects.create(service=service, msisdn="+447710000001", source="inbound", send=send)
    assert dispatch.watch() == 1
    assert list(Hold.objects.filter(send=send).order_by("pk").values_list("rule", flat=True)) == [
        "failures",
        "opt_outs",
    ]


@pytest.mark.parametrize("what", ["service", "send"])
def test_what_is_paused_already_is_not_judged(what):
    service = a_service(hold_failures=30)
    send = under_way(service)
    come(send, failed=100)
    if what == "service":
        service.paused_at, service.paused_because = timezone.now(), "Wrong price"
        service.save()
    else:
        Hold.objects.create(service=service, send=send, placed_by="ada", because="Wrong price")
    assert dispatch.watch() == 0


def test_a_run_watches_the_sends_that_it_works_on():
    send = ramped(a_service(hold_failures=50))
    come(send, failed=10)
    Slice.objects.filter(send=send, stage=0).update(done=False)
    Provider().dispatch(seconds=3)
    assert Hold.objects.get(send=send).rule == "failures"
