"""The life of a send: what is stored, and what is told of it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class SendState(models.TextChoices):
    """The life of a send: (preparing →) (awaiting →) scheduled → sending → finished, or cancelled on the way."""

    # a large one: its messages are still being written; nothing of it is leased
    PREPARING = "preparing", _("Preparing")
    AWAITING = "awaiting", _("Awaiting approval")  # stored, and asked about; nothing of it is leased
    SCHEDULED = "scheduled", _("Scheduled")
    SENDING = "sending", _("Sending")
    FINISHED = "finished", _("Finished")  # everything was posted; receipts may still come
    CANCELLED = "cancelled", _("Cancelled")


# nothing of it is settled for good: it can still be paused, stopped or cancelled
UNFINISHED = frozenset({SendState.PREPARING, SendState.AWAITING, SendState.SCHEDULED, SendState.SENDING})
OVER = (SendState.FINISHED, SendState.CANCELLED)  # nothing more of it is posted


class ShownState(models.TextChoices):
    """What programs and people are told: a send that is handed over is either posted or settled."""

    PREPARING = "preparing", _("Preparing")
    AWAITING = "awaiting", _("Awaiting approval")
    SCHEDULED = "scheduled", _("Scheduled")
    SENDING = "sending", _("Sending")
    POSTED = "posted", _("Handed over")  # all of it; some messages have no end yet
    SETTLED = "settled", _("Finished")  # nothing more is expected of any message
    CANCELLED = "cancelled", _("Cancelled")

    @property
    def rows(self) -> Q:
        """Sends of which it is told."""
        if self in (ShownState.POSTED, ShownState.SETTLED):
            return Q(state=SendState.FINISHED, settled_at__isnull=self == ShownState.POSTED)
        return Q(state=self.value)
