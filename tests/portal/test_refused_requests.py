"""What a key was refused, on its page: found by the name of the request, without bodies, numbers and values, and never without end."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from sms.api.refused_requests import MOST_KEYS, RefusalLog, RefusalToKeep, note, refusals
from sms.models import ApiKey, RefusedRequest
from sms.models.refused_request import KEPT, MOST
from tests.support.drop_in import body, post
from tests.support.jobs import run_job
from tests.support.partners import Partner, a_key
from tests.support.people import a_cast

pytestmark = pytest.mark.django_db
NUMBER = "+447700900123"


@pytest.fixture
def cast():
    return a_cast()


def noted(token: str, at: int) -> None:
    said = b'{"code":"invalid"}'
    note({"key": token}, request_id=f"req_{at}", method="GET", path="/api/v1/x", status=400, content=said)


def test_an_admin_finds_a_request_by_its_name_and_code(cast):
    service = cast.service
    partner = Partner(a_key(service))
    url = f"/s/shop/api-keys/{ApiKey.objects.get().pk}/refused/"
    assert "Nothing here" in cast["admin"].get(url).content.decode()
    first = partner.post("sends", {"text": "x", NUMBER: 1, "recipients": ["12"]}, Idempotency_Key="1")
    second = partner.get(f"messages?provider_id={NUMBER}&limit=x")
    third = post(partner.token, body(NUMBER, **{"from": "OTHER"}))
    page = cast["admin"].get(url).content.decode()
    for answer in (first, second, third):
        assert answer["Request-Id"] in page
    assert "447700900123" not in page and "7101" in page and f"{url[-8:]}" in url
    row = RefusedRequest.objects.get(request_id=second["Request-Id"])
    assert (row.path, row.code) == ("/api/v1/messages?provider_id=…&limit=…", "invalid")
    assert [one["field"] for one in row.errors] == ["limit"]
    for query, shown in (
        ({"request_id": f" {first['Request-Id']} "}, first),
        ({"code": "7101"}, third),
        ({"status": "400", "code": "invalid", "request_id": second["Request-Id"]}, second),
    ):
        found = cast["admin"].get(url, query).content.decode()
        assert [one["Request-Id"] in found for one in (first, second, third)].count(True) == 1
        assert shown["Request-Id"] in found
    assert "Enter a whole number" in cast["admin"].get(url, {"status": "x"}).content.decode()
    assert cast["auditor"].get(url).status_code == 403
    assert f'href="{url}"' in cast["admin"].get("/s/shop/api-keys/").content.decode()
    assert post(partner.token, body()).status_code == 201
    assert RefusedRequest.objects.count() == 3, "what is accepted is not kept"


def test_a_key_that_is_no_use_any_more_is_found_too_and_a_made_up_one_is_not(cast):
    token = a_key(cast.service)
    ApiKey.objects.update(revoked_at=timezone.now(), revoked_by="ada")
    assert Client().get("/api/v1/sends", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert RefusedRequest.objects.get().status == 401
    for made_up in (f"{token[:-1]}{'a' if token[-1] != 'a' else 'b'}", "td_live_0_x", "x", ""):
        assert Client().get("/api/v1/sends", headers={"key": made_up}).status_code == 401
    assert RefusedRequest.objects.count() == 1


def test_the_last_thousand_of_a_key_are_kept_in_few_statements(cast, django_assert_max_num_queries):
    """A process that answers many requests stores together what came together."""
    token, other = a_key(cast.service), a_key(cast.service, name="Other")
    noted(other, 0)
    refusals.gathers = refusals._asleep = True  # as if its thread was about to store
    try:
        for at in range(MOST + 500):
            noted(token, at)
    finally:
        refusals.gathers = refusals._asleep = False
    with django_assert_max_num_queries(16):
        assert refusals.store() == MOST
    for at in range(MOST + 500, MOST + 600):
        noted(token, at)
    kept = RefusedRequest.objects.filter(key__prefix=ApiKey.prefix_of(token))
    assert kept.first().request_id == f"req_{MOST + 599}"
    assert MOST <= kept.count() <= MOST + 51
    assert RefusedRequest.objects.exclude(pk__in=kept).count() == 1, "another key's stay"


def test_what_waits_is_bounded(cast):
    """However many keys somebody makes up, and however fast they ask."""
    waiting = RefusalLog()
    waiting.gathers = waiting._asleep = True
    for at in range(3 * MOST):
        waiting.add(f"td_live_{at % 300}", RefusalToKeep("", {}))
        waiting.add("td_live_0", RefusalToKeep("", {}))
    assert len(waiting._waiting) == MOST_KEYS
    assert max(map(len, waiting._waiting.values())) == MOST
    assert waiting.store() == 0


def test_they_go_after_their_days(cast):
    noted(a_key(cast.service), 1)
    noted(a_key(cast.service, name="Other"), 2)
    RefusedRequest.objects.filter(request_id="req_1").update(at=timezone.now() - KEPT - timedelta(hours=1))
    run_job("old refused requests")
    assert RefusedRequest.objects.get().request_id == "req_2"
