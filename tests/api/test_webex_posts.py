"""Receipts and incoming SMS come in by the same rules: the answers that Webex Connect acts upon, at both addresses."""

import json
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from sms.inbound import receipts
from sms.models import InboundMessage, Receipt, Service
from sms.webex import signature
from tests.support.receipts import receipt
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db
SMS = json.dumps({"oa": "447710000000", "da": "SHOP", "message": "Hello", "tid": "1"}).encode()
BODIES = {"receipts": receipt("of-nothing", transid="x"), "inbound": SMS}
STORED = {"receipts": Receipt, "inbound": InboundMessage}


@pytest.fixture(params=BODIES)
def kind(request) -> str:
    return request.param


def post(kind: str, token: str, body: bytes, **headers):
    return Client().post(f"/{kind}/{token}/", data=body, content_type="application/json", headers=headers)


def refuse(run, sql, params, many, context):
    raise OperationalError("the server closed the connection")


def test_while_no_address_can_be_looked_up_webex_connect_is_to_try_again(kind):
    service = a_service()
    with connection.execute_wrapper(refuse):
        posted = post(kind, service.receipt_token, BODIES[kind])
        asked = Client().head(f"/{kind}/{service.receipt_token}/")
    assert (posted.status_code, asked.status_code) == (503, 503)
    assert posted["Retry-After"] == asked["Retry-After"] == "30"
    assert post(kind, service.receipt_token, BODIES[kind]).status_code == 200


def test_the_previous_address_is_answered_until_its_end_and_no_longer(kind):
    service = a_service()
    now = timezone.now()
    changes = {"receipt_token": "new-token", "receipt_token_before": "old-token"}
    for until, expected in ((now + timedelta(minutes=1), 200), (now - timedelta(seconds=1), 404)):
        Service.objects.filter(pk=service.pk).update(receipt_token_until=until, **changes)
        receipts.receipt_addresses.forget()
        assert post(kind, "new-token", BODIES[kind]).status_code == 200
        assert post(kind, "old-token", BODIES[kind]).status_code == expected
        assert Client().head(f"/{kind}/old-token/").status_code == expected


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_signature_must_be_of_the_whole_body(kind, algorithm):
    service = a_service(receipt_secret="secret", receipt_algorithm=algorithm)
    signed = signature.sign(BODIES[kind], secret="secret", algorithm=algorithm)
    whole, cut, longer = BODIES[kind], BODIES[kind][:-1], BODIES[kind] + b"x"
    for body, status in ((whole, 200), (longer, 401), (cut, 401), (whole, 200)):
        answer = post(kind, service.webhook_token, body, **{"x-hub-signature": signed})
        assert answer.status_code == status
    assert STORED[kind].objects.count() == 1


def test_what_accept_says_changes_nothing(kind):
    answer = post(kind, a_service().receipt_token, BODIES[kind], accept="image/png")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_look_at_the_address_for_webhooks_is_noted_for_going_live():
    service = a_service()
    Client().head(f"/inbound/{service.webhook_token}/")
    Client().head(f"/receipts/{service.receipt_token}/")
    assert Service.objects.get(pk=service.pk).receipt_asked_at is None
    Client().head("/receipts/unknown/")
    assert Service.objects.get(pk=service.pk).receipt_asked_at is None
    Client().head(f"/receipts/{service.webhook_token}/")
    assert Service.objects.get(pk=service.pk).receipt_asked_at is not None
