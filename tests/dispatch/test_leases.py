"""Leases: as long as they were asked for, kept while the provider takes its time, and the fence before everything that is armed."""

import threading
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from sms import dispatch
from sms.dispatch import claim
from sms.dispatch.claim import Owner
from sms.models import Hold, Slice
from sms.sends.cancel import cancel
from tests.support.dispatching import Dispatcher, states
from tests.support.provider import Provider, accepted, raw_reply, refused
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db


def left(send) -> float:
    """Seconds until the lease of its slice runs out."""
    return (Slice.objects.get(send=send).leased_until - timezone.now()).total_seconds()


def test_a_lease_is_as_long_as_was_asked_for_and_nothing_else_claims_it_before():
    send = a_send(a_service(), 3)
    (mine,) = claim.claim(owner=Owner("one", timedelta(seconds=90)), limit=4)
    assert 80 < left(send) <= 90
    assert len(mine.waiting) == 3
    assert dispatch.due_within(60) is None, "leased for longer"
    assert 80 < (dispatch.due_within(120) or 0) <= 90, "when its lease runs out it is due"
    assert claim.claim(owner=Owner("two"), limit=4) == []
    assert dispatch.sweep() == 0, "a lease that is kept is not swept"
    Slice.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert dispatch.due_within(0) == 0.0
    assert [lease.send_id for lease in claim.claim(owner=Owner("two"), limit=4)] == [send.pk]


def test_leases_are_renewed_while_the_provider_takes_its_time():
    send = a_send(a_service(), 2)
    over, seen = threading.Event(), set()

    def answer(body):
        over.wait(20)
        return accepted(body)

    def look() -> bool:
        seen.update(Slice.objects.filter(send=send, done=False).values_list("leased_until", flat=True))
        if len(seen) > 4:
            over.set()
        return False

    Provider(answer).dispatch(lease=timedelta(seconds=6), stopped=look, seconds=15)
    assert len(seen) > 4, "the lease stayed as it was when its messages were armed"
    assert states(send) == {"queued": 2}


def test_arming_renews_the_lease():
    send = a_send(a_service(), 3)
    one = Dispatcher(send, "one")
    Slice.objects.filter(send=send).update(leased_until=timezone.now() + timedelta(seconds=5))
    assert len(one.arm(2)) == 2
    assert 50 < left(send) <= 60


def test_a_slice_that_another_process_took_is_not_armed_given_back_or_done():
    send = a_send(a_service(), 3)
    one = Dispatcher(send, "one")
    Slice.objects.filter(send=send).update(owner="two")
    assert one.arm(3) == []
    assert one.lease.lost and one.lease.halted
    claim.finish(one.lease, owner=one.owner)
    assert (Slice.objects.get(send=send).owner, states(send)) == ("two", {"pending": 3})


def test_a_process_that_froze_begins_no_post_that_could_outlive_its_lease():
    send = a_send(a_service(), 40)
    begun: list[float] = []
    frozen: list[float] = []

    def answer(body):
        begun.append(time.monotonic())
        time.sleep(0.2)
        return accepted(body)

    def freeze() -> bool:
        if begun and not frozen:
            frozen.append(time.monotonic())
            time.sleep(4.0)
            frozen.append(time.monotonic())
        return bool(frozen)

    Provider(answer).dispatch(clients=1, lease=timedelta(seconds=2), stopped=freeze, seconds=20)
    start, end = frozen
    assert not [at for at in begun if start + 2.0 < at < end], "posted under a lease that had run out"
    assert states(send) == {"queued": len(begun), "pending": 40 - len(begun)}


def test_sweeping_settles_a_dead_process_where_nothing_may_claim_and_frees_its_slice():
    service = a_service()
    send = a_send(service, 5)
    Dispatcher(send, "dead").arm(2)
    service.paused_at, service.paused_because = timezone.now(), "Wrong price"
    service.save()
    assert dispatch.sweep() == 0
    Slice.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert dispatch.sweep() == 1
    assert states(send) == {"unconfirmed": 2, "pending": 3}
    assert list(Slice.objects.values_list("owner", "leased_until", "done")) == [("", None, False)]
    assert dispatch.sweep() == 0


@pytest.mark.parametrize("held", ["send", "sender"])
def test_a_hold_is_seen_by_the_next_arming_and_lifting_it_makes_the_rest_due(held):
    service = a_service()
    send = a_send(service, 4)
    one = Dispatcher(send, "one")
    assert len(one.arm(1)) == 1
    held_thing = send if held == "send" else send.sender
    hold = Hold.objects.create(service=service, placed_by="ada", because="Wrong price", **{held: held_thing})
    assert one.arm(3) == []
    assert dispatch.due_within(60) is None
    hold.lifted_at, hold.lifted_by = timezone.now(), "ada"
    hold.save()
    claim.finish(one.lease, owner=one.owner)
    assert dispatch.due_within(0) == 0.0
    Provider().dispatch()
    assert states(send) == {"queued": 3, "posting": 1}


def test_what_is_left_comes_due_again_when_the_provider_said_it_would_listen():
    send = a_send(a_service(), 3)
    Provider(lambda body: raw_reply(429, headers={"Retry-After": "40"})).dispatch(seconds=2, clients=1)
    assert states(send) == {"pending": 3}
    assert 25 < (dispatch.due_within(60) or 0) <= 40
    assert dispatch.due_within(10) is None


def test_a_slice_is_done_only_when_nothing_of_it_can_be_posted_any_more():
    send = a_send(a_service(), 4)
    one = Dispatcher(send, "one")
    one.arm(2)
    claim.finish(one.lease, owner=one.owner, retry_in=30)
    row = Slice.objects.get(send=send)
    assert (row.done, row.owner) == (False, "")
    assert 20 < (row.due_at - timezone.now()).total_seconds() <= 30
    send.refresh_from_db()
    assert send.state == "sending"
    assert cancel(send, by=BY) == 2
    assert Slice.objects.get(send=send).done


def test_a_message_that_a_refused_batch_held_back_goes_without_the_bad_one():
    def answer(body):
        numbers = [entry["msisdn"][0] for entry in body["to"]]
        return refused("7004") if "447710000003" in numbers else accepted(body)

    provider = Provider(answer)
    send = a_send(a_service(batch_size=8), 8)
    provider.dispatch()
    assert states(send) == {"queued": 7, "failed": 1}
    assert send.messages.get(state="failed").msisdn == "+447710000003"
    assert len(provider.bodies[0]["to"]) == 8
    assert max(message.attempt for message in send.messages.all()) == 1, "one attempt, however it was cut"
