"""What was refused, on pages, in the command and for machines; and secrets that are tried, enforced and removed."""

import io

import pytest
from django.core.management import call_command
from django.test import Client

from sms.inbound.receipts import receipt_addresses
from sms.models import (
    AuditEvent,
    InboundMessage,
    OptOut,
    PolicyConnection,
    PostTally,
    Receipt,
    RefusedPost,
    Region,
    Service,
)
from sms.webex import signature
from tests.support.pages import text_of
from tests.support.people import a_cast
from tests.support.receipts import receipt

pytestmark = pytest.mark.django_db
PAGE = "/s/shop/receipts/"
SETTINGS = "/s/shop/settings/"
SECRET = "hub-secret"
STOP = b'{"oa":"447710000000","da":"SHOP","message":"STOP","tid":"1"}'


@pytest.fixture
def cast():
    return a_cast()


def posted(path: str, token: str, raw: bytes, secret: str = "") -> int:
    receipt_addresses.forget()
    headers = {"x-hub-signature": signature.sign(raw, secret=secret)} if secret else {}
    return (
        Client()
        .post(f"/{path}/{token}/", data=raw, content_type="application/json", headers=headers)
        .status_code
    )


def enforced(cast) -> Service:
    """A service whose secret has fitted for receipts and for incoming SMS."""
    Service.objects.filter(pk=cast.service.pk).update(receipt_secret=SECRET)
    assert posted("receipts", cast.service.webhook_token, receipt("proof"), SECRET) == 200
    hello = STOP.replace(b"STOP", b"Hello").replace(b'"1"', b'"0"')
    assert posted("inbound", cast.service.webhook_token, hello, SECRET) == 200
    return Service.objects.get(pk=cast.service.pk)


def settings_form(**changes) -> dict[str, object]:
    """The connection as its page sends it, without secrets."""
    region = Region.objects.get(key="uk").pk
    return {"name": "Shop", "region": region, "auth_kind": "key", "receipt_algorithm": "sha256"} | changes


def test_both_addresses_are_shown_and_changed_one_by_one(cast):
    page = cast["admin"].get(PAGE).content.decode()
    service = cast.service
    for address in (
        f"/receipts/{service.receipt_token}/",
        f"/receipts/{service.webhook_token}/",
        f"/inbound/{service.webhook_token}/",
    ):
        assert address in page
    assert service.webhook_token not in cast["composer"].get(PAGE).content.decode()
    cast["admin"].post(f"{PAGE}rotate-webhook/")
    changed = Service.objects.get(pk=service.pk)
    assert changed.receipt_token == service.receipt_token
    assert changed.webhook_token != service.webhook_token == changed.webhook_token_before
    assert "The previous address is answered until" in text_of(cast["admin"].get(PAGE))
    cast["admin"].post(f"{PAGE}retire/")
    assert Service.objects.get(pk=service.pk).webhook_token_before is None
    assert posted("receipts", service.webhook_token, receipt("late")) == 404
    assert "1 receipt at an address that has ended" in text_of(cast["admin"].get(PAGE))


def test_a_secret_on_trial_says_what_it_would_refuse(cast):
    cast["admin"].post(SETTINGS, settings_form(receipt_secret="mistyped"))
    for number in range(3):
        assert posted("receipts", cast.service.webhook_token, receipt(f"{number}"), SECRET) == 200
    page = text_of(cast["admin"].get(PAGE))
    assert "The signature secret is being tried for receipts at the address for webhooks." in page
    assert "Would be refused: 3." in page
    cast["admin"].post(SETTINGS, settings_form(receipt_secret=SECRET))
    assert "Would be refused: 0." in text_of(cast["admin"].get(PAGE))
    assert posted("receipts", cast.service.webhook_token, receipt("signed"), SECRET) == 200
    page = text_of(cast["admin"].get(PAGE))
    assert "Receipts at the address for webhooks: must be signed, since" in page
    assert "being tried for receipts" not in page
    assert "being tried for incoming SMS" in page


def test_a_secret_is_removed_with_the_one_before_it(cast):
    enforced(cast)
    assert "Remove the stored signature secret" in text_of(cast["admin"].get(SETTINGS))
    cast["admin"].post(SETTINGS, settings_form(receipt_secret="second"))
    service = Service.objects.get(pk=cast.service.pk)
    assert (service.receipt_secret, service.receipt_secret_before) == ("second", SECRET)
    both = cast["admin"].post(SETTINGS, settings_form(receipt_secret="x", remove_receipt_secret="on"))
    assert list(both.context["form"].errors) == ["receipt_secret"]
    assert cast["admin"].post(SETTINGS, settings_form(remove_receipt_secret="on")).status_code == 302
    service = Service.objects.get(pk=cast.service.pk)
    assert service.receipt_secrets == []
    assert posted("receipts", service.webhook_token, receipt("unsigned")) == 200
    page = text_of(cast["admin"].get(SETTINGS))
    assert "Remove the stored signature secret" not in page
    assert "remove_receipt_secret" in str(
        AuditEvent.objects.filter(act="service.changed").latest("pk").details
    )
    assert cast["admin"].post(SETTINGS, settings_form()).status_code == 302, "and it stays away"
    assert Service.objects.get(pk=service.pk).receipt_secrets == []


def test_every_stored_secret_that_is_not_needed_can_be_removed(cast):
    Service.objects.filter(pk=cast.service.pk).update(jwt_secret="c2VjcmV0", jwt_service_id="mine")
    needed = cast["admin"].post(SETTINGS, settings_form(remove_api_key="on"))
    assert list(needed.context["form"].errors) == ["api_key"]
    assert cast["admin"].post(SETTINGS, settings_form(remove_jwt_secret="on")).status_code == 302
    service = Service.objects.get(pk=cast.service.pk)
    assert (service.api_key, service.jwt_secret) == ("a-key", "")
    page = "/s/shop/policy-groups/connection/"
    cast["admin"].post(page, {"base_url": "", "profile_key": "profile"})
    assert "Remove the stored profile key" in text_of(cast["admin"].get(page))
    assert cast["admin"].post(page, {"base_url": "", "remove_profile_key": "on"}).status_code == 302
    assert PolicyConnection.objects.get().profile_key == ""


def test_the_admin_removes_it_too(cast):
    enforced(cast)
    act = {"action": "remove_signature_secret", "_selected_action": [cast.service.pk]}
    said = cast["admin"].post("/admin/sms/service/", act, follow=True)
    assert "Removed for Shop." in text_of(said)
    assert Service.objects.get(pk=cast.service.pk).receipt_secrets == []
    assert AuditEvent.objects.filter(act="service.signature_secret_removed").count() == 1
    assert "no signature secret to remove" in text_of(
        cast["admin"].post("/admin/sms/service/", act, follow=True)
    )


def test_what_was_refused_is_seen_and_taken_in_by_an_admin(cast):
    service = enforced(cast)
    for number in range(3):
        assert posted("receipts", service.webhook_token, receipt(f"r{number}")) == 401
    assert posted("inbound", service.webhook_token, STOP) == 401
    for who in ("admin", "composer"):
        home = text_of(cast[who].get("/s/shop/"))
        assert "3 receipts at the address for webhooks" in home
        assert "Nothing is lost: they are kept for 30 days" in home
    assert "STOP" not in text_of(cast["admin"].get(PAGE)), "nothing of what was posted is shown"
    assert "Take in" not in text_of(cast["composer"].get(PAGE))
    for path in ("receipts", "inbound"):
        address = f"/s/shop/{path}/refused/take-in/"
        assert cast["composer"].post(address).status_code == 403
        asked = text_of(cast["admin"].get(address))
        assert "Their signature was missing or did not fit" in asked
        assert cast["admin"].post(address, follow=True).status_code == 200
    assert Receipt.objects.count() == 4
    assert InboundMessage.objects.count() == 2
    assert OptOut.objects.get().msisdn == "+447710000000"
    acts = AuditEvent.objects.filter(act="receipts.taken_in").order_by("pk")
    assert [(one.details["kind"], one.details["posts"], one.details["new"]) for one in acts] == [
        ("receipt", 3, 3),
        ("inbound", 1, 1),
    ]
    assert "Refused:" not in text_of(cast["admin"].get("/s/shop/"))
    gone = cast["admin"].get("/s/shop/receipts/refused/take-in/", follow=True)
    assert "No refused receipts are kept any more." in text_of(gone)


def test_forged_ones_are_deleted_and_change_nothing(cast):
    service = enforced(cast)
    assert posted("receipts", service.webhook_token, receipt("forged")) == 401
    address = "/s/shop/receipts/refused/delete/"
    assert "Delete 1 refused receipt?" in text_of(cast["admin"].get(address))
    cast["admin"].post(address)
    assert not RefusedPost.objects.exists()
    assert Receipt.objects.count() == 1
    assert AuditEvent.objects.filter(act="receipts.refused_deleted").count() == 1


def test_each_row_is_taken_in_and_deleted_alone(cast):
    service = enforced(cast)
    assert posted("inbound", service.webhook_token, STOP) == 401
    cast.other.senders.all().delete()
    for digit in (b"1", b"2"):
        assert posted("inbound", "of-nobody", STOP.replace(b"710000000", b"71000000" + digit)) == 404
    page = cast["admin"].get(PAGE)
    assert "which a stranger can do too" in text_of(page)
    assert "/inbound/refused/take-in/?came_to=unknown" in page.content.decode()
    address = "/s/shop/inbound/refused/take-in/?came_to="
    assert "Anybody can post to an address that no service has" in text_of(
        cast["admin"].get(f"{address}unknown")
    )
    assert "Take in 1 refused incoming SMS at the address for webhooks?" in text_of(
        cast["admin"].get(f"{address}webhook")
    )
    cast["admin"].post(f"{address}webhook")
    assert OptOut.objects.get().msisdn == "+447710000000"
    cast["admin"].post("/s/shop/inbound/refused/delete/?came_to=unknown")
    assert not RefusedPost.objects.exists()


def test_those_of_another_service_stay_where_they_are(cast):
    service = enforced(cast)
    assert posted("receipts", service.webhook_token, receipt("one")) == 401
    RefusedPost.objects.update(service=cast.other)
    assert "Refused:" not in text_of(cast["admin"].get("/s/shop/"))
    cast["admin"].post("/s/shop/receipts/refused/take-in/")
    cast["admin"].post("/s/shop/receipts/refused/delete/")
    assert RefusedPost.objects.get().service == cast.other


def test_the_command_lists_them_and_takes_in_what_nobody_has(cast):
    assert posted("receipts", "of-nobody", receipt("one")) == 404
    assert "1 more came to addresses that no service has" in text_of(cast["admin"].get(PAGE))

    def said(*options: str) -> str:
        out = io.StringIO()
        call_command("take_in_refused", "--service", "shop", *options, stdout=out)
        return out.getvalue()

    assert said("--list") == "Nothing is kept.\n"
    assert said("--list", "--unknown").startswith("1 receipt at an address that no service has, ")
    assert "0 refused receipts were taken in" in said()
    assert "1 refused receipts were taken in, 1 of them new." in said("--unknown", "--kind", "receipt")
    assert Receipt.objects.get().service == cast.service
    assert AuditEvent.objects.get(act="receipts.taken_in").door == "cli"
    assert posted("receipts", "of-nobody", receipt("two")) == 404
    assert said("--delete").startswith("0 refused receipts were deleted.")
    assert "1 refused receipts were deleted." in said("--delete", "--unknown")
    assert not RefusedPost.objects.exists()


def test_machines_see_them_too(cast):
    service = enforced(cast)
    assert posted("receipts", service.webhook_token, receipt("refused")) == 401
    assert posted("receipts", "of-nobody", receipt("unknown")) == 404
    assert cast["visitor"].get("/readyz").json()["refused_posts"] == 2
    lines = cast["visitor"].get("/metrics").content.decode().splitlines()
    assert 'textdesk_refused_posts_total{service="shop",kind="receipt",address="webhook"} 1' in lines
    assert 'textdesk_refused_posts_total{service="",kind="receipt",address="unknown"} 1' in lines
    assert 'textdesk_refused_posts_dropped_total{service="shop",kind="receipt",address="webhook"} 0' in lines
    assert 'textdesk_unproven_posts_total{service="shop",kind="receipt",address="webhook"} 0' in lines
    assert "textdesk_refused_posts 2" in lines
    assert PostTally.objects.count() == 3


def test_the_authorization_of_a_service_goes_into_messages_that_name_none(cast):
    from tests.support.provider import Provider
    from tests.support.sends import a_send

    wrong = cast["admin"].post(SETTINGS, settings_form(notify_url_auth_id="not one"))
    assert list(wrong.context["form"].errors) == ["notify_url_auth_id"]
    assert cast["admin"].post(SETTINGS, settings_form(notify_url_auth_id="TNPXXXT09U")).status_code == 302
    service = Service.objects.get(pk=cast.service.pk)
    a_send(service, notify_url_auth_id="TNOTHER09U")
    a_send(service)
    provider = Provider()
    provider.dispatch()
    assert sorted(body["notifyUrlAuthId"] for body in provider.bodies) == ["TNOTHER09U", "TNPXXXT09U"]
