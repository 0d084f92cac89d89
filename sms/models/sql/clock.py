"""How far this host's clock is from the database's, which decides what is held, expires and is deleted.

Every process that works in the background compares at its start and with each beat (`sms.worker.heartbeat`). One whose clock is far off
leaves alone whatever cannot be undone, since something is wrong with one of the two. Web servers compare with each beat as well, so that
whoever takes a request knows the database's time without asking for it (`corrected_now`).
"""

import time
from datetime import datetime, timedelta

import structlog
from django.db import connection
from django.utils import timezone

from sms.models.sql.session import database_now

log = structlog.get_logger(__name__)

NOTICED = 2.0  # seconds that make a warning
REFUSED = 60.0  # … and that stop this process from deleting, holding and expiring
FRESH = 5.0  # seconds for which a comparison counts


def skew() -> float:
    """Seconds by which this host is ahead of the database (behind: negative), less half of the round trip. SQLite has the host's clock."""
    if connection.vendor != "postgresql":
        return 0.0
    ours, began = time.time(), time.monotonic()
    theirs = database_now().timestamp()
    return ours + (time.monotonic() - began) / 2 - theirs


class HostClock:
    """What this process knows of its host's clock. `skew` is as last compared."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """As when the process began."""
        self.skew = 0.0
        self._compared = float("-inf")
        self._said = ""

    def compare(self) -> float:
        """Ask the database for its time; what is wrong is said once."""
        self.skew, self._compared = skew(), time.monotonic()
        says = self._sentence()
        if says and says != self._said:
            log.warning("clock_differs", seconds=round(self.skew, 1), sentence=says)
        self._said = says
        return self.skew

    def refusal(self) -> str:
        """Why nothing may be deleted, held or expired by the time of day; empty while the clocks agree."""
        if time.monotonic() - self._compared > FRESH:
            self.compare()
        return self._sentence() if abs(self.skew) > REFUSED else ""

    def _sentence(self) -> str:
        if abs(self.skew) <= NOTICED:
            return ""
        says = (
            f"This host's clock is {'ahead of' if self.skew > 0 else 'behind'} the database's by more than "
        )
        if abs(self.skew) <= REFUSED:
            return f"{says}{NOTICED:.0f} seconds."
        return f"{says}a minute, so this process deletes, holds and expires nothing until they agree."


host_clock = HostClock()


def corrected_now() -> datetime:
    """The database's time as this process last knew it; never asks, so that a database that is silent holds up no receipt.

    For whatever is accepted, stored or decided outside of a background job: a send's due time and expiry, a key's end, when a post came in.
    What deletes, holds and expires asks (`database_now`).
    """
    return timezone.now() - timedelta(seconds=host_clock.skew)
