"""django-q2's entry points. Each says "look now" and nothing more; losing, repeating or reordering them is harmless.

`tick` is the one schedule (every minute); django-q2's scheduler looks at it about every 30 s, so a tick looks ahead far enough to
meet the next one, and posts each message at its own second.
"""

import os
import secrets
import time

import structlog
from django.conf import settings
from django_q.models import Schedule

from sms import dispatch, receipts, wake
from sms.models import Duty, ledger

log = structlog.get_logger(__name__)

LOOK_AHEAD = 95.0  # seconds: a minute between ticks, 30 s for the scheduler's own loop, and some
TICK = "sms.tasks.tick"


def stopping() -> bool:
    """Whether the supervisor wants us to come to an end."""
    return settings.STOP_FILE.exists()


def work() -> None:
    """Dispatch what is due."""
    dispatch.run(public_url=settings.PUBLIC_URL, seconds=20, look_ahead=30, stopped=stopping)
    if not stopping() and dispatch.due_within(0) is not None:
        wake.dispatch()


def tick() -> None:
    """The guarantee behind every wake-up: fold, squash counters, then dispatch whatever becomes due before the next tick."""
    receipts.fold()
    wake.fold()  # a task of its own lingers for more; a tick must stay well within django-q2's timeout
    ledger.squash()
    dispatch.run(public_url=settings.PUBLIC_URL, seconds=20, look_ahead=LOOK_AHEAD, stopped=stopping)


def fold(*, linger: float = 1.5) -> None:
    """Apply receipts until none came for `linger` seconds; that is longer than wake-ups are apart, so none is left lying."""
    owner = f"{os.getpid()}-{secrets.token_hex(4)}"
    if not Duty.take("fold", owner=owner, seconds=10):
        return
    quiet_since = time.monotonic()
    give_back = quiet_since + 60
    while time.monotonic() - quiet_since < linger and time.monotonic() < give_back and not stopping():
        if receipts.fold():
            quiet_since = time.monotonic()
            Duty.take("fold", owner=owner, seconds=10)
        else:
            time.sleep(0.2)
    Duty.drop("fold", owner=owner)
    while (
        not stopping() and receipts.fold()
    ):  # whoever came between our last look and the drop found the duty taken
        pass


def ensure_schedule() -> None:
    """The one schedule, made at every start so that an emptied queue heals."""
    Schedule.objects.update_or_create(
        name="tick", defaults={"func": TICK, "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1}
    )
