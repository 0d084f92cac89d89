"""Another time for a send that has not begun. Called by the page of a send and by the API."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from sms import wake
from sms.compose import PAST
from sms.models import Actor, AuditEvent, Send, SendState, Slice
from sms.refusal import ComposeError, Problem

BEGUN = "It has begun, so its time cannot be moved any more. Pause it, or stop what was not posted yet."


def reschedule(send: Send, *, due_at: datetime, by: Actor, now: datetime | None = None) -> None:
    """Move a scheduled send to `due_at`, or to now where that is just past; raises ComposeError where it cannot be moved.

    Locks the send and then its slices, as `compose.cancel` does: whoever claims one right now is waited for, and has won.
    """
    now = now or timezone.now()
    if due_at < now - PAST:
        raise ComposeError([Problem("send_at", "That time has passed. Choose a later one, or now.")])
    due_at = max(due_at, now)
    with transaction.atomic():
        locked = Send.objects.select_for_update(no_key=True).get(pk=send.pk)
        slices = list(Slice.objects.select_for_update().filter(send=locked).order_by("pk"))
        if locked.state != SendState.SCHEDULED or any(item.owner or item.done for item in slices):
            raise ComposeError([Problem("send_at", BEGUN)])
        if locked.expires_at is not None and locked.expires_at <= due_at:
            raise ComposeError(
                [
                    Problem(
                        "send_at",
                        f"It would expire before it is sent ({timezone.localtime(locked.expires_at):%d %b %Y, %H:%M %Z}). "
                        "Choose an earlier time, or stop it and make a new one.",
                    )
                ]
            )
        before, locked.due_at = locked.due_at, due_at
        locked.save(update_fields=["due_at"])
        Slice.objects.filter(pk__in=[item.pk for item in slices]).update(due_at=due_at)
        AuditEvent.record(
            "send.rescheduled",
            by=by,
            service_slug=locked.service.slug,
            noun="send",
            noun_key=locked.pk,
            before=before.isoformat(),
            after=due_at.isoformat(),
        )
        wake.dispatch()
    send.refresh_from_db()
