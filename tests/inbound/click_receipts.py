"""Receipts that tell of clicks and deliveries, and their way through the endpoint."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from sms.inbound import receipts
from sms.values import correlation_id
from tests.inbound import make
from tests.support.receipts import receipt

PHONE, COMPUTER = make.iphone("18_0"), make.windows()
OFFER, TERMS = "https://shop.example/offer", "https://shop.example/terms"


def posted_within_an_hour(message) -> None:
    """Ten minutes into the last hour, so that clicks soon after it are in one hour, whenever a test runs."""
    message.posted_at = (timezone.now() - timedelta(hours=1)).replace(minute=10)
    message.save(update_fields=["posted_at"])


def told(service, message, *, at, url=OFFER, ip="203.0.113.9", agent=PHONE):
    """A Clicked receipt, `at` seconds after posting."""
    return _receipt(
        service,
        message,
        code="7528",
        status="Clicked",
        info={
            "timeStamp": (message.posted_at + timedelta(seconds=at)).isoformat(),
            "Description": f"{url}|{ip}",
            "additionalInfo": agent,
            "deliveryChannel": "sms",
        },
    )


def delivered(service, message, *, at):
    return _receipt(
        service, message, info={"timeStamp": (message.posted_at + timedelta(seconds=at)).isoformat()}
    )


def _receipt(service, message, **fields):
    return receipt(
        correlation_id.write(message_id=message.pk, attempt=1, key=service.correlation_key), **fields
    )


def take(service, *bodies, each=False):
    """Through the endpoint; folded after each, or all at once."""
    for raw in bodies:
        answer = Client().post(
            f"/receipts/{service.receipt_token}/", data=raw, content_type="application/json"
        )
        assert answer.status_code == 200
        if each:
            receipts.fold()
    receipts.fold()
