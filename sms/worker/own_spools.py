"""What a web process kept while the database was away, it takes in itself: a host that only serves has no dispatcher."""

import threading

from sms.worker.jobs import JOBS, JobContext
from sms.worker.loop import Loop

NAMES = ("spooled receipts", "spooled messages")


def keep_taking_in() -> None:
    """On a thread, until the process ends. With no file there is nothing to do, and no connection is opened."""
    jobs = [job for job in JOBS if job.name in NAMES]
    loop = Loop(jobs, JobContext(stopped=lambda: False))
    threading.Thread(target=loop.run, name="own spools", daemon=True).start()
