"""An opt-out that is committed while its send is being dispatched: nothing to that number is armed afterwards."""

import random
import threading
import time

import pytest
from django.db import connections

from sms.inbound import optouts
from sms.models import Message
from tests.support.dispatching import Dispatcher
from tests.support.sends import BY, a_send, a_service

TRIALS = 1000
SECONDS = 40.0


@pytest.mark.django_db(transaction=True)
def test_nothing_is_armed_after_the_commit_of_an_opt_out():
    service = a_service()
    send = a_send(service, TRIALS)
    messages = list(Message.objects.filter(send=send).order_by("pk").values_list("pk", "msisdn"))
    together = threading.Barrier(2)
    dice = random.Random(5)
    pauses = [dice.random() * 0.004 for _ in messages]
    theirs = [dice.random() * 0.004 for _ in messages]
    problems: list[BaseException] = []

    def dispatch() -> None:
        try:
            one = Dispatcher(send, "racer")
            for pause in theirs:
                if not one.lease.waiting:
                    one = Dispatcher(send, "racer")
                together.wait(60)
                time.sleep(pause)
                one.arm(1)
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
    until, trials, armed_first, late = time.monotonic() + SECONDS, 0, 0, []
    try:
        for (pk, msisdn), pause in zip(messages, pauses, strict=True):
            together.wait(60)
            time.sleep(pause)
            optouts.opt_out(service.pk, [optouts.Refusal(msisdn)], by=BY, source="page")
            seen = Message.objects.values_list("state", flat=True).get(pk=pk)  # committed is committed
            together.wait(60)
            state = Message.objects.values_list("state", flat=True).get(pk=pk)
            assert state in ("posting", "cancelled")
            armed_first += state == "posting"
            if state == "posting" and seen != "posting":
                late.append(pk)
            trials += 1
            if time.monotonic() > until:
                break
    finally:
        together.abort()
        thread.join(60)
    assert problems == []
    assert late == [], f"{len(late)} of {trials} were armed after the opt-out"
    assert trials == TRIALS or time.monotonic() > until
    assert 0 < armed_first < trials, f"no race: {armed_first} of {trials} were armed first"
