"""The demo begins as a desk at work: what reports say of its past is what its messages say, and a second start adds nothing."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from portal.demo.desk import furnish
from portal.demo.loading import load
from sms.models import (
    ApprovalRequest,
    AuditEvent,
    Click,
    Hold,
    InboundMessage,
    Message,
    OptOut,
    Price,
    Receipt,
    ReceiptInbox,
    Send,
    StateCount,
)
from sms.reports import facts
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = 15
TABLES = (
    ApprovalRequest,
    AuditEvent,
    Click,
    InboundMessage,
    Message,
    OptOut,
    Price,
    Receipt,
    Send,
    StateCount,
)


@pytest.fixture
def demo():
    return load("http://127.0.0.1:9", "sandbox-key", password="demo-password-1")


def test_its_past_agrees_with_itself_and_a_second_start_changes_nothing(demo):
    made = furnish(demo, days=DAYS)
    over = Message.objects.filter(send__state="finished")
    assert made == over.count() > 250
    assert not over.exclude(state__in=["delivered", "failed", "no_report"]).exists()
    assert facts.compare()[1] is None
    for send in Send.objects.all():
        counted = send.counts()
        assert sum(counted.values()) == send.recipients == send.messages.count(), send
        assert counted == {state: send.messages.filter(state=state).count() for state in counted}, send
    assert Receipt.objects.count() > made and not ReceiptInbox.objects.exists()
    assert Click.objects.filter(verdict="human").exists() and OptOut.objects.exists()
    assert InboundMessage.objects.filter(why="").count() == InboundMessage.objects.count() > 3
    late = Message.objects.filter(
        msisdn__in=OptOut.objects.values("msisdn"), send__created_at__gt=OptOut.objects.latest("at").at
    )
    assert not late.filter(send__state="finished").exists(), "nobody is written to after a refusal"
    assert set(Send.objects.exclude(state="finished").values_list("name", "state")) == {
        ("Reminders for tomorrow", "scheduled"),
        ("Open day invitation", "awaiting"),
        ("Late delivery notice", "sending"),
    }
    Hold.objects.active().get()
    Hold.objects.update(lifted_at=demo.created_at, lifted_by="composer@demo.test")
    Price.objects.filter(country="DE").delete()
    before = [list(table.objects.order_by("pk").values()) for table in TABLES]
    again = load("http://127.0.0.1:9", "sandbox-key", password="demo-password-1")
    assert furnish(again) == 0
    assert [list(table.objects.order_by("pk").values()) for table in TABLES] == before
    assert not Hold.objects.active().exists()
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(get_user_model().objects.get(email="composer@demo.test"))
    for page in ("", "sends/", "calendar/", "reports/", "replies/", "messages/", "approvals/"):
        assert client.get(f"/s/demo/{page}").status_code == 200, page


def test_nothing_is_made_where_somebody_has_work_of_their_own(demo):
    a_send(demo)
    assert furnish(demo, days=DAYS) == 0
    assert Send.objects.count() == 1 and not Price.objects.exists() and demo.rate is None


@pytest.mark.parametrize("own", ["person", "service"])
def test_nor_beside_people_or_services_of_their_own(demo, own):
    if own == "person":
        get_user_model().objects.create_user("ada@example.test")
    else:
        a_service(base_url="http://127.0.0.1:9")
    assert furnish(demo, days=DAYS) == 0
    assert not Send.objects.exists()
