"""Changing a service's receipt address: messages on their way still carry the previous one, so both are answered for a while."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from sms.models import Actor, Service
from sms.models.audit import audit
from sms.models.service import new_token

NOTED_EVERY = timedelta(hours=1)
HAND_OVER = timedelta(
    days=7
)  # receipts come for up to three days, and a person changes the webhook in the meantime


def rotate(service: Service, *, by: Actor, now: datetime | None = None) -> Service:
    """A new address; the previous one is answered for HAND_OVER longer, older ones are not."""
    now = now or timezone.now()
    with transaction.atomic():
        row = Service.objects.select_for_update().defer(*Service.secrets()).get(pk=service.pk)
        row.receipt_token_before, row.receipt_token = row.receipt_token, new_token()
        row.receipt_token_until = now + HAND_OVER
        row.save(update_fields=["receipt_token", "receipt_token_before", "receipt_token_until"])
        audit("service.receipt_address_changed", row, by=by)
    return row


def retire(service: Service, *, by: Actor) -> None:
    """The previous address and the previous signature secret are not accepted any more."""
    with transaction.atomic():
        row = Service.objects.select_for_update().defer(*Service.secrets()).get(pk=service.pk)
        row.receipt_token_before = row.receipt_token_until = None
        row.receipt_secret_before = ""
        row.save(update_fields=["receipt_token_before", "receipt_token_until", "receipt_secret_before"])
        audit("service.receipt_address_retired", row, by=by)


def asked(service_id: int, *, now: datetime | None = None) -> None:
    """Note that a HEAD request found the address. One write an hour at most."""
    now = now or timezone.now()
    stale = Q(receipt_asked_at=None) | Q(receipt_asked_at__lt=now - NOTED_EVERY)
    Service.objects.filter(stale, pk=service_id).update(receipt_asked_at=now)
