"""What a send asks of the provider reaches the wire, and what it does not hear of then is not held against it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sms.compose.checks import check
from sms.compose.errors import ComposeError
from sms.compose.options import asking_for
from sms.dispatch.watch import broken_rules
from sms.models import USUAL_RECEIPTS, ContactPolicyGroup, Receipts, Resend, ShortLinkDomain
from sms.models.receipt_choice import WITHOUT
from sms.sends import plan
from tests.support.dispatching import without_receipt
from tests.support.link_fields import all_six
from tests.support.provider import PUBLIC_URL, Provider
from tests.support.sends import a_send, a_service, an_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return a_service()


def posted(service, **changes) -> dict:
    a_send(service, **changes)
    provider = Provider()
    provider.dispatch()
    return provider.bodies[0]


def group_of(service, **flags) -> ContactPolicyGroup:
    return ContactPolicyGroup.objects.create(service=service, name="Offers", group_id="g1", **flags)


def domain_of(service) -> ShortLinkDomain:
    return ShortLinkDomain.objects.create(service=service, region=service.region, host="go.example.test")


def test_everything_that_is_asked_for_is_in_the_request(service):
    options = asking_for(
        track_clicks=False,
        tag1="spring",
        tag2="wk-12",
        check_consent=False,
        apply_frequency_cap=True,
        receipts=Receipts.of(("DELIVERED", "FAILED", "CLICKED")),
        validity=3600,
    )
    body = posted(
        service,
        options=options,
        policy_group=group_of(service),
        link_domain=domain_of(service),
        callback_data="order=981",
    )
    assert body["options"] == all_six(
        shortenLinks=True, domain="https://go.example.test", tag1="spring", tag2="wk-12"
    )
    assert body["contactPolicy"] == {"contactPolicyGroup": "g1", "channelApplyFrequencyCap": True}
    assert body["requestedReceipts"] == ["DELIVERED", "FAILED"], "no CLICKED where nothing is tracked"
    assert body["validity"] == "3600"
    assert "expireAt" not in body
    assert body["callbackData"] == "order=981"


def test_who_asks_for_nothing_gets_what_everybody_gets(service):
    body = posted(service, link_domain=domain_of(service), policy_group=group_of(service))
    assert body["options"] == all_six(shortenLinks=True, trackClicks=True, domain="https://go.example.test")
    assert body["contactPolicy"]["channelCheckConsent"] is True
    assert body["requestedReceipts"] == ["SUBMITTED", "DELIVERED", "FAILED", "CLICKED"]


def test_the_plan_shows_the_same_request_and_the_checks_that_were_chosen(service):
    order = an_order(
        service, policy_group=group_of(service), options=asking_for(apply_frequency_cap=True, validity=600)
    )
    made = plan.build_plan(order, now=timezone.now(), public_url=PUBLIC_URL)
    assert '"validity":"600"' in made.request
    assert (made.policy.check_consent, made.policy.apply_frequency_cap) == (True, True)


@pytest.mark.parametrize(
    ("options", "changes", "field"),
    [
        (asking_for(validity=60), {"expires_at": timezone.now() + timedelta(days=1)}, "validity"),
        (asking_for(validity=72 * 3600 + 1), {}, "validity"),
        (asking_for(tag1="spring sale"), {}, "tag1"),
        (asking_for(tag2="x" * 51), {}, "tag2"),
        (asking_for(receipts=Receipts(0)), {}, "receipts"),
        (asking_for(receipts=Receipts(64)), {}, "receipts"),
        (asking_for(receipts=Receipts.of(("SUBMITTED", "DELIVERED"))), {"ramp": True}, "receipts"),
        (asking_for(receipts=Receipts.of(("FAILED",))), {"resend": Resend.EVIDENCE}, "receipts"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_at_its_field(service, options, changes, field):
    with pytest.raises(ComposeError) as refused:
        check(an_order(service, options=options, **changes))
    assert [one.field for one in refused.value.problems] == [field]


def test_a_group_that_would_check_nothing_is_refused(service):
    order = an_order(service, policy_group=group_of(service), options=asking_for(check_consent=False))
    with pytest.raises(ComposeError) as refused:
        check(order)
    assert [one.field for one in refused.value.problems] == ["check_consent"]


@pytest.mark.parametrize("left_out", USUAL_RECEIPTS & ~Receipts.CLICKED)
def test_the_plan_says_what_leaving_a_receipt_out_costs(service, left_out):
    options = asking_for(receipts=USUAL_RECEIPTS & ~left_out)
    made = plan.build_plan(an_order(service, options=options), now=timezone.now(), public_url=PUBLIC_URL)
    assert [one.detail for one in made.cautions if one.code == "receipts"] == [
        f"The receipt {left_out} is not asked for: {WITHOUT[left_out]}."
    ]


@pytest.mark.parametrize(
    ("receipts", "held"),
    [
        (("SUBMITTED", "FAILED"), False),
        (("SUBMITTED", "DELIVERED"), False),
        (("DELIVERED", "FAILED"), True),
        (USUAL_RECEIPTS.names, True),
    ],
)
def test_failures_hold_only_a_send_that_hears_of_both_ends(service, receipts, held):
    service.hold_failures = 50
    service.save()
    send = a_send(service, 200, options=asking_for(receipts=Receipts.of(receipts)))
    found = broken_rules(send, {"failed": 120, "submitted": 80}, now=timezone.now())
    assert [one.rule for one in found] == ["failures"] * held


@pytest.mark.parametrize(
    ("receipts", "held"),
    [(("DELIVERED", "FAILED"), False), (("SUBMITTED",), True), (USUAL_RECEIPTS.names, True)],
)
def test_silence_holds_only_a_send_that_asks_for_submitted(service, receipts, held):
    service.hold_silence = 50
    service.save()
    send = a_send(service, 200, options=asking_for(receipts=Receipts.of(receipts)))
    now = timezone.now()
    without_receipt(send, now - timedelta(minutes=11))
    assert [one.rule for one in broken_rules(send, {"queued": 200}, now=now)] == ["silence"] * held
