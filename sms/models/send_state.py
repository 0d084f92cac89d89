"""The life of a send: what is stored, and what is told of it."""

from django.db import models
from django.db.models import Q


class SendState(models.TextChoices):
    """The life of a send: (preparing →) (awaiting →) scheduled → sending → finished, or cancelled on the way."""

    # a large one: its messages are still being written; nothing of it is leased
    PREPARING = "preparing", "Preparing"
    AWAITING = "awaiting", "Awaiting approval"  # stored, and asked about; nothing of it is leased
    SCHEDULED = "scheduled", "Scheduled"
    SENDING = "sending", "Sending"
    FINISHED = "finished", "Finished"  # everything was posted; receipts may still come
    CANCELLED = "cancelled", "Cancelled"


# nothing of it is settled for good: it can still be paused, stopped or cancelled
UNFINISHED = frozenset({SendState.PREPARING, SendState.AWAITING, SendState.SCHEDULED, SendState.SENDING})
OVER = (SendState.FINISHED, SendState.CANCELLED)  # nothing more of it is posted


class ShownState(models.TextChoices):
    """What programs and people are told: a send that is handed over is either posted or settled."""

    PREPARING = "preparing", "Preparing"
    AWAITING = "awaiting", "Awaiting approval"
    SCHEDULED = "scheduled", "Scheduled"
    SENDING = "sending", "Sending"
    POSTED = "posted", "Handed over"  # all of it; some messages have no end yet
    SETTLED = "settled", "Finished"  # nothing more is expected of any message
    CANCELLED = "cancelled", "Cancelled"

    @property
    def rows(self) -> Q:
        """Sends of which it is told."""
        if self in (ShownState.POSTED, ShownState.SETTLED):
            return Q(state=SendState.FINISHED, settled_at__isnull=self == ShownState.POSTED)
        return Q(state=self.value)
