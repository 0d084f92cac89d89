"""The page of API keys: made and shown once, listed without their secret, revoked."""

import re

import pytest

from sms.models import ApiKey, CallbackEndpoint
from tests.support.callbacks import an_endpoint
from tests.support.drop_in import body, post
from tests.support.people import a_cast

pytestmark = pytest.mark.django_db
URL = "/s/shop/api-keys/"
FIELDS = {
    "name": "Shop system",
    "scopes": ["send", "read"],
    "per_minute": "600",
    "networks": "",
    "expires_at": "",
    "purpose": "marketing",
    "resend": "evidence",
}


@pytest.fixture
def admin():
    return a_cast()["admin"]


def test_a_key_is_shown_once_works_and_is_revoked(admin):
    answer = admin.post(URL, FIELDS)
    token = re.search(r"td_live_[0-9a-f]{8}_[\w-]{43}", answer.content.decode())[0]
    assert answer["Cache-Control"] == "no-store"
    page = admin.get(URL).content.decode()
    key = ApiKey.objects.get()
    assert "Shop system" in page
    assert key.prefix in page
    assert token not in page
    assert post(token, body()).status_code == 201
    assert key.created_by == "admin@example.test"
    revoke = f"{URL}{key.pk}/revoke/"
    assert "Last used" in admin.get(revoke).content.decode()
    assert admin.post(revoke).status_code == 302
    assert post(token, body()).status_code == 401
    assert "Revoked" in admin.get(URL).content.decode()


def test_endpoints_of_a_key_are_switched_off_with_the_last_one_of_its_name(admin):
    for _ in range(2):
        admin.post(URL, FIELDS)
    first, last = ApiKey.objects.order_by("pk")
    endpoint = an_endpoint(first.service, key_owner=first.identity)
    an_endpoint(first.service, "https://shop.example", kind="notify", key_owner=first.identity)
    assert "callback endpoint" not in admin.get(f"{URL}{first.pk}/revoke/").content.decode()
    admin.post(f"{URL}{first.pk}/revoke/")
    assert not CallbackEndpoint.objects.exclude(disabled_at=None)
    assert "Its callback endpoint is switched off" in admin.get(f"{URL}{last.pk}/revoke/").content.decode()
    admin.post(f"{URL}{last.pk}/revoke/")
    assert [one.pk for one in CallbackEndpoint.objects.exclude(disabled_at=None)] == [endpoint.pk]
    page = admin.get(f"/s/shop/callbacks/{endpoint.pk}/").content.decode()
    assert "The API key Shop system, which made it, was revoked." in page and "Switch on again" in page


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": ""}, "Name"),
        ({"scopes": []}, "What it may do"),
        ({"networks": "192.0.2.0/24, nowhere"}, "“nowhere” is no address or network"),
        ({"expires_at": "2020-01-01T00:00"}, "That time has passed"),
        ({"per_minute": "0"}, "Requests a minute"),
    ],
)
def test_what_cannot_be_is_said_beside_the_field_and_nothing_typed_is_lost(admin, wrong, says):
    answer = admin.post(URL, FIELDS | wrong)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert says in page
    assert ("name" in wrong) or "Shop system" in page
    assert not ApiKey.objects.exists()


def test_a_third_key_of_a_name_waits_for_one_to_be_revoked(admin):
    for _ in range(2):
        assert admin.post(URL, FIELDS).status_code == 200
    answer = admin.post(URL, FIELDS)
    assert answer.status_code == 422
    assert "has 2 usable keys" in answer.content.decode()


def test_the_list_takes_as_many_queries_for_many_keys(admin, django_assert_max_num_queries):
    for number in range(20):
        admin.post(URL, FIELDS | {"name": f"Shop {number}"})
    with django_assert_max_num_queries(12):
        admin.get(URL)
