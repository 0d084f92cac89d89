"""Sends with a test key in a live service: the outcomes of the sandbox, and never a byte for the provider."""

import pytest

from sms.models import Message, Send, SimulatedReceipt
from tests.support.provider import Provider
from tests.support.sends import a_send
from tests.support.test_mode import DRAMA, a_live_service, a_tester, simulate

pytestmark = pytest.mark.django_db(transaction=True)

OUTCOMES = {
    1: ("delivered", "7500"),
    2: ("failed", "7203"),
    3: ("failed", "7208"),
    4: ("delivered", "7500"),
    5: ("queued", ""),
    6: ("delivered", "7500"),
    7: ("delivered", "7500"),
    8: ("delivered", "7500"),
    9: ("delivered", "7500"),
    10: ("failed", "9002"),
    11: ("failed", "9006"),
    12: ("failed", "7201"),
    13: ("delivered", "7500"),
}


def test_the_number_decides_as_in_the_sandbox():
    service = a_live_service()
    tester = a_tester(service)
    recipients = [{"number": DRAMA.format(one)} for one in OUTCOMES]
    link = {"link_domain": "uk.wbxc.io", "shorten_links": True, "track_clicks": True}
    body = {"text": "See https://shop.example/x", "recipients": recipients, "sender": "SHOP"} | link
    answer = tester.post("sends", body, Idempotency_Key="k")
    assert answer.status_code == 201, answer.content
    send = Send.objects.get()
    assert send.simulated and send.state == "sending"
    provider = Provider()
    provider.dispatch()
    assert provider.bodies == [] and Message.objects.filter(attempt__gt=0).count() == 0
    assert simulate() == len(recipients)
    found = {int(one.msisdn[-3:]): (one.state, one.code) for one in send.messages.all()}
    assert found == OUTCOMES
    clicks = {4: ["human", "human"], 7: ["machine"] * 3}
    for digits, verdicts in clicks.items():
        message = send.messages.get(msisdn=DRAMA.format(digits))
        assert [one.verdict for one in message.clicks.order_by("at")] == verdicts
    assert not SimulatedReceipt.objects.exists()
    provider.dispatch()
    assert provider.bodies == []
