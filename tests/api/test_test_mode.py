"""A test key at every door of a live service, and all that what it sends must not count for."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from portal.going_live.evidence import evidence_of
from sms import dispatch
from sms.callbacks import AddressPolicy, allowed_addresses
from sms.inbound.optouts import messages
from sms.inbound.receipts import gaps
from sms.models import Callback, CallbackEndpoint, InboundMessage, Message, OptOut, ReportedSend, Send
from sms.reports import facts
from sms.sends.progress import figures_of
from tests.support.callbacks import an_endpoint, told
from tests.support.drop_in import body, get, post
from tests.support.partners import Partner, a_key
from tests.support.provider import PUBLIC_URL, Provider
from tests.support.sends import a_send
from tests.support.simulating import DRAMA, a_live_service, a_tester, bring_receipts, simulate

pytestmark = pytest.mark.django_db(transaction=True)


def test_v2_with_a_test_key_is_answered_read_back_and_reported_as_ever_and_marked(monkeypatch):
    monkeypatch.setattr(allowed_addresses, "policy", lambda: AddressPolicy(loopback=True))
    service = a_live_service()
    token = a_key(service, is_test=True, scopes=["send", "read", "numbers"])
    an_endpoint(service)
    asked = body(DRAMA.format(1), DRAMA.format(2), notifyUrl="http://127.0.0.1:9/n", callbackData="mine")
    answer = post(token, asked)
    assert answer.status_code == 201 and answer.json()["textdesk"] == {"test": True}
    assert simulate() == 2
    first = answer.json()["messageId"]
    for name, status in ((first, "Delivered"), (f"{first}_1", "Un-Delivered")):
        shown = get(token, name).json()
        assert (shown["status"], shown["textdesk"]["test"]) == (status, True)
    rows = Callback.objects.filter(endpoint__kind=CallbackEndpoint.Kind.NOTIFY)
    receipts = [json.loads(one) for one in rows.values_list("body", flat=True)]
    told_of = {
        (
            one["deliveryInfoNotification"]["correlationid"],
            one["deliveryInfoNotification"]["deliveryInfo"]["code"],
        )
        for one in receipts
    }
    assert told_of == {("c0", "7501"), ("c0", "7500"), ("c1", "7501"), ("c1", "7203")}
    assert all(one["textdesk"] == {"test": True} for one in receipts)
    events = [one for one in told("message.") if "type" in one]
    assert {one["type"] for one in events} >= {"message.queued", "message.delivered", "message.failed"}
    assert all(one["test"] is True for one in events)


def test_what_is_simulated_counts_for_nothing():
    service = a_live_service()
    tester, provider = a_tester(service), Provider()
    real = a_send(service)
    provider.dispatch()
    Message.objects.update(msisdn=DRAMA.format(10))  # as if that number were somebody's
    text = {"text": "Reply STOP to end https://example.com/a", "sender": "SHOP"}
    link = {"link_domain": "uk.wbxc.io", "shorten_links": True, "track_clicks": True}
    numbers = [{"number": DRAMA.format(one)} for one in (4, 10, *range(100, 130))]
    assert tester.post("sends", text | link | {"recipients": numbers}, Idempotency_Key="k").status_code == 201
    now = timezone.now()
    simulate()
    while facts.fold():
        pass
    assert list(ReportedSend.objects.values_list("send_id", flat=True)) == [real.pk]
    assert facts.compare()[1] is None
    seen = evidence_of(service)
    assert seen.delivered_at is None and seen.receipt_at is None
    home = figures_of(service, now=now)
    assert home.today == {"queued": 1} and [one.send.pk for one in home.recent] == [real.pk]
    assert home.last_receipt is None
    Message.objects.filter(send__simulated=True).update(posted_at=now - timedelta(hours=2))
    assert gaps(service, now=now) == []
    assert not OptOut.objects.exists(), "9002 of the simulator is no word of a person"
    stop = {"oa": DRAMA.format(10)[1:], "da": "SHOP", "message": "STOP", "msgid": "1"}
    messages.take(json.dumps(stop).encode(), service_id=service.pk, received_at=now)
    assert InboundMessage.objects.get().send_id == real.pk, "it answers what reached the phone"
    assert Partner(a_key(service, is_test=True, name="Shop")).get("reports/days").json()["items"] == []


def test_receipts_come_after_a_restart_and_a_send_that_died_is_taken_up():
    """What the simulator owes is in the database: another process hands it over."""
    service = a_live_service()
    tester = a_tester(service)
    numbers = [{"number": DRAMA.format(one)} for one in (1, 6, 8)]
    pk = tester.post("sends", {"text": "Hi", "recipients": numbers}, Idempotency_Key="k").json()["id"]
    dispatch.run_simulated(public_url=PUBLIC_URL)
    assert not Send.objects.get(pk=pk).messages.filter(state="delivered").exists()
    bring_receipts()
    assert tester.get(f"sends/{pk}").json()["counts"] == {"delivered": 3}
