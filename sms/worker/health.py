"""Whether messages wait although no process sends: the sentence that health pages and the home page of admins show.

Looking is also the web process's share in keeping the wake-ups alive: it makes a lost schedule again, and wakes the cluster once more.
"""

from datetime import timedelta

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from sms import dispatch
from sms.ledger import wakeups
from sms.models import Heartbeat, ReceiptInbox
from sms.values.durations import duration

LATE = 30.0  # seconds that something must have been due without a heartbeat
WAKE_AFTER = 10.0

_wake = wakeups.RareWakeUp("sms.worker.tasks.work", period=10.0)


def sentence() -> str:
    """Why nothing is being sent, in plain words; empty while all is well. A few small queries."""
    wakeups.keep_schedule()
    if receipts_wait(WAKE_AFTER):
        wakeups.fold()
    if dispatch.due_within(-WAKE_AFTER) is None:
        return ""
    silence = Heartbeat.dispatching()
    if silence is None or silence > WAKE_AFTER:
        _wake()
    if (silence is not None and silence < LATE) or dispatch.due_within(-LATE) is None:
        return ""
    if silence is None:
        return _("Nothing is being sent: no dispatcher has reported yet.")
    says = _("Nothing is being sent: no dispatcher has reported for %(duration)s.")
    return says % {"duration": duration(silence)}


def receipts_wait(seconds: float) -> bool:
    """Whether a new receipt has been waiting for that long: its wake-up was lost."""
    since = Now() - timedelta(seconds=seconds)
    return ReceiptInbox.objects.filter(why=ReceiptInbox.Why.NEW, next_at__lt=since).exists()
