"""A send is moved, or cancelled, in the very moment in which a dispatcher begins it: one of the two, never half of each."""

import random
import threading
import time
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from sms.dispatch.claim import Owner, claim
from sms.models import AuditEvent, Send, SendState, Slice
from sms.sends import reschedule
from sms.sends.cancel import cancel
from tests.support.provider import Provider
from tests.support.sends import BY, a_send, a_service

TRIALS = 60
STEP = 0.002  # seconds
HOUR = timedelta(hours=1)


def race(act):
    """`act(send)` beside a claim of the same send, TRIALS times. Gives [(send, whether it was claimed, what came of the act)].

    Whoever came first waits longer the next time, so that they meet on any machine.
    """
    service = a_service()
    dice = random.Random(7)
    together, claimed, problems = threading.Barrier(2), [], []
    pauses = [(dice.random() * 0.008, dice.random() * 0.008) for _ in range(TRIALS)]
    start = 0.0  # seconds that the claim has before the act

    def dispatch() -> None:
        try:
            connections["default"].ensure_connection()
            for pause, _ in pauses:
                together.wait(60)
                time.sleep(max(pause - start, 0))
                claimed.append(bool(claim(owner=Owner("racer"), limit=5)))
                together.wait(60)
        except threading.BrokenBarrierError:
            pass
        except BaseException as problem:
            problems.append(problem)
            together.abort()
        finally:
            connections.close_all()

    thread = threading.Thread(target=dispatch)
    thread.start()
    told = []
    try:
        for _, pause in pauses:
            Slice.objects.update(owner="", leased_until=None, done=True)  # those before are out of the way
            send = a_send(service, 2)
            Send.objects.filter(pk=send.pk).update(state=SendState.SCHEDULED)
            together.wait(60)
            time.sleep(max(pause + start, 0))
            try:
                act(send)
                came = "done"
            except reschedule.SendHasBegun:
                came = "begun"
            together.wait(60)
            told.append((send, claimed[-1], came))
            start += -STEP if claimed[-1] else STEP
    finally:
        together.abort()
        thread.join(60)
    assert problems == []
    return told


@pytest.mark.django_db(transaction=True)
def test_a_send_that_is_moved_while_it_begins_is_one_or_the_other():
    def put_off(send: Send) -> None:
        reschedule.reschedule(send, due_at=timezone.now() + HOUR, by=BY)

    outcomes = set()
    for send, claimed, came in race(put_off):
        outcomes.add(came)
        send = Send.objects.get(pk=send.pk)
        if came == "done":
            assert not claimed, "it was moved, so nothing of it may be claimed before its new time"
            assert send.state == SendState.SCHEDULED
            assert send.due_at > timezone.now()
        else:
            assert claimed, "it had begun, so somebody has it"
            assert send.due_at <= timezone.now(), "and its time stays"
            assert not AuditEvent.objects.filter(act="send.rescheduled", noun_key=str(send.pk)).exists()
    assert outcomes == {"done", "begun"}, "no race"


@pytest.mark.django_db(transaction=True)
def test_a_send_that_is_cancelled_while_it_begins_posts_nothing():
    provider = Provider()
    cancelled = race(lambda send: cancel(send, by=BY))
    Slice.objects.update(done=False)
    provider.dispatch()
    assert provider.bodies == []
    assert {send.messages.filter(state="cancelled").count() for send, _, _ in cancelled} == {2}
    assert {claimed for _, claimed, _ in cancelled} == {True, False}, "no race"
