"""Large audiences: how long until the first errors show, all rows are checked, all messages are written, and what memory that takes.

`python -m tests.bench.large_audience [--rows 100000 --rows 1000000] [--only sqlite|postgresql] [--no-forecast]` prints one JSON line for
each database and number of rows: seconds and limits, the peak of memory above idle of the process that does the work, the ratio to the
limit measured in the same run (bare csv over the file), and how many times the first number of rows a larger one takes. Then, for
each database, how far the end of a send of 20 000 at 200 a second was from what its flight plan foretold.
"""

import argparse
import csv
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests import postgres
from tests.bench.rig.ground import DATABASES, ROOT, ground
from tests.bench.rig.stub import stub
from tests.support.processes import environment

WRITTEN = {"postgresql": 30.0, "sqlite": 60.0}
FORECAST = {"count": 20_000, "rate": 200}
STATUS = Path("/proc/self/status")


def main() -> None:
    """Run and print."""
    line = argparse.ArgumentParser()
    line.add_argument("--rows", type=int, action="append")
    line.add_argument("--only", choices=DATABASES)
    line.add_argument("--no-forecast", action="store_true")
    line.add_argument("--child", help=argparse.SUPPRESS)
    options = line.parse_args()
    if options.child:
        print(json.dumps(_work(options.rows[0])), flush=True)
        return
    for database in DATABASES:
        if options.only in (None, database):
            first: dict[str, Any] = {}
            for rows in options.rows or (100_000, 1_000_000):
                told = measure(database, rows)
                first = first or told
                told["times_the_first"] = {
                    name: round(told[name] / first[name], 2) for name in ("read", "checked", "written")
                }
                print(json.dumps(told), flush=True)
            if not options.no_forecast:
                print(json.dumps(forecast(database)), flush=True)


def measure(database: str, rows: int) -> dict[str, Any]:
    """One file from upload to messages, in a process of its own on an empty database."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'bench.sqlite3'}"
        if database == "postgresql":
            url = stack.enter_context(postgres.fresh_database(stack.enter_context(postgres.server())))
        env = environment(folder, url) | {"DJANGO_SETTINGS_MODULE": "portal.settings"}
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=env, check=True
        )
        command = [
            sys.executable,
            "-m",
            "tests.bench.large_audience",
            "--child",
            database,
            "--rows",
            str(rows),
        ]
        done = subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True)
    told = json.loads(done.stdout.strip().splitlines()[-1])
    scale = rows / 100_000
    goals = {
        "first_errors": 2.0,
        "checked": 20 * scale,
        "written": WRITTEN[database] * scale,
        "memory_mb": 200,
    }
    return {"bench": "large_audience", "database": database, "rows": rows, **told, "goals": goals}


def file_of(rows: int) -> bytes:
    """A bad number in every hundredth row, a number that was there in every thousandth, two columns that the text uses."""
    chance = random.Random(7)
    lines = ["Mobile number,Customer name,Order,City"]
    for at in range(rows):
        number = (
            "12"
            if at % 100 == 7
            else "07710000000"
            if at % 1000 == 9
            else f"077{1 + at // 10**7}{at % 10**7:07d}"
        )
        name = chance.choice(("Ada", "Grace", "Łukasz", "Joséphine"))
        lines.append(f"{number},{name} {at % 997},{at},{chance.choice(('London', 'Paris', 'Oslo'))}")
    return "\n".join(lines).encode()


def _work(rows: int) -> dict[str, Any]:
    import django

    django.setup()
    from sms.audiences.files import Limits
    from sms.compose import background, drafts
    from sms.models import Actor, Draft, Preparation
    from tests.support.sends import a_service

    limits = Limits(bytes=200_000_000, rows=2_000_000)
    service = a_service(rate=200)
    bare, pk = _uploaded(rows, service)
    draft = Draft.objects.create(
        service=service,
        sender=service.senders.first(),
        upload_id=pk,
        text="Hi $(Customer name), order $(Order) to $(City) is on its way.",
    )

    def look() -> drafts.DraftTotals | None:
        fresh = Draft.objects.select_related(*drafts.RELATED).get(pk=draft.pk)
        try:
            return drafts.totals_of(fresh, limits=limits)
        except drafts.NotReady:
            return None

    look()
    idle = _memory("VmRSS", reset=True)
    begun = time.perf_counter()
    background.work_on(Preparation.objects.get().pk, seconds=0.2)
    version = Draft.objects.get(pk=draft.pk).version
    _, bad = drafts.first_stored_rows(version, 10)
    first = time.perf_counter() - begun
    assert bad, "rejected rows are known"
    background.run(stopped=lambda: False)
    read = time.perf_counter() - begun
    look()
    background.run(stopped=lambda: False)
    checked = time.perf_counter() - begun
    figures = look().figures
    by = Actor.system("cli")
    fresh = Draft.objects.select_related(*drafts.RELATED).get(pk=draft.pk)
    pressed = _seconds(lambda: drafts.send_draft(fresh, by=by, limits=limits))
    written = _seconds(lambda: background.run(stopped=lambda: False))
    fresh.refresh_from_db()
    assert fresh.send.counts() == {"pending": figures.recipients} and figures.rows == rows
    return {
        "first_errors": round(first, 3),
        "read": round(read, 2),
        "checked": round(checked, 2),
        "pressed": round(pressed, 3),
        "written": round(written, 2),
        "memory_mb": round((_memory("VmHWM") - idle) / 1024, 1),
        "bare_read": round(bare, 3),
        "ratio_to_bare_read": round(read / bare, 1),
        "recipients": figures.recipients,
        "rejected": figures.rejected,
    }


def _uploaded(rows: int, service: Any) -> tuple[float, int]:
    """Seconds that bare csv takes for the file, and the upload's key."""
    from sms.models import Upload

    content = file_of(rows)
    bare = _seconds(lambda: sum(1 for _ in csv.reader(io.StringIO(content.decode()))))
    return bare, _apart(lambda: Upload.keep(content, service=service, name="people.csv", user=None).pk)


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _memory(name: str, *, reset: bool = False) -> int:
    """Kilobytes of this process; `reset` begins a new peak."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1])


def _apart(act: Callable[[], int]) -> int:
    """In a process of its own, as the web server is one: what an upload takes there is not the worker's."""
    from django.db import connections

    connections.close_all()
    read_end, write_end = os.pipe()
    if not os.fork():
        os.write(write_end, str(act()).encode())
        os._exit(0)
    os.wait()
    return int(os.read(read_end, 100))


def forecast(database: str) -> dict[str, Any]:
    """The end of a send at a contracted rate: as its plan says, and as the provider saw it."""
    count, rate = FORECAST["count"], FORECAST["rate"]
    with ground(database) as here, stub() as provider:
        here.clerk.service(provider.url, batch=1, rate=rate)
        provider.arrivals()
        with here.dispatchers(1):
            time.sleep(3)
            told = here.clerk.ask("foretold", count=count)
            time.sleep(told["seconds"] * 1.1 + 5)
            arrivals = provider.arrivals()
    real = arrivals[-1].at - told["begun"]
    return {
        "bench": "large_audience_forecast",
        "database": database,
        "messages": len(arrivals),
        "rate": rate,
        "foretold": round(told["seconds"], 1),
        "real": round(real, 1),
        "off_percent": round(100 * (told["seconds"] - real) / real, 2),
        "goal_percent": 5,
    }


if __name__ == "__main__":
    main()
