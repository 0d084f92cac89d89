"""The report of a large send: seconds and memory above idle for CSV and XLSX.

`python -m tests.bench.send_report [--rows 100000] [--only sqlite|postgresql]` prints one JSON line for each database.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from tests import postgres
from tests.bench.large_audience import file_of
from tests.bench.rig.ground import DATABASES, ROOT
from tests.support.processes import environment

GOALS = {"csv_memory_mb": 60, "xlsx_memory_mb": 60}


def main() -> None:
    """Run and print."""
    line = argparse.ArgumentParser()
    line.add_argument("--rows", type=int, default=100_000)
    line.add_argument("--only", choices=DATABASES)
    line.add_argument("--child", help=argparse.SUPPRESS)
    options = line.parse_args()
    if options.child:
        told = _make(options.rows) if options.child == "make" else _write(options.child)
        print(json.dumps(told), flush=True)
        return
    for database in DATABASES:
        if options.only in (None, database):
            print(json.dumps(measure(database, options.rows)), flush=True)


def measure(database: str, rows: int) -> dict[str, Any]:
    """A send from a file of so many rows, and its report of each kind in a process of its own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'bench.sqlite3'}"
        if database == "postgresql":
            url = stack.enter_context(postgres.fresh_database(stack.enter_context(postgres.server())))
        env = environment(folder, url) | {"DJANGO_SETTINGS_MODULE": "portal.settings"}
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env=env, check=True)
        told: dict[str, Any] = {"bench": "send_report", "database": database, "rows": rows}
        for child in ("make", "csv", "xlsx"):
            command = [sys.executable, "-m", "tests.bench.send_report", "--child", child, "--rows", str(rows)]
            done = subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True)
            told |= json.loads(done.stdout.strip().splitlines()[-1])
    return told | {"goals": GOALS}


def _make(rows: int) -> dict[str, Any]:
    import django

    django.setup()
    from sms.audiences.files import Limits
    from sms.compose import background, drafts
    from sms.models import Actor, Draft, Upload
    from tests.support.sends import a_service

    service = a_service(rate=200)
    upload = Upload.keep(file_of(rows), service=service, name="people.csv", user=None)
    text = "Hi $(Customer name), order $(Order) to $(City) is on its way."
    made = Draft.objects.create(service=service, sender=service.senders.first(), upload=upload, text=text)
    limits = Limits(bytes=200_000_000, rows=2_000_000)

    def fresh() -> Draft:
        return Draft.objects.select_related(*drafts.RELATED).get(pk=made.pk)

    for _ in range(2):
        with suppress(drafts.NotReady):
            drafts.totals_of(fresh(), limits=limits)
        background.run(stopped=lambda: False)
    drafts.send_draft(fresh(), by=Actor.system("cli"), limits=limits)
    background.run(stopped=lambda: False)
    return {}


def _write(kind: str) -> dict[str, Any]:
    import django

    django.setup()
    from sms.audiences.files import Limits
    from sms.models import Send
    from sms.sends import report
    from sms.sends.report.lines import report_of

    send = Send.objects.select_related("service", "sender", "audience").get()
    idle = _memory("VmRSS", reset=True)
    begun, cpu = time.perf_counter(), time.process_time()
    made = report_of(send, limits=Limits(), numbers=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report"
        if kind == "xlsx":
            report.write_xlsx(path, made)
        else:
            with path.open("w", encoding="utf-8") as file:
                file.writelines(report.csv_of(made))
        size = path.stat().st_size
    return {
        f"{kind}_seconds": round(time.perf_counter() - begun, 1),
        f"{kind}_cpu": round(time.process_time() - cpu, 1),
        f"{kind}_memory_mb": round((_memory("VmHWM") - idle) / 1024, 1),
        f"{kind}_mb": round(size / 1e6, 1),
    }


def _memory(name: str, *, reset: bool = False) -> int:
    """Kilobytes of this process; `reset` begins a new peak."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1])


if __name__ == "__main__":
    main()
