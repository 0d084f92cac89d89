"""What keeps delivery running: a turn of the loop, and that a database's trouble or an end leaves nothing undone."""

import threading

import pytest
from django.db import DatabaseError

from sms.models import Callback
from sms.worker import jobs, tasks
from tests.support.callback_receiver import LOOPBACK, receiving
from tests.support.callbacks import an_endpoint, owe
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_turn_delivers_what_is_due_and_says_how_much():
    with receiving() as partner:
        owe(an_endpoint(a_service(), partner.url), 3)
        assert jobs.tell(policy=LOOPBACK, stopped=lambda: False) == 3
        assert jobs.tell(policy=LOOPBACK, stopped=lambda: False) == 0


def test_whoever_is_stopped_begins_nothing():
    with receiving() as partner:
        owe(an_endpoint(a_service(), partner.url), 3)
        assert jobs.tell(policy=LOOPBACK, stopped=lambda: True) == 0
        assert not partner.heard
    assert Callback.objects.filter(state="waiting").count() == 3


def test_the_loop_outlives_a_database_that_is_away(monkeypatch):
    turns, over = [], threading.Event()

    def tell(**_):
        turns.append(1)
        if len(turns) == 1:
            raise DatabaseError("away")
        over.set()
        return 0

    monkeypatch.setattr(tasks.jobs, "tell", tell)
    monkeypatch.setattr(tasks, "LONGEST_PAUSE", 0.01)
    tasks.tell_until(over.is_set)
    assert len(turns) == 2
