"""Changing an address of a service, or ending its secret. Messages on their way still carry the previous address, so both are answered
for a while."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from sms.inbound.receipts.addresses import digest_of
from sms.models import Actor, CameTo, RetiredAddress, Service
from sms.models.audit import audit
from sms.models.receipt_settings import new_token
from sms.models.service import HAND_OVER
from sms.models.sql.clock import corrected_now

NOTED_EVERY = timedelta(hours=1)
TOKENS = {CameTo.NOTIFY_URL: "receipt_token", CameTo.WEBHOOK: "webhook_token"}


class StillAnswered(ValueError):
    """The address before is in its hand-over. A further one would end it early, as by a button pressed twice."""


def rotate(service: Service, *, by: Actor, came_to: CameTo = CameTo.NOTIFY_URL) -> Service:
    """A new address; the previous one is answered for HAND_OVER longer. What comes to older ones is refused, and kept.

    Raises StillAnswered.
    """
    token = TOKENS[came_to]
    with transaction.atomic():
        row = Service.objects.select_for_update().defer(*Service.secrets()).get(pk=service.pk)
        before, until = getattr(row, f"{token}_before"), getattr(row, f"{token}_until")
        if before and until and until > corrected_now():
            raise StillAnswered(
                _(
                    "A new address was made already, and the one before it is still answered. To make another one, end the "
                    "previous address first."
                )
            )
        _retire(row, before)
        setattr(row, f"{token}_before", getattr(row, token))
        setattr(row, token, new_token())
        setattr(row, f"{token}_until", corrected_now() + HAND_OVER)
        row.save(update_fields=[token, f"{token}_before", f"{token}_until"])
        audit("service.receipt_address_changed", row, by=by, address=str(came_to))
    return row


def retire(service: Service, *, by: Actor) -> None:
    """The previous addresses and the previous signature secret are not accepted any more."""
    with transaction.atomic():
        row = Service.objects.select_for_update().defer(*Service.secrets()).get(pk=service.pk)
        for token in TOKENS.values():
            _retire(row, getattr(row, f"{token}_before"))
            setattr(row, f"{token}_before", None)
            setattr(row, f"{token}_until", None)
        row.receipt_secret_before = ""
        changed = [f"{token}_{what}" for token in TOKENS.values() for what in ("before", "until")]
        row.save(update_fields=[*changed, "receipt_secret_before"])
        audit("service.receipt_address_retired", row, by=by)


def remove_secret(service: Service, *, by: Actor) -> bool:
    """No signature is asked for any more; False where none was."""
    with transaction.atomic():
        row = Service.objects.select_for_update().defer(*Service.secrets()).get(pk=service.pk)
        there = (
            Service.objects.filter(pk=row.pk).exclude(receipt_secret="", receipt_secret_before="").exists()
        )
        if there:
            row.receipt_secret = row.receipt_secret_before = ""
            row.save(update_fields=["receipt_secret", "receipt_secret_before"])
            audit("service.signature_secret_removed", row, by=by)
    return there


def _retire(service: Service, token: str | None) -> None:
    """Remember whose it was: what still comes to it is kept."""
    if token:
        ended = RetiredAddress(service=service, digest=digest_of(token))
        RetiredAddress.objects.bulk_create([ended], ignore_conflicts=True)


def asked(service_id: int) -> None:
    """Note that a HEAD request found the address. One write an hour at most."""
    now = corrected_now()
    stale = Q(receipt_asked_at=None) | Q(receipt_asked_at__lt=now - NOTED_EVERY)
    Service.objects.filter(stale, pk=service_id).update(receipt_asked_at=now)
