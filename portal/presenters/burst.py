"""The burst budget of a service as its settings page shows it."""

from dataclasses import dataclass

from sms.dispatch.rate import BURST_DAY, BURST_MONTH, burst_used
from sms.models import Service


@dataclass(frozen=True, slots=True)
class Burst:
    """How much is used up: minutes today of 30, hours this month of 8; both by UTC."""

    minutes_today: float
    hours_this_month: float
    minutes_a_day: int = int(BURST_DAY // 60)
    hours_a_month: int = int(BURST_MONTH // 3600)


def burst_of(service: Service) -> Burst:
    """A service's meters; a service that never burst has used nothing."""
    today, month = burst_used([service.pk]).get(service.pk, (0.0, 0.0))
    return Burst(round(min(today, BURST_DAY) / 60, 1), round(min(month, BURST_MONTH) / 3600, 1))
