"""What people see while messages are due and no process sends them."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from sms.models import Heartbeat, Slice
from tests.support.people import a_cast
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db
SENTENCE = "Nothing is being sent: no dispatcher has reported yet."


def test_an_admin_is_informed_on_the_home_page_and_a_composer_is_not():
    cast = a_cast()
    a_send(cast.service)
    assert SENTENCE not in cast["admin"].get("/s/shop/").content.decode(), "due only just now"
    Slice.objects.update(due_at=Now() - timedelta(seconds=40))

    assert SENTENCE in cast["admin"].get("/s/shop/").content.decode()
    assert SENTENCE not in cast["composer"].get("/s/shop/").content.decode()
    still = {
        "database": "ok",
        "failing": [],
        "because": [],
        "dispatch": SENTENCE,
        "audit": "ok",
        "refused_posts": 0,
    }
    assert cast["visitor"].get("/readyz").json() == still

    Heartbeat.beat("1-a", host="h", pid=1, kind="dispatch", doing="", progress=0)
    assert SENTENCE not in cast["admin"].get("/s/shop/").content.decode()
    answer = cast["visitor"].get("/readyz")
    assert (answer.status_code, answer.json()) == (200, still | {"dispatch": "ok"})
