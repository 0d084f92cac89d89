"""Delivery keeps up with its receivers: as wide as each one takes, urgent events first, replays last, several in one POST, and no
receiver's slowness is another's."""

import json
import threading
from datetime import timedelta

import pytest
import standardwebhooks
from django.db import connection
from django.utils import timezone

from sms import callbacks
from sms.callbacks import leases
from sms.callbacks.run import READY
from sms.callbacks.threads import MOST, MOST_ENDPOINTS, RESERVED, PostThreads
from sms.callbacks.width import FIRST, WIDEST, Width
from sms.models import Callback, CallbackEndpoint
from tests.support.callback_receiver import Heard, receiving
from tests.support.callbacks import an_endpoint, deliver, owe, waiting
from tests.support.sends import BY, a_service

pytestmark = pytest.mark.django_db(transaction=True)


def rounds(width: Width, milliseconds, *, count: int, status: int = 200, more: bool = True) -> list[int]:
    """`count` rounds of answers, each as slow as `milliseconds` says of so many at once; the width after each."""
    found = []
    for at in range(count):
        for _ in range(max(width.now, FIRST)):
            width.answered(status, milliseconds(width.now), began=at, at=at + 0.5, more=more)
        found.append(width.now)
    return found


def test_the_width_doubles_grows_by_one_and_halves_at_trouble():
    width = Width()
    assert rounds(width, lambda _: 200, count=5) == [8, 16, 32, 64, WIDEST]
    width.answered(503, 5, began=9, at=9.5, more=True)
    width.answered(503, 5, began=9, at=9.6, more=True)  # it was on its way with the other one
    assert width.now == 32
    assert rounds(width, lambda _: 200, count=2)[-1] == 32  # answers of before say nothing
    later = Width(32)
    later.answered(429, 5, began=0, at=0.0, more=True)
    assert rounds(later, lambda _: 200, count=3) == [17, 18, 19]


def test_a_receiver_that_does_one_thing_at_a_time_is_not_flooded_and_an_idle_line_widens_nothing():
    width = Width()
    assert max(rounds(width, lambda wide: 300 * wide, count=60)[10:]) <= 2 * FIRST + 1
    assert rounds(Width(), lambda _: 5, count=5, more=False) == [FIRST] * 5
    assert rounds(Width(), lambda _: 5, count=5, status=500) == [FIRST] * 5
    assert rounds(Width(), lambda _: 6000, count=5) == [FIRST] * 5  # half of the deadline is enough


def test_a_host_of_notifyurls_is_asked_little_until_an_endpoint_there_took_its_challenge():
    service = a_service()
    host = an_endpoint(service, "https://shop.example", kind="notify", width=WIDEST)
    owe(host, 1)

    def width() -> int:
        (lease,) = leases.claim("a", limit=1, now=timezone.now())
        CallbackEndpoint.objects.update(leased_until=None, owner="")
        return lease.width.now

    an_endpoint(service, "https://shop.example.evil.example/in")
    an_endpoint(service, "https://shop.example/in", verified_at=None)
    an_endpoint(a_service(slug="other"), "https://shop.example/in")
    assert width() == FIRST
    assert rounds(Width(most=FIRST), lambda _: 5, count=5) == [FIRST] * 5
    an_endpoint(service, "https://shop.example/events")
    assert width() == WIDEST


def test_one_receiver_gets_dozens_at_once_and_the_next_lease_goes_on_from_there():
    with receiving(slow=0.05) as partner:
        endpoint = an_endpoint(a_service(), partner.url)
        owe(endpoint, 400)
        assert deliver().delivered == 400 == len(set(partner.ids))
        assert 16 <= partner.most_at_once <= WIDEST
    endpoint.refresh_from_db()
    assert endpoint.width >= 16


def test_urgent_events_go_first_replays_last_and_none_waits_behind_what_came_before():
    with receiving() as partner:
        endpoint = an_endpoint(a_service(), partner.url, width=1)
        began = timezone.now() - timedelta(minutes=5)
        old = owe(endpoint, 3, at=began - timedelta(days=1))
        deliver()
        callbacks.replay(endpoint, by=BY)
        usual = owe(endpoint, 200, at=began)
        urgent = owe(endpoint, 1, priority=Callback.Priority.URGENT)[0]
        late: list[Callback] = []

        one_at_a_time = threading.Lock()

        def answer(_: Heard):
            with one_at_a_time:
                end.wait(0.01)
                if len(partner.heard) >= 20 and not late:  # while others are at hand already
                    late.extend(owe(endpoint, 1, priority=Callback.Priority.URGENT))
                    connection.close()  # this thread's
            return 200, {}, b""

        end = threading.Event()
        partner.heard, partner.answer = [], answer
        assert deliver().delivered == 205
    assert partner.ids[0] == urgent.event_id
    assert partner.ids.index(late[0].event_id) < 150
    # as many as are on their way at once may pass each other
    assert min(partner.ids.index(one.event_id) for one in old) >= len(partner.ids) - len(old) - WIDEST
    assert partner.ids.index(usual[0].event_id) <= WIDEST
    assert set(
        Callback.objects.filter(pk__in=[one.pk for one in old]).values_list("priority", flat=True)
    ) == {2}


def test_three_days_of_tries_count_from_the_first_try():
    now = timezone.now()
    with receiving(answer=500) as partner:
        endpoint = an_endpoint(a_service(), partner.url)
        (one,) = owe(endpoint, at=now - timedelta(days=5))
        assert one.since is None
        deliver(now)
        one.refresh_from_db()
        assert (one.state, one.since) == ("waiting", now)
        deliver(now + timedelta(days=3, seconds=1))
        one.refresh_from_db()
        assert one.state == "given_up"
        callbacks.replay(endpoint, by=BY)
    one.refresh_from_db()
    assert (one.state, one.since, one.tries) == ("waiting", None, 0)


def test_events_of_a_batch_are_signed_together_and_one_that_is_refused_goes_alone():
    bad = "evt_7"

    def answer(heard: Heard):
        names = [one["id"] for one in heard.json["data"]["events"]]
        return (500 if bad in names else 200), {}, b""

    with receiving(answer=answer) as partner:
        endpoint = an_endpoint(a_service(), partner.url, batch_size=10)
        for one in owe(endpoint, 25):
            one.body = json.dumps({"id": one.event_id, "data": {}})
            one.save()
        now = timezone.now()
        report = deliver(now)
        assert (report.posts, report.tried, report.delivered) == (3, 25, 15)
        assert standardwebhooks.Webhook(endpoint.secret).verify(
            partner.heard[0].body, partner.heard[0].headers
        )
        assert partner.heard[0].json["type"] == "batch" and partner.heard[0].json["id"] == partner.heard[0].id
        deliver(now + timedelta(minutes=6))
        assert [one.event_id for one in Callback.objects.exclude(state="delivered")] == [bad]
        assert sorted(len(heard.json["data"]["events"]) for heard in partner.heard[3:]) == [1] * 10


def test_a_batch_that_met_no_receiver_stays_together_once_and_its_name_is_the_same():
    now = timezone.now()
    with receiving(answer=503) as partner:
        owe(an_endpoint(a_service(), partner.url, batch_size=10), 6, at=now)
        for seconds in (0, 6, 400):
            deliver(now + timedelta(seconds=seconds))
    assert len(partner.heard[0].json["data"]["events"]) == 6
    assert partner.ids[0] == partner.ids[1] and partner.heard[0].body == partner.heard[1].body
    assert {len(heard.json["data"]["events"]) for heard in partner.heard[2:]} == {1}


def test_sixty_failures_at_once_are_one_and_the_receiver_is_asked_again_soon():
    now = timezone.now()
    with receiving(answer=500, slow=0.2) as partner:
        endpoint = an_endpoint(a_service(), partner.url, width=40)
        owe(endpoint, 60, at=now)
        deliver(now)
        endpoint.refresh_from_db()
        assert endpoint.failures == 5 and endpoint.open_until == now + timedelta(seconds=15)
        laid_ready = 40 // READY  # what threads take by themselves before the first failure is written
        assert len(partner.heard) <= 40 + laid_ready and waiting() == 60
        partner.answer = 200
        deliver(now + timedelta(seconds=16))
    assert waiting() == 0


def test_no_receiver_takes_the_last_thread():
    service = a_service()
    rows = [CallbackEndpoint(pk=number, service=service) for number in range(MOST_ENDPOINTS)]
    threads = PostThreads(lambda: None, timezone.now)
    threads._work = lambda: None  # nothing is posted: who gets how many is all that is asked
    held = [leases.EndpointLease(row.pk, row, Width(WIDEST), 0) for row in rows]
    for lease in held[:10]:  # each as many as it can get, one after the other
        while lease.posting < WIDEST and threads.have_room_for(lease):
            threads.post(lease, [], canary=False)
    assert held[0].posting >= 60 and min(lease.posting for lease in held[:10]) > RESERVED
    for lease in held[10:]:
        while lease.posting < RESERVED and threads.have_room_for(lease):
            threads.post(lease, [], canary=False)
    assert {lease.posting for lease in held[10:]} == {RESERVED} and threads.in_flight <= MOST
    threads.close()


def test_more_slow_receivers_than_places_hold_up_no_quick_one():
    """All places are taken by receivers that do not answer before the quick one was heard."""
    service, heard = a_service(), threading.Event()

    def when_heard(_: Heard):
        return (200, {}, b"") if heard.wait(60) else (500, {}, b"")

    def quick(_: Heard):
        heard.set()
        return 200, {}, b""

    with receiving(answer=when_heard) as slow, receiving(answer=quick) as partner:
        for number in range(MOST_ENDPOINTS):
            owe(an_endpoint(service, f"{slow.url}/{number}", width=1), 2)
        owe(an_endpoint(service, partner.url), at=timezone.now())
        deliver()
    assert heard.is_set() and waiting() == 0
    assert not Callback.objects.filter(tries__gt=1).exists()


def test_a_moved_endpoint_is_not_called_before_it_is_proven_and_loses_nothing():
    def prove(one: Heard):
        return 200, {}, one.json.get("data", {}).get("challenge", "").encode()

    service = a_service()
    with receiving(answer=410) as old, receiving(answer=prove) as new:
        endpoint = an_endpoint(service, old.url)
        owe(endpoint, 2)
        deliver()
        endpoint.refresh_from_db()
        policy = callbacks.AddressPolicy(loopback=True)
        callbacks.change(endpoint, by=BY, policy=policy, url=new.url)
        assert (endpoint.verified_at, endpoint.disabled_at, endpoint.failures) == (None, None, 0)
        owe(endpoint, 1)
        assert deliver().tried == 0 and not new.heard
        line = callbacks.ReceiverConnection(policy)
        assert callbacks.verify(endpoint, by=BY, connection=line) == ""
        endpoint.refresh_from_db()
        assert endpoint.verified_at and endpoint.moved_at is None
        assert deliver().delivered == 3

        def moves_meanwhile(one: Heard):
            CallbackEndpoint.objects.update(url="http://127.0.0.1:9/")
            connection.close()  # this thread's
            return prove(one)

        new.answer = moves_meanwhile
        assert "changed meanwhile" in callbacks.verify(endpoint, by=BY, connection=line)
        line.close()
