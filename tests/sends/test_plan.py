"""The flight plan: its sums agree, its request is what dispatch posts, its times follow dispatch's rules, page and API agree."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sms.api.v1.plan_shape import PlanShape
from sms.audiences.files import Limits, read_pasted
from sms.catalogue import link_lengths, prices
from sms.compose.create import create
from sms.compose.errors import ComposeError
from sms.compose.options import changed
from sms.compose.order import Order
from sms.dispatch.claim import ClaimedMessage
from sms.dispatch.request import body_of, template_of
from sms.inbound import optouts
from sms.models import ContactPolicyGroup, Lane, OptOut, Pace, Sender, SenderKind, Service, ShortLinkDomain
from sms.sends import plan
from sms.sends.plan import request
from tests.support.partners import a_partner
from tests.support.people import signed_in
from tests.support.provider import PUBLIC_URL, Provider
from tests.support.sends import BY, a_send, a_service, an_order

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PRICES = "country,sender kind,price,currency\nGB,,0.045,EUR\nGB,alphanumeric,0.05,EUR\nIE,,0.1,GBP\n"


def planned(order: Order, *, now: datetime = NOON, **options) -> plan.Plan:
    return plan.build_plan(order, now=now, public_url=PUBLIC_URL, **options)


def people(*numbers: str):
    return read_pasted("\n".join(numbers), country="GB", limits=Limits())


def test_without_prices_it_says_so():
    made = planned(an_order(a_service(), 3))
    assert not made.cost.entered and made.cost.sums == () and "No prices are entered" in made.cost.detail


def test_cost_is_segments_times_the_price_of_country_and_sender_kind_in_exact_money():
    service = a_service()
    prices.replace(service, prices.read(PRICES), by=BY)
    audience = people("+447710000001", "+447710000002", "+353851234567", "+4915112345678")
    made = planned(an_order(service, audience=audience, content="x" * 161))
    assert [(one.country, one.least, one.most) for one in made.countries] == [
        ("GB", 4, 4),
        ("DE", 2, 2),
        ("IE", 2, 2),
    ]
    assert [(one.currency, one.least, one.most) for one in made.cost.sums] == [
        ("EUR", Decimal("0.2"), Decimal("0.2")),
        ("GBP", Decimal("0.2"), Decimal("0.2")),
    ]
    assert made.cost.unpriced == 1 and "DE (1 message)" in made.cost.detail
    assert "price" in {one.code for one in made.cautions}
    code = Sender.objects.create(service=service, address="12345", kind=SenderKind.SHORT_CODE)
    other = planned(an_order(service, audience=audience, sender=code))
    assert other.countries[0].price == Decimal("0.045"), "no price of its own, so that of any sender"


def test_links_and_provider_templates_make_a_range():
    long = "https://shop.example/" + "x" * 150
    assert link_lengths.span(long, "") == (2, 2)
    assert link_lengths.span(long, "go.example.test") == (1, 2)
    assert link_lengths.span("x" * 130 + "{{smartlink_7}}", "") == (1, 2)
    assert link_lengths.of_template(1024) == (1, 16)


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.sampled_from(
            ["+447710000001", "+447710000002", "+353851234567", "12", "x", "+12025550123", "+447700900002"]
        ),
        max_size=12,
    ),
    st.sampled_from(["Hello", "é" * 161, "ж" * 71, "https://a.example/" + "b" * 200]),
)
def test_its_sums_agree(numbers, written):
    service = Service.objects.filter(slug="shop").first() or a_service(rate=50)
    if not service.prices.exists():
        prices.replace(service, prices.read(PRICES), by=BY)
        optouts.opt_out(
            service.pk, [optouts.Refusal("+447700900002", "asked")], by=BY, source=OptOut.Source.PAGE
        )
    audience = people("+447710999999", *numbers)
    made = planned(an_order(service, audience=audience, content=written))
    assert made.rows == len(audience.recipients) + len(audience.rejects)
    assert sum(one.count for one in made.rejects) == made.rejected
    assert sum(one.recipient_count for one in made.countries) == made.recipient_count
    assert sum(one.least for one in made.countries) == made.segments_range.least
    assert sum(one.most for one in made.countries) == made.segments_range.most
    assert made.segments_range.least <= made.segments.total <= made.segments_range.most
    assert made.segments.typical <= made.segments.worst
    assert made.encodings.gsm7 + made.encodings.ucs2 + made.encodings.unknown == made.recipient_count
    for money in made.cost.sums:
        of_it = [one for one in made.countries if one.currency == money.currency]
        assert money.most == sum(one.cost_most for one in of_it)
        assert money.least == sum(one.cost_least for one in of_it)


def test_the_request_of_any_row_is_byte_for_byte_what_dispatch_posts():
    service = a_service()
    group = ContactPolicyGroup.objects.create(
        service=service, name="News", group_id="g-1", check_consent=True
    )
    audience = read_pasted("+447710000001\n+447710000002", country="GB", limits=Limits())
    order = an_order(
        service,
        audience=audience,
        content="Grüße, it’s on: https://a.example/x",
        policy_group=group,
        callback_data="c-1",
        expires_at=datetime.now(UTC) + timedelta(days=1),
    )
    now = datetime.now(UTC)
    foreseen = [planned(order, now=now, row=row).request for row in (1, 2)]
    assert planned(order, now=now).request == foreseen[0]
    send = create(order, by=BY)
    posted = []
    template = template_of(send, public_url=PUBLIC_URL)
    for message in send.messages.order_by("row"):
        waiting = ClaimedMessage(
            message.pk, message.msisdn, message.text, message.substitutions, 0, message.zone
        )
        body = body_of([waiting], template).decode()
        posted.append(request.marked(body, message_id=message.pk, attempt=1, order=order))
    assert foreseen == posted
    assert request.LATER in foreseen[0] and service.receipt_token not in foreseen[0]
    assert '"msisdn":["447710000001"]' in foreseen[0]
    assert "447710000001" not in planned(order, now=now, masked=True).request
    with pytest.raises(ComposeError, match="Row 9 gets no message"):
        planned(order, now=now, row=9)


def test_the_plan_promises_what_the_provider_then_gets():
    service = a_service()
    order = an_order(service, 3)
    wanted = json.loads(planned(order, now=datetime.now(UTC)).request)
    create(order, by=BY)
    provider = Provider()
    provider.dispatch()
    got = next(body for body in provider.bodies if body["to"][0]["msisdn"] == wanted["to"][0]["msisdn"])
    got["to"][0]["correlationId"] = request.LATER
    got["notifyUrl"] = wanted["notifyUrl"]
    assert got == wanted


def seconds(made: plan.Plan) -> tuple[float, float]:
    return (made.start_at - made.created_at).total_seconds(), (
        made.finish_at - made.created_at
    ).total_seconds()


def test_it_ends_when_the_rate_has_let_all_through():
    made = planned(an_order(a_service(rate=10), 99))
    assert seconds(made) == pytest.approx((0, 10), abs=0.01)
    endless = planned(an_order(a_service(slug="b", name="B", rate=None), 3))
    assert endless.finish_at is None and "no contracted rate" in endless.forecast_detail


def test_what_is_queued_in_the_same_or_a_more_urgent_lane_comes_beside_or_before():
    service = a_service(rate=10)
    order = an_order(service, 99)
    a_send(service, 99)
    now = datetime.now(UTC) + timedelta(seconds=1)
    beside, urgent = (
        planned(order, now=now),
        planned(replace(order, options=changed(order.options, lane=Lane.URGENT)), now=now),
    )
    assert seconds(beside)[1] == pytest.approx(20, abs=0.1), "two sends in a lane share it"
    assert beside.ahead == 99
    assert seconds(urgent)[1] == pytest.approx(10, abs=0.1)
    assert urgent.ahead == 0


def test_throttling_and_the_burst_budget_change_the_pace():
    service = a_service(rate=100)
    order = an_order(service, 990)
    Pace.objects.create(service=service, factor=0.5, slowed_at=NOON.timestamp())
    assert seconds(planned(order))[1] > 12
    Pace.objects.update(factor=1, held_until=NOON.timestamp() + 60)
    assert seconds(planned(order)) == pytest.approx((60, 70), abs=0.1)
    Pace.objects.update(held_until=0)
    service.burst = True
    service.save()
    assert seconds(planned(order))[1] == pytest.approx(10 / 1.5, abs=0.1)


def test_quiet_hours_put_off_and_the_plan_says_until_when():
    service = a_service(rate=1, quiet_hours="21:00-08:00")
    evening = datetime(2026, 3, 2, 20, 59, tzinfo=UTC)
    made = planned(an_order(service, 120), now=evening)
    assert made.deferred.messages == pytest.approx(61, abs=1)
    assert made.deferred.until[0].at == datetime(2026, 3, 3, 8, tzinfo=UTC)
    assert made.finish_at == pytest.approx(
        datetime(2026, 3, 3, 8, 1, 1, tzinfo=UTC), abs=timedelta(seconds=3)
    )
    night = planned(an_order(service, 5), now=evening + timedelta(hours=3))
    assert night.deferred.messages == 5 and night.start_at == datetime(2026, 3, 3, 8, tzinfo=UTC)
    loud = planned(an_order(service, 5, respect_quiet_hours=False), now=evening + timedelta(hours=3))
    assert loud.deferred.messages == 0 and "quiet_hours" in {one.code for one in loud.cautions}


def test_a_ramp_ends_at_once_or_waits_for_its_receipts():
    made = planned(an_order(a_service(rate=10), 990, ramp=True))
    assert made.finish_latest_at - made.finish_at == pytest.approx(
        timedelta(minutes=20), abs=timedelta(seconds=1)
    )


def test_what_expires_before_it_is_sent_is_counted():
    made = planned(an_order(a_service(rate=1), 100, expires_at=NOON + timedelta(seconds=50)))
    assert made.too_late == pytest.approx(50, abs=2)
    assert "too_late" in {one.code for one in made.cautions}


def test_a_paused_service_starts_never():
    service = a_service(rate=10, paused_at=NOON, paused_because="storm")
    made = planned(an_order(service, 3))
    assert made.start_at is None and "paused" in made.forecast_detail


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("Sale today", "opt_out"),
        ("STOP to 60777. Look at bit.ly/x", "shortener"),
        ("STOP to 60777. Your P\u0430ypal", "look_alike"),
        ("STOP to 60777. Hi {{ first name }}", "placeholder"),
        ("STOP to 60777. Hi $(name.", "placeholder"),
        ("Reply STOP to opt out", "reply"),
        ("STOP to 60777 " + "x" * 450, "long"),
    ],
)
def test_a_caution_for_what_goes_wrong_with_texts(content, code):
    assert [one.code for one in planned(an_order(a_service(), content=content)).cautions] == [code]


def test_cautions_for_senders_and_short_domains():
    service = a_service()
    domain = ShortLinkDomain.objects.create(service=service, region=service.region, host="uk.wbxc.io")
    made = planned(
        an_order(
            service,
            audience=people("+447710000001", "+12025550123"),
            content="STOP",
            link_domain=domain,
        )
    )
    said = {one.code: one.detail for one in made.cautions}
    assert "United States" in said["sender_refused"] and "filter" in said["short_domain"]


def test_page_and_api_say_the_same():
    service, partner = a_partner(rate=10)
    prices.replace(service, prices.read(PRICES), by=BY)
    sender = service.senders.get(is_default=True)
    asked = {"text": "Hello", "csv": "+447710000001\n12\n+447710000002", "row": 3}
    told = partner.post("sends/plan", asked).json()
    composer = signed_in("c@example.test", service, "admin")
    typed = {
        "name": "",
        "sender": sender.pk,
        "text": "Hello",
        "pasted": "+447710000001\n12\n+447710000002",
        "country": "GB",
        "when": "now",
        "review": "1",
    }
    review = composer.post(f"/s/{service.slug}/compose/", typed).url
    page = composer.get(f"{review}?row=3")
    own = composer.get(review.replace("review/", "plan.json?row=3")).json()
    shown = plan.as_json(page.context["plan"])
    for one in (told, own, shown):
        for moment in ("created_at", "start_at", "finish_at", "finish_latest_at"):
            assert one.pop(moment)
    del shown["request"]["to"][0]["msisdn"]
    assert told == own
    del own["request"]["to"][0]["msisdn"]
    assert shown == own
    assert set(told) == set(PlanShape().fields) - {"created_at", "start_at", "finish_at", "finish_latest_at"}
    text = page.content.decode()
    assert "2 of 3" in text and "0.10 EUR" in text and request.LATER in text
    wrong = composer.get(f"{review}?row=2").content.decode()
    assert "Row 2 gets no message" in wrong
