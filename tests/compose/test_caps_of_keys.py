"""Caps that one API key has of its own: messages a minute, money, and the countries that it may write to, by the one way to a send."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sms.audiences.files import Audience, Limits, read_pasted
from sms.catalogue import api_keys
from sms.catalogue.caps import notices
from sms.compose import background
from sms.compose.checks import check, survey
from sms.compose.create import create
from sms.compose.spending import CapRefused
from sms.models import ApiKey, Message, Price, Reject, Send, Service, SpendCount
from sms.sends.cancel import cancel
from sms.sends.reschedule import reschedule
from tests.support.drop_in import body, post
from tests.support.jobs import run_job
from tests.support.partners import Partner, a_partner_service
from tests.support.people import signed_in
from tests.support.sends import BY, a_service, an_order, numbers

NOW = timezone.now().replace(second=20, microsecond=0)  # a send is moved from it by the real clock
pytestmark = pytest.mark.django_db


def a_key(service: Service, **changes: Any) -> ApiKey:
    return api_keys.make(service, by=BY, **{"name": "Shop", "scopes": ["send"]} | changes)[0]


def to(*written: str) -> Audience:
    return read_pasted("\n".join(written), country="GB", limits=Limits())


def test_a_minute_ends_at_its_cap_however_late_the_messages_are_due_and_the_next_one_begins_anew():
    service = a_service()
    shop, till = a_key(service, cap_minute=5), a_key(service, name="Till")
    made = [
        create(an_order(service, 2, key=shop, due_at=NOW + timedelta(days=days)), by=BY, now=NOW)
        for days in (0, 3)
    ]
    assert [(one.label, one.cap, one.left) for one in made[0].caps_left] == [("messages", 5, 3)]
    with pytest.raises(CapRefused, match="4 taken and 1 left; this takes 2") as refused:
        create(an_order(service, 2, key=shop), by=BY, now=NOW)
    assert (refused.value.free_at, refused.value.left[0].left) == (NOW + timedelta(seconds=40), 1)
    create(an_order(service, 1, key=shop), by=BY, now=NOW)
    create(an_order(service, 20, key=till), by=BY, now=NOW)
    reschedule(made[1], due_at=NOW + timedelta(days=9), by=BY)
    cancel(made[1], by=BY)  # what was asked for is not given back
    with pytest.raises(CapRefused):
        create(an_order(service, 1, key=shop), by=BY, now=NOW + timedelta(seconds=39))
    with pytest.raises(CapRefused, match="Ask for 5 at most at once"):
        create(an_order(service, 6, key=shop), by=BY, now=NOW + timedelta(minutes=1))
    create(an_order(service, 5, key=shop), by=BY, now=NOW + timedelta(minutes=1))


def test_two_keys_of_a_name_share_its_caps():
    service = a_service()
    old, new = (a_key(service, cap_minute=5, cap_day=6) for _ in range(2))
    sent = create(an_order(service, 4, key=old), by=BY, now=NOW)
    with pytest.raises(CapRefused, match="4 taken and 1 left; this takes 2"):
        create(an_order(service, 2, key=new), by=BY, now=NOW)
    later = NOW + timedelta(minutes=1)
    with pytest.raises(CapRefused):
        create(an_order(service, 3, key=new), by=BY, now=later)
    create(an_order(service, 5, key=a_key(service, name="Till", cap_day=6)), by=BY, now=NOW)
    cancel(sent, by=BY)
    create(an_order(service, 5, key=new), by=BY, now=later + timedelta(minutes=1))


@pytest.mark.parametrize("count", [3, 5_300], ids=["small", "large"])
def test_what_is_checked_is_the_day_of_the_request_though_midnight_has_passed_since(count):
    service, yesterday = a_service(), NOW - timedelta(days=1)
    key = a_key(service, cap_day=count + 1)
    create(an_order(service, 4, key=key), by=BY, now=yesterday)
    order = an_order(service, count, key=key)
    with pytest.raises(CapRefused, match="4 segments taken"):
        (survey if count > 3 else check)(order, now=yesterday)
    with pytest.raises(CapRefused, match="4 segments taken"):
        create(order, by=BY, now=yesterday)
    assert Send.objects.count() == 1  # refused before anything was written: the transaction goes on
    create(order, by=BY, now=NOW)


def test_a_test_key_may_ask_for_no_more_in_a_minute_than_was_said_and_takes_nothing_else():
    service = a_service(cap_day=1)
    shop = a_key(service, cap_minute=5, is_test=True)
    made = create(an_order(service, 4, key=shop), by=BY, now=NOW)
    assert made.simulated and [(one.label, one.left) for one in made.caps_left] == [("messages", 1)]
    with pytest.raises(CapRefused, match="4 taken and 1 left; this takes 2"):
        create(an_order(service, 2, key=shop), by=BY, now=NOW)
    create(an_order(service, 5, key=shop), by=BY, now=NOW + timedelta(minutes=1))
    assert set(SpendCount.objects.values_list("key", "country", "money")) == {(shop.counted_as, "", 0)}


def test_a_large_send_is_held_to_the_minute_and_to_the_countries_too():
    service = a_service()
    key = a_key(service, cap_minute=5_400, countries="GB")
    audience = numbers(5_300)
    create(an_order(service, audience=audience, key=key), by=BY, now=NOW)
    with pytest.raises(CapRefused, match="5,300 taken"):
        create(an_order(service, audience=audience, key=key), by=BY, now=NOW)
    ApiKey.objects.update(countries="FR")
    background.run(stopped=lambda: False)
    assert (Message.objects.count(), Reject.objects.filter(code="country_not_allowed").count()) == (0, 5_300)


def test_a_key_writes_to_its_countries_only_and_no_more_than_its_cap_for_each():
    service = a_service(countries="GB, FR 5, DE", cap_country=4)
    key = a_key(service, countries="gb, fr 2")
    order = an_order(service, audience=to("+33612345670", "+491711234567", "07710000001"), key=key)
    send = create(order, by=BY)
    assert sorted(send.messages.values_list("country", flat=True)) == ["FR", "GB"]
    assert "API key Shop" in Reject.objects.get().reason
    with pytest.raises(CapRefused, match="for France is 2 segments a day"):
        create(an_order(service, audience=to("+33612345671", "+33612345672"), key=key), by=BY)
    create(
        an_order(service, audience=to("+491711234567", "+33612345672")), by=BY
    )  # people have the service's


def test_money_of_a_key_counts_beside_that_of_the_service_and_needs_its_currency():
    service = a_service()
    with pytest.raises(ValidationError, match="no currency yet"):
        a_key(service, cap_money=Decimal("0.30"))
    Service.objects.update(cap_currency="EUR")
    service.refresh_from_db()
    Price.objects.create(service=service, country="GB", amount=Decimal("0.1"), currency="EUR")
    key = a_key(service, cap_money=Decimal("0.30"))
    send = create(an_order(service, 2, key=key), by=BY)
    with pytest.raises(CapRefused, match=r"0\.30 EUR.*0\.20 EUR taken"):
        create(an_order(service, 2, key=key), by=BY)
    cancel(send, by=BY)
    create(an_order(service, 3, key=key), by=BY)
    service.cap_currency = ""
    with pytest.raises(ValidationError, match="needs its currency"):
        service.full_clean()


def test_what_is_left_stands_in_headers_and_admins_hear_of_a_full_minute_once_a_day():
    service = a_partner_service(cap_key=100)
    admin = signed_in("admin@example.test", service, "admin")
    page = f"/s/shop/api-keys/{a_key(service).pk}/"
    given = {"purpose": "marketing", "resend": "evidence", "cap_minute": "2", "countries": "gb 50"}
    assert admin.post(page, given).status_code == 302 and 'value="GB 50"' in admin.get(page).content.decode()
    token = api_keys.make(service, by=BY, name="Till", scopes=["send"], cap_minute=2, countries="GB 50")[1]
    partner, sent = Partner(token), {"text": "Hi", "recipients": ["+447700900101"]}
    made = partner.post("sends", sent, Idempotency_Key="1")
    assert (
        '"messages";q=2;w=60, "segments-GB";q=50;w=86400, "segments";q=100;w=86400'
        in made["RateLimit-Policy"]
    )
    assert '"messages";r=1;t=' in made["RateLimit"] and '"segments";r=99;t=' in made["RateLimit"]
    for at in range(4):  # more than two minutes can take
        last = partner.post("sends", sent, Idempotency_Key=f"more-{at}")
        by_v2 = post(token, body("447700900101"))
    assert (last.status_code, last.json()["errors"][0]["code"]) == (429, "cap_reached")
    assert by_v2.status_code == 429 and by_v2.json()["code"] == "7020"
    assert 0 < int(last["Retry-After"]) <= 60 and '"messages";r=0' in last["RateLimit"]
    assert [notices.tell(), notices.tell()] == [1, 0]
    run_job("notice mails")
    assert "messages a minute is reached: 2 of 2" in mail.outbox[0].body


def test_a_cap_of_the_minute_costs_its_own_keys_two_statements_more_and_scopes_cost_none():
    service = a_partner_service(cap_key=100)
    counts = []
    for name, more in (
        ("Plain", {"scopes": ["send"]}),
        ("Whole", {"scopes": ["send", "all"]}),
        ("Slow", {"scopes": ["send"], "cap_minute": 50}),
    ):
        token = api_keys.make(service, by=BY, name=name, **more)[1]
        post(token, body("447700900101"))
        with CaptureQueriesContext(connection) as queries:
            assert post(token, body("447700900102")).status_code == 201
        counts.append(len(queries))
    assert counts[0] == counts[1] == counts[2] - 2
    assert Send.objects.count() == 6 and SpendCount.objects.filter(number__startswith="~").exists()
