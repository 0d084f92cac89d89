"""Jobs of the table, run once by hand: what a tick does, or a single one by its name."""

from sms.worker.jobs import JOBS, JobContext, loops
from sms.worker.loop import Loop


def run_chores() -> None:
    Loop(loops()["chores"], JobContext(lambda: False)).once()


def run_job(name: str) -> None:
    Loop([job for job in JOBS if job.name == name], JobContext(lambda: False)).once()
