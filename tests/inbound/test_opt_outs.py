"""Opting out and in by every way there is, and who is left out because of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sms.compose.checks import check
from sms.compose.errors import ComposeError
from sms.inbound import optouts, receipts
from sms.inbound.optouts import provider as told_by_provider
from sms.ledger.state_machine import StateChange
from sms.models import AuditEvent, OptOut
from sms.values import correlation_id
from sms.webex import codes
from tests.support.provider import Provider
from tests.support.receipts import receipt
from tests.support.sends import BY, a_send, a_service, an_order, numbers

pytestmark = pytest.mark.django_db
PHONE = "+447710000000"


def out(service, *numbers: str, source: str = "page") -> set[str]:
    return optouts.opt_out(
        service.pk, [optouts.Refusal(one, "said so") for one in numbers], by=BY, source=source
    )


def test_opting_out_twice_is_once_and_again_after_it_was_lifted():
    service = a_service()
    assert out(service, PHONE, PHONE) == {PHONE}
    assert out(service, PHONE) == set()
    assert optouts.opt_in(service.pk, [PHONE], by=BY, reason="Asked by phone.") == 1
    assert optouts.opt_in(service.pk, [PHONE], by=BY, reason="Again.") == 0
    assert out(service, PHONE) == {PHONE}
    assert [bool(row.lifted_at) for row in OptOut.objects.order_by("pk")] == [True, False]
    assert OptOut.objects.filter(by=BY.label).count() == 2
    assert OptOut.objects.get(lifted_at__isnull=False).lifted_because == "Asked by phone."


def test_an_opt_out_counts_in_its_service_only():
    service, other = a_service(), a_service(slug="other", name="Other")
    out(service, PHONE)
    assert OptOut.in_force(service.pk, [PHONE]) == {PHONE}
    assert OptOut.in_force(other.pk, [PHONE]) == set()
    assert a_send(other).recipients == 1


def test_thousands_go_in_parts_with_an_audit_row_each_and_without_numbers():
    service = a_service()
    many = [f"+44771{index:07d}" for index in range(4500)]
    out(service, *many[:10])
    assert len(out(service, *many, source="csv")) == 4490
    assert OptOut.objects.count() == 4500
    events = [event.details for event in AuditEvent.objects.filter(act="optout.added").order_by("pk")][1:]
    assert [event["added"] for event in events] == [2000, 2000, 490]
    assert events[-1] == {"source": "csv", "added": 490, "already": 10}
    assert optouts.opt_in(service.pk, many, by=BY, reason="A mistake.") == 4500


def test_review_counts_who_opted_out_and_says_so():
    service = a_service()
    out(service, *(f"+44771{index:07d}" for index in (1, 3)))
    checked = check(an_order(service, 5))
    assert len(checked.lines) == 3
    assert [(bad.row, bad.code, bad.reason) for bad in checked.rejects] == [
        (2, "opted_out", "This person opted out of messages."),
        (4, "opted_out", "This person opted out of messages."),
    ]


def test_a_send_to_opt_outs_alone_is_refused():
    service = a_service()
    out(service, PHONE)
    with pytest.raises(ComposeError, match="opted out"):
        check(an_order(service, 1))


def test_a_large_audience_loses_exactly_its_opt_outs():
    service = a_service()
    refused = [f"+44771{index:07d}" for index in range(0, 12_000, 7)]
    out(service, *refused)
    checked = check(an_order(service, audience=numbers(12_000)))
    assert {line.msisdn for line in checked.lines}.isdisjoint(refused)
    assert [bad.code for bad in checked.rejects] == ["opted_out"] * len(refused)
    assert len(checked.lines) + len(checked.rejects) == 12_000


def failed(service, code: str, **extra):
    """A message whose receipt says that it failed with a code, folded."""
    send = a_send(service)
    Provider().dispatch()
    message = send.messages.get()
    raw = receipt(
        correlation_id.write(message_id=message.pk, attempt=1, key=service.correlation_key),
        code=code,
        status="Un-Delivered",
        **extra,
    )
    take(service, raw)
    message.refresh_from_db()
    return message, raw


def take(service, raw: bytes) -> None:
    address = receipts.receipt_addresses.find(service.receipt_token)
    receipts.store(receipts.Incoming.of(raw, address=address))
    receipts.fold()


@pytest.mark.parametrize("code", sorted(told_by_provider.REFUSING))
def test_a_refusal_that_the_provider_reports_is_an_opt_out_with_its_code(code):
    service = a_service()
    message, _ = failed(service, code)
    assert message.state == "failed"
    found = OptOut.objects.get()
    assert (found.msisdn, found.source, found.send_id) == (PHONE, "provider", message.send_id)
    assert found.evidence == f"Receipt with code {code}: {codes.lookup(code).meaning}"


@pytest.mark.parametrize("code", ["7203", "9003", "9006", "9010", "7208"])
def test_any_other_failure_is_none(code):
    service = a_service()
    message, _ = failed(service, code)
    assert message.state == "failed"
    assert not OptOut.objects.exists()


def test_the_refusing_codes_are_final_failures_of_the_table():
    for code in told_by_provider.REFUSING:
        assert codes.CODES[code].state == "failed"
        assert codes.CODES[code].resend == "no"
        assert "not send again" in codes.CODES[code].advice


def test_a_replayed_receipt_does_not_undo_what_was_lifted_since():
    service = a_service()
    message, raw = failed(service, "7720")
    assert optouts.opt_in(service.pk, [PHONE], by=BY, reason="Has unblocked us.") == 1
    old = [StateChange(message.pk, "failed", timezone.now() - timedelta(days=1), code="7720")]
    assert optouts.learn(old) == 0
    assert not OptOut.objects.filter(lifted_at=None).exists()
    assert (
        optouts.learn([StateChange(message.pk, "failed", timezone.now() + timedelta(seconds=1), code="7720")])
        == 1
    )
    assert raw
