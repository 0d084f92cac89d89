"""How the workers of django-q2's clusters share the sending and the folding of receipts. Called by `sms.worker.tasks`.

Several workers are woken for the same thing. Some of them get a slot and send, one waits for what becomes due soon, one folds; the
ledger's leases decide who sends what, so two at once would be wasteful and correct.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sms import dispatch
from sms.inbound import receipts
from sms.models import Duty
from sms.reports import facts
from sms.worker.heartbeat import HOST, Pulse

LOOK_AHEAD = 95.0  # seconds: a minute between ticks, 30 s for the scheduler's own loop, and some
SENDING = 20.0  # seconds after which a worker that sends lets others have it
SENDING_SLOTS = 2  # of a cluster's three workers: the third is always free for receipts
SLOT_LEASE = 15.0  # seconds after which the slot of a killed process is free again
FOLD_AT_MOST = 60.0
FOLD_LEASE = 10.0
IDLE = 0.5
Stopped = Callable[[], bool]


@contextmanager
def sending_slot() -> Iterator[Callable[[], bool] | None]:
    """One of this host's SENDING_SLOTS while it is held, as a function that renews it; None where all are taken."""
    names = (f"slot-{number}-{HOST[:18]}" for number in range(SENDING_SLOTS))
    held = next(filter(None, (Duty.hold(name, seconds=SLOT_LEASE) for name in names)), None)
    if held is None:
        yield None
        return
    with held:
        yield held.renew


def send(*, public_url: str, pulse: Pulse, stopped: Stopped, seconds: float = SENDING) -> int:
    """Dispatch what is due now for up to `seconds`; returns how many messages were posted."""
    pulse.beat("sending")
    report = dispatch.run(public_url=public_url, seconds=seconds, stopped=pulse.through(stopped))
    pulse.progress += report.posted
    return report.posted


def wait_and_send(*, public_url: str, pulse: Pulse, stopped: Stopped, look_ahead: float = LOOK_AHEAD) -> None:
    """Wait for what becomes due within `look_ahead` seconds and send it at its second. Ends when nothing is near.

    One process waits at a time: the newest relieves the one before, so that what is looked ahead to never has a gap.
    """
    duty = Duty.relieve("look-ahead", seconds=look_ahead)
    until = time.monotonic() + look_ahead
    looked = time.monotonic()
    pulse.beat("waiting")
    while not stopped():
        pause = dispatch.due_within(max(until - time.monotonic(), 0.0))
        if pause is None:
            break
        if time.monotonic() - looked > 2.0:
            looked = time.monotonic()
            if not duty.is_mine():
                break
        pulse.beat("waiting")
        if pause > 0:
            time.sleep(min(pause, IDLE))
            continue
        posted = send(public_url=public_url, pulse=pulse, stopped=stopped)
        if time.monotonic() >= until:
            break
        if not posted:  # held back by a rate or a refusal: due, and yet nothing to do
            time.sleep(IDLE)


def fold(*, linger: float, pulse: Pulse, stopped: Stopped) -> bool:
    """Apply receipts until none came for `linger` seconds, a minute at most. True where some may be left.

    With a linger longer than wake-ups are apart no receipt is left: a worker that comes too late for the loop finds the duty taken and
    leaves, and for its receipts we look once more when the duty is given back.
    """
    duty = Duty.hold("fold", seconds=FOLD_LEASE)
    if duty is None:
        return False
    with duty:
        pulse.beat("folding")
        quiet_since = time.monotonic()
        until = quiet_since + FOLD_AT_MOST
        while time.monotonic() - quiet_since < linger and time.monotonic() < until and not stopped():
            pulse.beat()
            duty.renew()
            if receipts.fold():
                quiet_since = time.monotonic()
            else:
                time.sleep(0.2)
        facts.fold()
        dispatch.watch()  # what came in may let a send go on, or hold it
    return not stopped() and bool(receipts.fold())
