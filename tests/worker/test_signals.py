"""How a dispatching process takes the signal that ends it."""

import subprocess
import sys

WHILE_LOCKED = """
import signal
import django
django.setup()
from sms.management.commands.dispatch import _Stop
stop = _Stop(None)
with stop._event._cond:
    signal.raise_signal(signal.SIGTERM)
stop.pause(60)
print(stop(), stop.signal)
"""


def test_a_signal_that_meets_a_held_lock_still_ends_the_dispatcher():
    """Its handler runs between any two steps of the main thread, also while that thread holds the lock of the event it waits for."""
    ended = subprocess.run(
        [sys.executable, "-c", WHILE_LOCKED], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.stdout.split() == ["True", "SIGTERM"], ended.stderr
