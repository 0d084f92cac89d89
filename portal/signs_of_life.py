"""The web server's share in being seen: its heartbeat, what it counted, and the look for faults, which must not depend on dispatchers."""

import threading
from multiprocessing import util

from sms.models import Heartbeat
from sms.worker import heartbeat
from sms.worker.jobs import SIGNS, JobContext, loops
from sms.worker.loop import Loop


def begin() -> None:
    """In a thread of its own, until the process ends."""
    over = threading.Event()

    def pause(seconds: float) -> None:
        over.wait(seconds)

    context = JobContext(over.is_set, pause=pause, kind=Heartbeat.Kind.WEB)
    thread = threading.Thread(target=Loop(loops()[SIGNS], context).run, name=SIGNS, daemon=True)
    thread.start()

    def end() -> None:
        over.set()
        thread.join(1.0)
        heartbeat.of_this_process(Heartbeat.Kind.WEB).end()

    util.Finalize(None, end, exitpriority=1)  # also in a worker that multiprocessing has made
