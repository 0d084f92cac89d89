"""Legal holds: a send of which nothing is deleted, moved or erased, with the reason, until an admin lifts it."""

from django.db import transaction

from sms.models import Actor, Send, SendKeeping
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now


def hold(send: Send, *, because: str, by: Actor) -> bool:
    """Keep everything of a send; False where it was held already. Waits for a batch that is deleting right now."""
    with transaction.atomic():
        SendKeeping.objects.bulk_create([SendKeeping(send_id=send.pk)], ignore_conflicts=True)
        locked = SendKeeping.objects.select_for_update().get(pk=send.pk)
        if locked.held_at is not None:
            return False
        locked.held_at, locked.held_because, locked.held_by = corrected_now(), because[:300], by.label
        locked.save(update_fields=["held_at", "held_because", "held_by"])
        audit("send.kept", send, by=by)
    return True


def release(send: Send, *, by: Actor) -> bool:
    """Let its days count again; False where it was not held."""
    with transaction.atomic():
        rows = SendKeeping.objects.filter(pk=send.pk, held_at__isnull=False)
        if not rows.update(held_at=None, held_because="", held_by=""):
            return False
        audit("send.kept_no_more", send, by=by)
    return True
