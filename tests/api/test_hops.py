"""What a Textdesk posted is taken by no Textdesk: a service that is pointed at a desk, or at a second one behind it, goes nowhere."""

import pytest

from sms.catalogue import number_code
from sms.models import Message, ReceiptInbox
from sms.webex import HOP
from tests.support import drop_in
from tests.support.drop_in import body
from tests.support.partners import a_key, a_partner_service
from tests.support.telephone import a_telephone

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return a_partner_service()


@pytest.mark.parametrize("path", ["/v2/messages", "/v1/sms/messages", "/resources/v1/messaging"])
def test_the_send_doors_refuse_what_has_the_mark(service, client, path):
    headers = {"key": a_key(service), HOP: "1"}
    answer = client.post(path, body(), content_type="application/json", headers=headers)
    assert answer.status_code in (200, 400)  # an older API refuses within a 200
    assert "posted by a Textdesk" in answer.content.decode()
    assert not Message.objects.exists()


def test_receipts_with_the_mark_are_not_kept(service, client):
    for kind in ("receipts", "inbound"):
        path = f"/{kind}/{service.receipt_token}/"
        answer = client.post(path, b"{}", content_type="application/json", headers={HOP: "1"})
        assert answer.status_code == 400
    assert not ReceiptInbox.objects.exists()


def test_everything_that_we_post_to_the_provider_has_the_mark(service):
    with a_telephone() as phone:
        service.base_url = phone.url
        service.keep_secrets_for_address()
        service.save()
        number_code.post(service, "+447700900001", "123456")
    assert {name.lower() for name in phone.headers[0]} >= {HOP.lower()}


def test_without_the_mark_everything_is_as_before(service):
    assert drop_in.post(a_key(service), body()).status_code in (200, 201, 202)
