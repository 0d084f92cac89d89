"""What faults that say nothing cost: receipts at a steady pace while the way to PostgreSQL is silent, it may only be read, a table is
locked, or a process stands still while it applies receipts.

`python -m tests.bench.silence [--seconds 300] [--per-second 4] [--only silent …]` prints one JSON line per fault.
It starts a PostgreSQL of its own.
"""

import argparse
import atexit
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests import environment

# `tests.faults.crash` asks the product how its web server is started, which wants settings
atexit.register(shutil.rmtree, environment.isolate(), ignore_errors=True)

import django  # noqa: E402

django.setup()

from tests import postgres  # noqa: E402
from tests.faults.silence import Posted, Silence, silence_of  # noqa: E402
from tests.support.processes import until  # noqa: E402

BEFORE = 3.0  # seconds


def main() -> None:
    """Run and print."""
    line = argparse.ArgumentParser()
    line.add_argument("--seconds", type=float, default=300.0)
    line.add_argument("--per-second", type=float, default=4.0)
    line.add_argument("--only", choices=FAULTS)
    options = line.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="textdesk-silence-") as folder,
        postgres.own_cluster() as server,
        postgres.fresh_database(postgres.Server(server.base_url, "our own")) as url,
        silence_of(Path(folder), url) as place,
    ):
        for name in FAULTS:
            if options.only in (None, name):
                print(json.dumps(measure(place, name, options.seconds, options.per_second)), flush=True)


def measure(place: Silence, name: str, seconds: float, per_second: float) -> dict[str, object]:
    """Receipts before, during and after; health is asked once a second."""
    until(lambda: place.ask("GET", "/readyz") == 200, "the web server has found the database")
    posted, health = Posted(), Posted()
    over = threading.Event()

    def pace() -> None:
        began, number, threads = time.monotonic(), 0, []
        while not over.wait(max(began + number / per_second - time.monotonic(), 0)):
            number += 1
            threads.append(threading.Thread(target=place.post, args=(posted,)))
            threads[-1].start()
            if number % max(round(per_second), 1) == 0:
                asked = time.monotonic()
                health.answers[place.ask("GET", "/healthz")] += 1
                health.seconds.append(time.monotonic() - asked)
        for thread in threads:
            thread.join()

    pacing = threading.Thread(target=pace)
    dispatcher = place.field.dispatcher(seconds=seconds + 300)  # it ends after the last look
    pacing.start()
    try:
        time.sleep(BEFORE)
        with FAULTS[name](place):
            time.sleep(seconds)
        back = time.monotonic()
        until(lambda: place.ask("GET", "/readyz") == 200, "the web server has found the database again")
        found = time.monotonic() - back
        over.set()
        pacing.join()
        until(lambda: not place.spooled() and not place.field.clerk.waiting_receipts(), "all is applied")
    finally:
        over.set()
        dispatcher.terminate()
        dispatcher.wait(timeout=60)
    ordered = sorted(posted.seconds)
    return {
        "bench": "silence",
        "fault": name,
        "seconds": seconds,
        "posted": posted.answers.total(),
        "lost": posted.lost + len(posted.bodies - place.stored()),
        "slowest_seconds": round(ordered[-1], 2),
        "p99_seconds": round(ordered[int(len(ordered) * 0.99)], 2),
        "slowest_health_seconds": round(max(health.seconds), 2),
        "health_failed": health.lost,
        "kept": len(place.kept()),
        "ready_after_seconds": round(found, 1),
        "applied_after_seconds": round(time.monotonic() - back, 1),
        "goal_lost": 0,
        "goal_slowest_seconds": 10,
    }


@contextmanager
def silent(place: Silence) -> Iterator[None]:
    place.way.hush()
    try:
        yield
    finally:
        place.way.heal()


@contextmanager
def read_only(place: Silence) -> Iterator[None]:
    """Sessions that are open learn of it too, as where an operator closes a primary."""
    with psycopg.connect(place.url, autocommit=True) as owner:
        owner.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        owner.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            owner.execute("ALTER SYSTEM RESET default_transaction_read_only")
            owner.execute("SELECT pg_reload_conf()")


@contextmanager
def locked(place: Silence) -> Iterator[None]:
    with psycopg.connect(place.url) as owner:
        owner.execute("LOCK TABLE sms_message IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def stopped(place: Silence) -> Iterator[None]:
    with place.stopped_folder():
        yield


FAULTS = {"silent": silent, "read-only": read_only, "locked": locked, "stopped": stopped}


if __name__ == "__main__":
    main()
