"""The tenant's webhook and the notifyUrl of each message both fire, and nothing counts twice."""

import json

import pytest
from django.test import Client

from sms import dispatch
from sms.audiences.files import Limits, read_pasted
from sms.dispatch.breaker import Breakers
from sms.inbound import receipts
from sms.models import Click, ClickCount, Message, PostTally, Receipt, RefusedPost
from tests.inbound.click_receipts import delivered, posted_within_an_hour, told
from tests.sandbox.running import receiver, sandbox
from tests.support.receipts import posted_message
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db
SECRET = "hub-secret"
DELIVERED, UNDELIVERED = "+447700900001", "+447700900002"


def post(token: str, raw: bytes, headers: dict[str, str]) -> int:
    path = f"/receipts/{token}/"
    answer = Client().post(path, data=raw, content_type="application/json", headers=headers)
    return answer.status_code


@pytest.mark.parametrize(
    ("beside", "at_webhook", "at_notify_url"), [("both", 4, 4), ("notify_url", 0, 4), ("webhook", 4, 0)]
)
def test_every_message_ends_right_whichever_of_the_two_fires(beside, at_webhook, at_notify_url):
    switch = f"webhook_beside={beside}"
    with (
        receiver() as hook,
        receiver() as own,
        sandbox(webhook=hook.url, hub_secret=SECRET, switch=switch) as tenant,
    ):
        service = a_service(base_url=tenant.url, receipt_secret=SECRET)
        rows = read_pasted(f"{DELIVERED}\n{UNDELIVERED}", country="GB", limits=Limits())
        send = a_send(service, audience=rows, content="Hello")
        dispatch.run(public_url=own.url, clients=2, seconds=30.0, breakers=Breakers())
        posted = [(service.webhook_token, one) for one in hook.wait(at_webhook)]
        posted += [(service.receipt_token, one) for one in own.wait(at_notify_url)]
    for token, one in posted:
        signed = {name: value for name, value in one.headers.items() if name == "x-hub-signature"}
        assert bool(signed) is (token == service.webhook_token)
        assert post(token, one.body, signed) == 200
    while receipts.fold():
        pass
    states = dict(Message.objects.filter(send=send).values_list("msisdn", "state"))
    assert states == {DELIVERED: "delivered", UNDELIVERED: "failed"}
    assert send.counts() == {"delivered": 1, "failed": 1}
    assert Receipt.objects.count() == 4, "a repetition is one"
    assert not RefusedPost.objects.exists()
    assert PostTally.objects.filter(proved_at__isnull=False).count() == (at_webhook > 0)


def test_a_click_told_in_two_ways_counts_once():
    """Also where the two bodies are not the same bytes, so that both are kept."""
    service = a_service()
    message, _ = posted_message(service)
    message.refresh_from_db()
    posted_within_an_hour(message)
    click = told(service, message, at=40)
    assert post(service.receipt_token, delivered(service, message, at=10), {}) == 200
    assert post(service.receipt_token, click, {}) == 200
    assert post(service.webhook_token, json.dumps(json.loads(click), indent=1).encode(), {}) == 200
    while receipts.fold():
        pass
    assert post(service.webhook_token, json.dumps(json.loads(click), indent=2).encode(), {}) == 200
    assert post(service.webhook_token, told(service, message, at=90), {}) == 200, "another click"
    while receipts.fold():
        pass
    assert (Receipt.objects.count(), Click.objects.count()) == (5, 2)
    assert [(one.verdict, one.clicks) for one in ClickCount.objects.filter(clicks__gt=0)] == [("human", 2)]
