"""Reports of a year over ten million messages and thirty million receipts (PostgreSQL), and how fast their facts are rebuilt.

`python -m tests.bench.year [--messages 10000000] [--parts make,rebuild,reports] [--runs 5] [--on URL]` prints one JSON line per
figure. The history is made by the database itself: two years of sends by some habits of a team, four fifths of it in the last. It takes
a server of its own in the folder for temporary files (30 GB with ten million messages), or the database of `--on`, which may hold the
history already (then leave `make` out, and give the same `--keys`). Nothing of it is small: look at `df` first.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path

from tests import postgres
from tests.bench.rig.asking import signed_in
from tests.support.processes import environment

ROOT = Path(__file__).resolve().parents[2]
SENDS = 20_000
HABITS = 120
BIG, SMALL = 0.8, 0.2  # shares of the messages in the last year and in the one before
GOAL_MS, GOAL_REBUILT, GOAL_MB = 300, 50_000, 100
LONG_AGO = 1_000_000_000  # ids of sends that left only their facts
SETTINGS = (
    "shared_buffers=4GB",
    "maintenance_work_mem=1GB",
    "work_mem=64MB",
    "max_wal_size=16GB",
    "effective_cache_size=12GB",
    "checkpoint_timeout=30min",
)


def main() -> None:
    """A server, a database, and a process that knows it."""
    line = argparse.ArgumentParser()
    line.add_argument("--messages", type=int, default=10_000_000)
    line.add_argument("--parts", default="make,rebuild,reports,files")
    line.add_argument("--rows", type=int, default=1_000_000, help="of a file")
    line.add_argument("--runs", type=int, default=5)
    line.add_argument("--on", help="the address of a database")
    line.add_argument("--keys", type=Path, help="a folder for the keys of that database, kept")
    line.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = line.parse_args()
    if options.one:
        one(options)
        return
    with ExitStack() as stack:
        url = options.on or stack.enter_context(fresh())
        keys = options.keys or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        keys.mkdir(exist_ok=True)
        env = environment(keys, url) | {
            "PUBLIC_URL": "http://127.0.0.1:8000",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        }
        command = [sys.executable, "-m", "tests.bench.year", "--one", *sys.argv[1:]]
        subprocess.run(command, cwd=ROOT, env=env, check=True)


@contextmanager
def fresh() -> Iterator[str]:
    """A database on a server with room: that of the tests has the memory of a toy."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    print(json.dumps({"bench": "year", "what": "disk", "free_gb": round(free / 1e9)}), flush=True)
    with postgres.server(settings=SETTINGS) as server, postgres.fresh_database(server) as url:
        yield url


def one(options: argparse.Namespace) -> None:
    """All parts on the database of the environment."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    from sms.models import Service
    from tests.bench.rig import receipts_desk, year_history

    parts = options.parts.split(",")
    shop = Service.objects.filter(slug="bench").first() or receipts_desk.service("bench-secret")
    if "make" in parts:
        started = time.perf_counter()
        sizes = year_history.make(shop, options.messages, sends=SENDS, habits=HABITS, shares=(SMALL, BIG))
        say("history", seconds=round(time.perf_counter() - started), **sizes)
    if "rebuild" in parts:
        say("rebuild", **rebuilding())
    if "reports" in parts:
        say("reports", **reporting(shop, options.runs))
    if "files" in parts:
        for figures in filing(options.rows):
            say("file", **figures)


def rebuilding() -> dict[str, object]:
    """Messages a second, from nothing; then what the check says."""
    from sms.models import Fact
    from sms.reports import facts

    started = time.perf_counter()
    done = facts.rebuild()
    took = time.perf_counter() - started
    started = time.perf_counter()
    _, found = facts.compare()
    compared = time.perf_counter() - started
    return {
        "messages": done,
        "seconds": round(took, 1),
        "per_second": round(done / took),
        "goal_per_second": GOAL_REBUILT,
        "ratio": round(done / took / GOAL_REBUILT, 2),
        "compared_per_second": round(done / compared),
        "difference": str(found or ""),
        "facts": Fact.objects.count(),
    }


def reporting(shop, runs: int) -> dict[str, object]:
    """Milliseconds of a whole page of a year in the server: by everything, alone, compared, and filtered. By the hour a month, its most."""
    from django.db import connection
    from django.test.utils import setup_test_environment

    from portal.models import Role

    setup_test_environment()  # answers tell what they were made of
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE sms_fact")
    client = signed_in(shop, Role.AUDITOR)
    every, found = [], {}
    for name, given in _asked(shop):
        took = []
        for _ in range(runs + 1):
            started = time.perf_counter()
            answer = client.get("/s/bench/reports/", given)
            took.append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 200 and answer.context["report"].total.messages, (name, given)
        every += took[1:]  # the first fills the caches
        found[name] = round(statistics.median(took[1:]))
    slowest = sorted(found.items(), key=lambda one: -one[1])[:8]
    p95 = statistics.quantiles(every, n=20)[-1]
    return {
        "reports": len(found),
        "runs_of_each": runs,
        "p50_ms": round(statistics.median(every)),
        "p95_ms": round(p95),
        "longest_ms": round(max(every)),
        "goal_p95_ms": GOAL_MS,
        "ratio": round(p95 / GOAL_MS, 2),
        "slowest_medians_ms": dict(slowest),
        "medians_ms": found,
    }


def filing(rows: int) -> Iterator[dict[str, object]]:
    """A report by send as long as asked, as CSV and as XLSX, by the command that makes it: seconds, and the memory of its process."""
    from django.db import connection

    from sms.models import ReportFile
    from sms.reports import unpacked
    from tests.support.sends import a_service

    first = LONG_AGO + int(time.time()) * 1_000_000
    shop = a_service(slug=f"files-{time.time():.0f}")  # of its own: its sends left only their facts
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sms_reportedsend (send_id, service_id, profile_id, name, quarter, recipients, rejected)"
            " SELECT %s + n, %s, (SELECT min(id) FROM sms_factprofile), 'Send ' || n, 1960000 + n %% 32000, 1, 0"
            " FROM generate_series(1, %s) AS n ON CONFLICT DO NOTHING",
            [first, shop.pk, rows],
        )
        cursor.execute(
            "INSERT INTO sms_sendfact (send_id, measure, word, code, bucket, messages, amount, amount_of, billed, billed_of)"
            " SELECT %s + n, measure, word, code, 0, 1, 1, 1, 1, 1 FROM generate_series(1, %s) AS n"
            " CROSS JOIN (VALUES ('state', 'delivered', ''), ('posted', '', 'GB')) AS v (measure, word, code) ON CONFLICT DO NOTHING",
            [first, rows],
        )
        cursor.execute("ANALYZE sms_reportedsend, sms_sendfact")
    idle = _peak_of_command()
    for kind in ReportFile.Kind.values:
        day = date(1970, 1, 1) + timedelta(days=490_000 // 24)
        query = {"by": "send", "from": str(day), "until": str(day + timedelta(days=400))}
        asked = ReportFile.objects.create(service=shop, query=query, kind=kind, rows=rows)
        started = time.perf_counter()
        peak = _peak_of_command()
        took = time.perf_counter() - started
        asked.refresh_from_db()
        assert asked.ready_at and asked.done == rows, (asked.done, asked.failed)
        started, before, size = time.perf_counter(), _memory(), 0
        for part in unpacked(asked):
            size += len(part)
        yield {
            "kind": kind,
            "rows": rows,
            "seconds": round(took),
            "rows_per_second": round(rows / took),
            "peak_mb": round(peak, 1),
            "more_than_idle_mb": round(peak - idle, 1),
            "goal_mb": GOAL_MB,
            "ratio": round((peak - idle) / GOAL_MB, 2),
            "file_mb": round(size / 1e6, 1),
            "handed_out_seconds": round(time.perf_counter() - started, 1),
            "handed_out_more_mb": round(_memory() - before, 1),
        }
        asked.delete()


def _peak_of_command() -> float:
    """Megabytes that `manage.py report_files` took at most."""
    code = "import resource, sys; from django.core.management import execute_from_command_line as run; run(['manage.py', 'report_files']);"
    code += " sys.stdout.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return int(done.stdout.splitlines()[-1]) / 1000


def _memory() -> float:
    """Megabytes of this process now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def _asked(shop) -> Iterator[tuple[str, dict[str, str]]]:
    """Every dimension, by itself, against the year before, and with a filter by name and one by place."""
    from sms.models import Fact, FactProfile
    from sms.reports import BY

    newest = (
        Fact.objects.filter(service_id=shop.pk, grain="d").order_by("-at").values_list("at", flat=True)[0]
    )
    # a day short of both ends of months, so that the edges of a year are days and not whole months
    until = date(1970, 1, 1) + timedelta(days=newest)
    sender = str(FactProfile.objects.filter(service_id=shop.pk).order_by("pk")[0].sender_id)
    filters = {
        "": {},
        " of a sender": {"sender": sender},
        " of a label": {"label": "w3"},
        " in a country": {"country": "GB"},
        " on a carrier": {"carrier": "GB-1"},
        " of a sender in a country": {"sender": sender, "country": "GB"},
    }
    for by in BY:
        days = 30 if by == "hour" else 364
        given = {"by": by, "from": str(until - timedelta(days=days)), "until": str(until)}
        for compare in ("", "before"):
            for words, chosen in filters.items():
                yield f"{by}{words}{' compared' if compare else ''}", given | chosen | {"compare": compare}


def say(what: str, **figures: object) -> None:
    """One line."""
    print(json.dumps({"bench": "year", "database": "postgresql", "what": what} | figures), flush=True)


if __name__ == "__main__":
    main()
