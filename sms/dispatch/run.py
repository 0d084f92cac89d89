"""A run: dispatch what is due for some seconds. Called by the cluster's jobs and by `manage.py dispatch`; as many at once as you like."""

import time
from collections.abc import Callable
from datetime import timedelta

from django.db.models import Min, Q
from django.db.models.functions import Coalesce, Greatest, Now

from sms.dispatch.breaker import OF_THIS_PROCESS, Breakers
from sms.dispatch.claim import LEASE, open_slices
from sms.dispatch.coordinator import IDLE, Coordinator, DispatchRun
from sms.dispatch.post import ClientFor, client_of
from sms.models.sql.clock import database_now

DEFAULT_CLIENTS = 64


def due_within(seconds: float) -> float | None:
    """Seconds until the next slice is due or its lease runs out (0 if it is now), None where that is further away."""
    by_now = Now() + timedelta(seconds=min(seconds, 0.0))
    free = Q(owner="") | Q(leased_until__lte=by_now)
    if open_slices().filter(free, due_at__lte=by_now).exists():
        return 0.0  # the usual case, without reading all the others
    ready = Greatest("due_at", Coalesce("leased_until", "due_at"))
    soonest = open_slices().annotate(ready=ready).filter(ready__lte=Now() + timedelta(seconds=seconds))
    when = soonest.aggregate(soonest=Min("ready"))["soonest"]
    return None if when is None else max((when - database_now()).total_seconds(), 0.0)


def run(
    *,
    public_url: str,
    seconds: float = 20.0,
    look_ahead: float = 0.0,
    clients: int = DEFAULT_CLIENTS,
    client_for: ClientFor = client_of,
    lease: timedelta = LEASE,
    breakers: Breakers = OF_THIS_PROCESS,
    stopped: Callable[[], bool] = lambda: False,
) -> DispatchRun:
    """Dispatch what is due for up to `seconds`, first waiting up to `look_ahead` seconds for something to become due.

    Returns when nothing is left, when the time is over or when `stopped()`; in each case everything armed has its answer.
    """
    wait_until = time.monotonic() + look_ahead
    report = DispatchRun()
    while not stopped():
        pause = due_within(max(wait_until - time.monotonic(), 0.0))
        if pause is None:
            break
        if pause > 0:
            time.sleep(min(pause, IDLE))
            continue
        coordinator = Coordinator(
            public_url=public_url,
            clients=clients,
            client_for=client_for,
            lease=lease,
            breakers=breakers,
            report=report,
            due_now=lambda: due_within(0.0) is not None,
        )
        coordinator.work(until=time.monotonic() + seconds, stopped=stopped)
        if time.monotonic() >= wait_until:
            break
    return report
