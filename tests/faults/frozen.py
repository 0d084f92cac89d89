"""A dispatcher that is frozen past its lease and thawed when another has done its work: the classic test of a fence."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults import proxy, reconciliation
from tests.faults.crash import Field
from tests.support.freezing import freeze
from tests.support.processes import until

MESSAGES = 300
PATIENCE = 6.0
LAST_PATIENCE = 75.0  # longer than a lease, and than the longest hold of a gate
SLOW = proxy.Fault("stall", seconds=1.0, exchange=0)  # a busy test has time to freeze it before all is done


@contextmanager
def through_a_proxy(field: Field) -> Iterator[proxy.Proxy]:
    """A proxy between dispatchers and sandbox for the length of the block."""
    with proxy.running(field.sandbox_port) as between:
        field.provider_port = between.port
        try:
            yield between
        finally:
            field.provider_port = 0


def arrived(field: Field, text: str) -> int:
    """How many messages of this text the sandbox has taken, each as often as it came."""
    log = reconciliation.of_text(reconciliation.ledger(field.sandbox_port), text)
    return sum(line["kind"] == "message" for line in log)


def overtake(
    field: Field, text: str, *, plant: str = "", sends_again: bool = False
) -> reconciliation.Verdict:
    """Freeze a dispatcher with requests in flight and more loaded, let its lease run out, let another finish the send, thaw it.

    `sends_again` where the plant makes it post what the other one has posted: that is waited for, and then nothing will settle.
    """
    with through_a_proxy(field) as between:
        between.otherwise(SLOW)
        send = field.send(text, MESSAGES)
        frozen = field.dispatcher(plant=plant)
        try:
            until(lambda: between.statistics.exchanges >= 8, "it posts")
            freeze(frozen.pid)
            # frozen inside a transaction it would hold its locks: another instant, then
            while not field.clerk.at_rest():
                frozen.send_signal(signal.SIGCONT)
                time.sleep(0.02)
                freeze(frozen.pid)
            assert field.clerk.let_leases_run_out(), "it was frozen too late, when all was done"
            between.otherwise(proxy.CLEAN)
            field.settle(send, text, patience=PATIENCE)
            frozen.send_signal(signal.SIGCONT)
            if sends_again:
                until(lambda: arrived(field, text) > MESSAGES, "it posts what is no longer its own")
            else:
                time.sleep(1.0)  # what it still believes to be its own would leave at once
            frozen.terminate()
            assert frozen.wait(timeout=120) == 0, field.log
        finally:
            frozen.kill()
            frozen.wait()
        field.settle(send, text, patience=PATIENCE if sends_again else LAST_PATIENCE)
        return field.verdict(send, text)
