"""The delivery of callbacks as a job: it says whether there was something to do, and begins nothing when it is to end."""

import pytest

from sms.models import Callback
from sms.worker.jobs import JOBS, JobContext
from tests.support.callback_receiver import receiving
from tests.support.callbacks import an_endpoint, owe
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db(transaction=True)
(DELIVERY,) = (job for job in JOBS if job.name == "callbacks")


@pytest.fixture(autouse=True)
def loopback(settings):
    settings.CALLBACKS = {"loopback": True}


def test_what_is_due_is_delivered_and_how_much_it_was():
    with receiving() as partner:
        owe(an_endpoint(a_service(), partner.url), 3)
        assert DELIVERY.run(JobContext(lambda: False)) == 3
        assert DELIVERY.run(JobContext(lambda: False)) == 0


def test_a_process_that_ends_begins_nothing():
    with receiving() as partner:
        owe(an_endpoint(a_service(), partner.url), 3)
        assert DELIVERY.run(JobContext(lambda: True)) == 0
        assert not partner.heard
    assert Callback.objects.filter(state="waiting").count() == 3
