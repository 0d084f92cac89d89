"""Retention: what belongs to people leaves when its days are over; figures, counters and the audit stay.

    due          which sends are due          ledger_rows  what is taken out of messages that stay
    other_rows   everything but messages      run          a run, its pace, and when it comes
    holds        what must not be touched

Called by `sms.worker.jobs` in the background, by `manage.py retain`, and by the settings page.
"""

from dataclasses import dataclass
from datetime import datetime

from sms.compliance.retention import due, other_rows
from sms.compliance.retention.holds import hold, release
from sms.compliance.retention.run import (
    DUTY,
    HELD,
    RestRate,
    days_set,
    due_services,
    late_archives,
    put_off,
    run,
    run_due,
)
from sms.models import Service

__all__ = [
    "DUTY",
    "HELD",
    "RestRate",
    "RetentionForecast",
    "days_set",
    "due_services",
    "forecast",
    "hold",
    "put_off",
    "release",
    "run",
    "run_due",
]


@dataclass(frozen=True, slots=True)
class RetentionForecast:
    """What the next run would do, as of now: `messages` by stage in so many `sends`, `archives` to be rewritten, everything else by kind.

    `open` and `held` are sends that are old enough and stay: something of them is unconfirmed or under way, or an admin holds them.
    """

    sends: dict[str, int]
    messages: dict[str, int]
    archives: int
    others: dict[str, int]
    open: int
    held: int

    @property
    def nothing(self) -> bool:
        return not (any(self.sends.values()) or self.archives or any(self.others.values()))


def forecast(service: Service, *, now: datetime) -> RetentionForecast:
    """The dry run: the same questions as a run asks, and nothing is changed."""
    found = due.forecast(service, now=now)
    return RetentionForecast(
        sends=found.sends,
        messages=found.messages,
        archives=len(late_archives(service, now=now)),
        others=other_rows.forecast(service, now=now),
        open=found.open,
        held=found.held,
    )
