"""The audit: how fast rows are made, sealed and verified, and whether whatever SQL does to them is found.

`python -m tests.bench.audit [--only sqlite|postgresql] [--rows 1000000] [--tampered 1000] [--processes 2]` prints one JSON line per figure.
Everything runs on this machine, PostgreSQL too. The tampering is that of `tests/support/audit_tampering.py`, with the triggers away, each
time in a transaction that is rolled back, that of `tests/support/guard_tampering.py` likewise, and that of
`tests/support/folder_tampering.py` on a copy of the folder of checkpoints. `--rows 0` leaves the speeds out.
"""

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.rig.databases import on_each

VERIFIED = 100_000  # rows a second
CHAIN = 1000  # rows of the chain that is tampered with


def main() -> None:
    """One process for each database, since Django knows one."""
    line = argparse.ArgumentParser()
    line.add_argument("--rows", type=int, default=1_000_000)
    line.add_argument("--tampered", type=int, default=1000)
    line.add_argument("--processes", type=int, default=2)
    line.add_argument("--runs", type=int, default=3)
    on_each(line, one)


def one(options: argparse.Namespace) -> None:
    """All figures on the database of the environment."""
    from sms.compliance import audit

    _make(CHAIN)
    audit.seal()
    _tamper(options.one, options.tampered)
    _tamper_folder(options.one, options.tampered)
    _tamper_guards(options.one, options.tampered)
    if not options.rows:
        return
    started = time.perf_counter()
    _make(options.rows)
    _say(options.one, "rows made per second", options.rows / (time.perf_counter() - started))
    started = time.perf_counter()
    audit.seal()
    _say(options.one, "rows sealed per second", options.rows / (time.perf_counter() - started))
    for processes in (1, options.processes):
        rates = sorted(_verified(processes, options.rows + CHAIN) for _ in range(options.runs))
        rate = statistics.median(rates)
        _say(
            options.one,
            "rows verified per second",
            rate,
            goal=VERIFIED,
            ratio=round(rate / VERIFIED, 2),
            processes=processes,
            rows=options.rows + CHAIN,
            runs=[round(one) for one in rates],
        )
    _export(options.one)


def _verified(processes: int, rows: int) -> float:
    from sms.compliance import audit
    from tests.support.audit_tampering import SLUG

    started = time.perf_counter()
    verdict = audit.verify_long(SLUG, processes=processes)
    took = time.perf_counter() - started
    if verdict.broken or verdict.rows != rows:
        raise SystemExit(verdict.sentence)
    return verdict.rows / took


def _make(count: int) -> None:
    from django.db import transaction

    from sms.models import Actor
    from sms.models.audit import audit
    from tests.support.audit_tampering import SLUG

    by = Actor("user", "1", "ada@example.test", "page", "192.0.2.7")
    for start in range(0, count, 10_000):
        with transaction.atomic():
            for index in range(start, min(start + 10_000, count)):
                said = {"recipients": index, "sender": "SHOP", "name": "Grüße"}
                audit("send.created", by=by, service=SLUG, noun="send", key=index, **said)


def _tamper(database: str, times: int) -> None:
    from django.db import connection, transaction

    from sms.compliance import audit
    from sms.compliance.audit.checkpoint import Checkpoint
    from sms.models import AuditSeal
    from sms.models.sql import audit_guard
    from tests.support.audit_tampering import SLUG, Tamperer

    checkpoints = [Checkpoint.of(head) for head in audit.heads_of([SLUG]).values()]
    seals = list(AuditSeal.objects.order_by("number").values_list("number", "event_id"))
    found = named = 0
    kinds: set[str] = set()
    started = time.perf_counter()
    for turn in range(times):
        tamperer = Tamperer(seals, random.Random(turn))
        kind = tamperer.kinds[turn % len(tamperer.kinds)]
        kinds.add(kind.__name__)
        with transaction.atomic():
            audit_guard.remove(connection)
            expected = kind()
            verdict = audit.verify(SLUG, checkpoints=checkpoints)
            found += verdict.broken is not None
            named += verdict.broken is not None and verdict.broken.number == expected
            transaction.set_rollback(True)
    _say(
        database,
        "tamperings found",
        found,
        goal=times,
        first_row_named=named,
        kinds=len(kinds),
        seconds=round(time.perf_counter() - started, 1),
    )
    if not audit.verify(SLUG, checkpoints=checkpoints).guarded:
        raise SystemExit("The triggers did not come back.")


def _tamper_folder(database: str, times: int) -> None:
    """The same for the folder of checkpoints: so many acts on a copy of one with a day of lines."""
    from sms.compliance import audit
    from tests.support.folder_tampering import FolderTamperer

    with tempfile.TemporaryDirectory() as name:
        whole, folder = Path(name) / "whole", Path(name) / "audit"
        files = audit.CheckpointFiles(folder)
        files.begin()
        for _ in range(24):
            audit.write_checkpoints(files, audit.heads_of(audit.services()))
        shutil.copytree(folder, whole)
        found, kinds = 0, set()
        for turn in range(times):
            acts = FolderTamperer(folder, random.Random(turn)).kinds
            act = acts[turn % len(acts)]
            kinds.add(act.__name__)
            act()
            found += bool(not files.begun or files.wrong())
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(whole, folder)
        if files.wrong():
            raise SystemExit("The folder did not come back.")
    _say(database, "tamperings of the folder found", found, goal=times, kinds=len(kinds))


def _tamper_guards(database: str, times: int) -> None:
    """The same for triggers, permits and the whole audit with its folder, each time after a check that found nothing."""
    from django.db import transaction

    from sms.compliance import audit
    from tests.support.guard_tampering import GuardTamperer

    with tempfile.TemporaryDirectory() as name:
        whole, folder = Path(name) / "whole", Path(name) / "audit"
        audit.ChainSealer(folder).run()
        files = audit.CheckpointFiles(folder)
        if not audit.check_and_keep(files).holds:
            raise SystemExit("The audit does not hold before anything is done to it.")
        shutil.copytree(folder, whole)
        found, kinds = 0, set()
        for turn in range(times):
            acts = GuardTamperer(folder, random.Random(turn)).kinds
            act = acts[turn % len(acts)]
            kinds.add(act.__name__)
            with transaction.atomic():
                act()
                found += bool(audit.witnesses(files))
                transaction.set_rollback(True)
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(whole, folder)
        if audit.witnesses(files):
            raise SystemExit("What guards the audit did not come back.")
    _say(database, "tamperings of what guards the audit found", found, goal=times, kinds=len(kinds))


def _export(database: str) -> None:
    from sms.compliance import audit
    from tests.support.audit_tampering import SLUG

    before = most = _memory()
    started, lines = time.perf_counter(), 0
    for _ in audit.json_lines_of(SLUG, audit.Selection()):
        lines += 1
        if lines % 5000 == 0:
            most = max(most, _memory())
    took = time.perf_counter() - started
    _say(
        database, "rows exported per second", lines / took, rows=lines, more_memory_mb=round(most - before, 1)
    )


def _memory() -> float:
    """Megabytes of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1_000_000


def _say(database: str, what: str, figure: float, **more: object) -> None:
    sys.stdout.write(
        json.dumps({"bench": "audit", "database": database, "what": what, "figure": round(figure)} | more)
        + "\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
