"""Each step of dispatch by itself: what is claimed, renewed and given back, what shares a request, and what posters do."""

import json
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from sms import dispatch
from sms.catalogue.credentials import connection_of
from sms.dispatch import claim
from sms.dispatch.breaker import Breaker
from sms.dispatch.claim import ClaimedMessage, Owner
from sms.dispatch.fair_queue import FairQueue
from sms.dispatch.post import ArmedRequest, Held, Late, Posters
from sms.dispatch.request import batches, template_of
from sms.dispatch.settle import by_policy
from sms.models import AuditEvent, Hold, Lane, Message, Resend, Send, SendState, Slice
from sms.webex.errors import NotSent, Unconfirmed
from sms.webex.replies import Accepted
from tests.support.dispatching import Dispatcher, back_in_time, release, states
from tests.support.provider import PUBLIC_URL, Provider, accepted, raw_reply
from tests.support.sends import BY, PROVED, a_send, a_service

pytestmark = pytest.mark.django_db


# --- leases -------------------------------------------------------------------------------------------------------------
def test_a_post_must_begin_within_six_tenths_of_its_lease():
    def within(until: float, began: float, seconds: float) -> bool:
        """Counted from a moment between `began` and now, however long that is."""
        return began + seconds <= until <= time.monotonic() + seconds

    began = time.monotonic()
    assert within(Owner("one", timedelta(seconds=100)).until, began, 60)
    send = a_send(a_service(), 2)
    began = time.monotonic()
    (mine,) = claim.claim(owner=Owner("one", timedelta(seconds=100)), limit=1)
    assert within(mine.until, began, 60)
    assert (mine.send_id, mine.halted, mine.lost, mine.in_flight) == (send.pk, False, False, 0)
    mine.until, began = 0.0, time.monotonic()
    claim.renew([mine], owner=Owner("one", timedelta(seconds=50)))
    assert within(mine.until, began, 30)


def test_a_lost_lease_keeps_nothing_waiting():
    send = a_send(a_service(), 3)
    one = Dispatcher(send, "one")
    Slice.objects.update(owner="two")
    claim.renew([one.lease], owner=one.owner)
    assert (one.lease.lost, one.lease.halted, list(one.lease.waiting)) == (True, True, [])
    claim.load(one.lease)
    claim.load(one.lease)
    assert len(one.lease.waiting) == 3, "loaded, not added"


def test_a_claim_begins_a_scheduled_send_and_takes_no_more_than_asked():
    service = a_service()
    sends = [a_send(service, 1, due_at=timezone.now() + timedelta(hours=1)) for _ in range(3)]
    assert claim.claim(owner=Owner("one"), limit=9) == []
    Slice.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert len(claim.claim(owner=Owner("one"), limit=2)) == 2
    assert sorted(Send.objects.values_list("state", flat=True)) == ["scheduled", "sending", "sending"]
    assert len(claim.claim(owner=Owner("one"), limit=2)) == 1
    assert {one.send_id for one in Slice.objects.exclude(owner="")} == {one.pk for one in sends}


@pytest.mark.parametrize(
    ("change", "open_"),
    [
        ({}, True),
        ({"state": SendState.AWAITING}, False),
        ({"service__paused_at": timezone.now(), "service__paused_because": "x"}, False),
        ({"slice__done": True}, False),
        ({"slice__stage": 1}, False),
        ({"slice__stage": 1, "stage": 1}, True),
    ],
)
def test_what_can_be_claimed(change, open_):
    send = a_send(a_service(), 1)
    for name, value in change.items():
        if name.startswith("service__"):
            setattr(send.service, name.removeprefix("service__"), value)
        elif name.startswith("slice__"):
            Slice.objects.update(**{name.removeprefix("slice__"): value})
        else:
            Send.objects.update(**{name: value})
    send.service.save()
    assert bool(claim.open_slices()) == open_
    assert bool(claim.claim(owner=Owner("one"), limit=1)) == open_
    assert (dispatch.due_within(0) is not None) is False if not open_ else True


@pytest.mark.parametrize("held", ["send", "sender", "link_domain"])
def test_what_is_held_cannot_be_claimed_until_it_is_lifted(held):
    from sms.models import ShortLinkDomain

    service = a_service()
    domain = ShortLinkDomain.objects.create(
        service=service, region=service.region, host="go.example.test", state="working"
    )
    send = a_send(service, 1)
    Send.objects.update(link_domain=domain)
    send.refresh_from_db()
    thing = send if held == "send" else getattr(send, held)
    hold = Hold.objects.create(service=service, placed_by="ada", because="x", **{held: thing})
    assert claim.claim(owner=Owner("one"), limit=1) == []
    hold.lifted_at, hold.lifted_by = timezone.now(), "ada"
    hold.save()
    assert len(claim.claim(owner=Owner("one"), limit=1)) == 1


def test_order_in_line_is_lane_then_each_sends_first_then_ours_then_time():
    service = a_service()
    first, second = a_send(service, 501), a_send(service, 501)
    urgent = a_send(service, 1, lane=Lane.URGENT)
    slices = {
        send.pk: list(Slice.objects.filter(send=send).order_by("pk")) for send in (first, second, urgent)
    }
    due = claim.open_slices().order_by()
    wanted = [
        slices[urgent.pk][0],
        slices[first.pk][0],
        slices[second.pk][0],
        slices[first.pk][1],
        slices[second.pk][1],
    ]
    assert claim._in_order(due, working_on=set()) == [one.pk for one in wanted]
    wanted[1], wanted[2], wanted[3], wanted[4] = wanted[2], wanted[1], wanted[4], wanted[3]
    assert claim._in_order(due, working_on={first.pk}) == [one.pk for one in wanted]


def test_reopening_makes_a_finished_sends_slice_due_again():
    send = a_send(a_service(), 2)
    Provider(lambda body: raw_reply(500)).dispatch(clients=1)
    send.refresh_from_db()
    assert (send.state, Slice.objects.get().done) == (SendState.FINISHED, True)
    claim.reopen([Slice.objects.get().pk], retry_in=40.0)
    send.refresh_from_db()
    row = Slice.objects.get()
    assert (send.state, row.done) == (SendState.SENDING, False)
    assert 35 < (row.due_at - timezone.now()).total_seconds() <= 40
    Send.objects.update(state=SendState.CANCELLED)
    Slice.objects.update(done=True)
    claim.reopen([row.pk])
    assert Send.objects.get().state == SendState.CANCELLED, "cancelled stays cancelled"


@pytest.mark.parametrize(
    ("resend", "again"), [(Resend.NEVER, None), (Resend.ALWAYS, 10), (Resend.EVIDENCE, 900)]
)
def test_a_slice_comes_due_again_as_its_policy_says(resend, again):
    later = timezone.now() + timedelta(hours=9)
    send = a_send(a_service(), 1, resend=resend, expires_at=later)
    Provider(lambda body: raw_reply(500)).dispatch(clients=1)
    row = Slice.objects.get(send=send)
    assert row.done == (again is None)
    if again is not None:
        assert again - 5 < (row.due_at - timezone.now()).total_seconds() <= again


@pytest.mark.parametrize(("days", "waits"), [(2.9, True), (3.1, False)])
def test_a_receipt_is_waited_for_three_days(days, waits):
    send = a_send(a_service(), 1, resend=Resend.EVIDENCE)
    Provider(lambda body: raw_reply(500)).dispatch(clients=1)
    back_in_time(send, timedelta(days=days))
    release(send)
    Provider().dispatch(clients=1)
    assert Slice.objects.get(send=send).done is not waits


def test_due_within_is_the_soonest_in_seconds():
    service = a_service()
    send = a_send(service, 1)
    assert dispatch.due_within(0.0) == dispatch.due_within(60.0) == 0.0
    Slice.objects.update(due_at=timezone.now() + timedelta(seconds=30))
    assert dispatch.due_within(29.0) is None
    assert 25 < dispatch.due_within(40.0) <= 30
    assert dispatch.due_within(-5.0) is None
    other = a_send(service, 1)
    Slice.objects.filter(send=other).update(due_at=timezone.now() + timedelta(seconds=10))
    assert 5 < dispatch.due_within(40.0) <= 10
    assert send.pk != other.pk


# --- requests -----------------------------------------------------------------------------------------------------------
def a_message(pk: int, text: str, **values: str) -> ClaimedMessage:
    return ClaimedMessage(pk, f"+44771000{pk:04d}", text, values, 0, "")


@pytest.mark.parametrize(
    ("size", "texts", "runs"),
    [
        (1, "aaa", [1, 1, 1]),
        (2, "aaa", [2, 1]),
        (3, "aaa", [3]),
        (2, "abb", [1, 2]),
        (9, "aabba", [2, 2, 1]),
        (9, "", []),
    ],
)
def test_messages_with_one_text_share_a_request(size, texts, runs):
    template = template_of(a_send(a_service(batch_size=9), 1), public_url=PUBLIC_URL)
    messages = [a_message(at, text) for at, text in enumerate(texts)]
    found = list(batches(messages, template=template, size=size))
    assert [len(one) for one in found] == runs
    assert [message for one in found for message in one] == messages


def test_messages_of_one_pattern_share_a_request_in_one_encoding_where_filling_is_proved():
    send = a_send(a_service(batch_size=9, **PROVED), 1)
    Send.objects.filter(pk=send.pk).update(text="Hi $(name)")
    send.refresh_from_db()
    template = template_of(send, public_url=PUBLIC_URL)
    messages = [a_message(at, f"Hi {name}", name=name) for at, name in enumerate(["Ann", "Bob", "Żoe", "Cy"])]
    assert [len(one) for one in batches(messages, template=template, size=9)] == [2, 1, 1]


def test_the_attempt_that_is_posted_is_the_one_that_is_recorded():
    provider = Provider()
    send = a_send(a_service(), 2)
    provider.dispatch()
    for message in send.messages.all():
        assert (message.attempt, message.resent, message.code, message.detail) == (1, 0, "", "")
        assert message.queued_at is not None and message.posted_at <= message.queued_at
    sent = {body["to"][0]["correlationId"].split("-")[1] for body in provider.bodies}
    assert sent == {"1"}


# --- posters ------------------------------------------------------------------------------------------------------------
def posting(answer=accepted, most: int = 1):
    provider = Provider(answer)
    return provider, Posters(most, client_for=provider.client_for)


def a_request(service, *, number: int = 0, **changes) -> ArmedRequest:
    body = json.dumps({"to": [{"msisdn": [str(number)], "correlationId": f"c-{number}"}]}).encode()
    fields = {
        "lease": None,
        "messages": (),
        "body": body,
        "connection": connection_of(service),
        "breaker": Breaker(),
    }
    return ArmedRequest(service_id=service.pk, **fields | changes)


def test_a_request_leaves_at_its_instant_and_not_before():
    provider, posters = posting()
    service = a_service()
    at = time.monotonic() + 0.15
    posters.post(a_request(service, not_before=at))
    (outcome,) = posters.outcomes(at_least=1, timeout=20.0)
    assert isinstance(outcome.result, Accepted) and time.monotonic() >= at
    posters.close()
    assert len(provider.bodies) == 1


def test_requests_leave_in_the_order_of_their_instants():
    provider, posters = posting()
    service, now = a_service(), time.monotonic()
    for number, later in ((1, 0.9), (2, 0.3), (3, 0.6)):
        posters.post(a_request(service, number=number, not_before=now + later))
    found = []
    while len(found) < 3:
        found += posters.outcomes(at_least=3 - len(found), timeout=20.0)
    posters.close()
    assert provider.numbers == ["2", "3", "1"]


def test_what_cannot_leave_is_held_or_late_and_never_posted():
    provider, posters = posting()
    service = a_service()
    send = a_send(service, 3)
    one = Dispatcher(send, "one")
    broken = Breaker(broken=True)
    past = time.monotonic() - 1.0

    def result(**changes):
        posters.post(a_request(service, **{"lease": one.lease} | changes))
        (outcome,) = posters.outcomes(at_least=1, timeout=20.0)
        return type(outcome.result)

    assert result() is Accepted
    assert result(breaker=broken) is Held
    assert result(breaker=broken, lease=None) is Accepted, "a probe"
    assert result(not_before=past) is Accepted, "without a pace no instant is exact"
    assert result(not_before=past, paced=True) is Late
    one.lease.halted = True
    assert result() is Held
    one.lease.halted, one.lease.until = False, time.monotonic() - 0.001
    assert result() is Held
    posters.close()
    assert len(provider.bodies) == 3


@pytest.mark.parametrize(
    ("problem", "kind", "code"),
    [(ValueError("no address"), NotSent, "unreachable"), (OSError("no file"), NotSent, "unreachable")],
)
def test_a_client_that_cannot_be_made_sends_nothing(problem, kind, code):
    def no_client(_):
        raise problem

    posters = Posters(1, client_for=no_client)
    posters.post(a_request(a_service()))
    (outcome,) = posters.outcomes(at_least=1, timeout=20.0)
    posters.close()
    assert (type(outcome.result), outcome.result.code, outcome.result.detail) == (kind, code, str(problem))


def test_posters_that_wait_end_once_the_last_request_has_left():
    provider, posters = posting(most=8)
    posters.post(a_request(a_service(), not_before=time.monotonic() + 0.3))
    assert posters.close(), "none of them is taken for one that hangs"
    assert len(provider.bodies) == 1


def test_a_bug_of_ours_leaves_the_message_unconfirmed():
    def broken(_):
        raise ZeroDivisionError

    _, posters = posting(broken)
    posters.post(a_request(a_service()))
    (outcome,) = posters.outcomes(at_least=1, timeout=20.0)
    posters.close()
    assert (type(outcome.result), outcome.result.code) == (Unconfirmed, "bug")
    assert outcome.result.detail == "unexpected ZeroDivisionError"


def test_outcomes_come_in_groups_or_when_the_time_is_over():
    _, posters = posting(most=4)
    service = a_service()
    assert posters.outcomes(at_least=1, timeout=0.0) == []
    assert posters.count == 4
    for number in range(3):
        posters.post(a_request(service, number=number))
    found = posters.outcomes(at_least=3, timeout=20.0)
    assert len(found) == 3
    posters.close()
    assert not [thread for thread in posters._threads if thread.is_alive()]


# --- fairness -----------------------------------------------------------------------------------------------------------
def test_places_follow_the_weights_exactly():
    wants = {1: (Lane.BULK, 500), 2: (Lane.URGENT, 500), 3: (Lane.NORMAL, 500)}
    order = FairQueue().order(wants, room=73)
    assert [order.count(send) for send in (1, 2, 3)] == [1, 64, 8]
    assert FairQueue().order({1: (Lane.BULK, 0), 2: (Lane.BULK, 2)}, room=9) == [2, 2]
    assert FairQueue().order(wants, room=0) == []


# --- settling -----------------------------------------------------------------------------------------------------------
def unconfirmed(count: int = 1, **changes) -> Send:
    send = a_send(a_service(), count, **changes)
    while states(send).get("unconfirmed", 0) < count:
        Provider(lambda body: raw_reply(500)).dispatch(clients=1, seconds=1)
        release(send)
    return send


@pytest.mark.parametrize(
    ("verdict", "words"), [("treat_as_sent", "Treated as sent"), ("give_up", "Given up")]
)
def test_a_persons_verdict_stands_with_the_message(verdict, words):
    send = unconfirmed(2)
    first = send.messages.order_by("pk").first()
    assert (
        dispatch.by_person(send, dispatch.Settlement(verdict), by=BY, only=[first.pk], reason="r" * 201) == 1
    )
    first.refresh_from_db()
    assert first.detail == f"{words} by {BY.label}."
    assert (first.state, first.code) == (
        ("queued", "") if verdict == "treat_as_sent" else ("failed", "given_up")
    )
    assert AuditEvent.objects.get(act=f"messages.{verdict}").details == {"messages": 1, "reason": "r" * 200}
    assert states(send)["unconfirmed"] == 1
    assert dispatch.by_person(send, dispatch.Settlement(verdict), by=BY, only=[]) == 0


def test_sending_again_by_a_person_finishes_nothing_and_reopens_its_slice():
    send = unconfirmed(1)
    send.refresh_from_db()
    assert send.state == SendState.FINISHED
    assert dispatch.by_person(send, dispatch.Settlement.SEND_AGAIN, by=BY) == 1
    send.refresh_from_db()
    assert (send.state, Slice.objects.get().done, states(send)) == (SendState.SENDING, False, {"pending": 1})
    assert dispatch.due_within(0.0) == 0.0
    assert Message.objects.get().resent == 0, "a person's decision is no attempt of the policy"


@pytest.mark.parametrize(("seconds", "again"), [(9, 0), (11, 1)])
def test_a_policy_sends_again_after_its_time_and_counts_it(seconds, again):
    later = timezone.now() + timedelta(hours=9)
    send = unconfirmed(1, resend=Resend.ALWAYS, expires_at=later)
    back_in_time(send, timedelta(seconds=seconds))
    assert by_policy([send.pk]) == again
    assert by_policy([send.pk]) == 0, "once"
    assert Message.objects.get().resent == again
    assert by_policy([]) == 0
