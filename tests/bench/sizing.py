"""Sizing: what a message costs on PostgreSQL, by table and index, and what 1, 10, 100 million and a billion a month need.

`python -m tests.bench.sizing [--messages 2000] [--history 200000]` prints a table of bytes, a table of sizes and one JSON line. The way
of a message is the product's: created, dispatched at 100 a second over HTTP to the sandbox, two receipts posted by it to the web server,
applied in batches of 11 (what there was to apply at that rate when it was watched), counted. Then the same beside a `--history`, after a
checkpoint: what PostgreSQL writes more of the log then are whole pages. The server and the machine should have nothing else to do.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from tests.bench.receipts import OURS, cpu_of, web_process
from tests.bench.rig.databases import ROOT, on_each
from tests.bench.rig.sizes import Costs, House, Size, pages_met, size_of
from tests.support.processes import free_port, until

MONTHLY = (1_000_000, 10_000_000, 100_000_000, 1_000_000_000)
RATE, WARM = 100, 300
BACKLOG = (
    30_000  # receipts, three for each message, from which on whoever folds takes as many at once as it can
)
TEXT = "Hello, your order is on its way and will be with you tomorrow before noon. Reply STOP to end."
PAID_BY_MESSAGES = 1.0  # bytes a message from which on a table has a line of its own
RANDOM = ("message_to_a_number", "message_by_provider_id")  # indexes whose entries come in no order

# months and their indexes count under the name of the whole
SIZES = r"""
    WITH relation AS (
        SELECT oid, relkind, regexp_replace(coalesce(pg_partition_root(oid), oid)::regclass::text, '_(\d{4}_\d{2}|rest)', '') AS name
        FROM pg_class WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace
    )
    SELECT name, '', sum(pg_table_size(oid)) FROM relation WHERE relkind = 'r' GROUP BY name
    UNION ALL
    SELECT t.name, i.name, sum(pg_relation_size(i.oid))
    FROM pg_index JOIN relation t ON t.oid = indrelid JOIN relation i ON i.oid = indexrelid GROUP BY t.name, i.name
"""


@dataclass
class Spent:
    """By some messages: bytes of log, and seconds of processor time."""

    wal: float
    dispatch: float
    web: float
    fold: float
    database: float
    receipts: int


def main() -> None:
    """On PostgreSQL: SQLite is for one host."""
    line = argparse.ArgumentParser()
    line.add_argument("--messages", type=int, default=2000)
    line.add_argument("--history", type=int, default=200_000, help="old messages beside which it is repeated")
    line.add_argument("--fold", type=int, default=11, help="receipts that are applied at once")
    on_each(line, one)


def one(options: argparse.Namespace) -> None:
    """Measure, compute, print."""
    if options.one != "postgresql":
        return
    from django.db import connection

    from tests.support.sends import a_service

    chance = random.Random(1)
    numbers = chance.sample(range(10_000_000), 2 * options.messages + WARM)
    # as deploy/postgresql/textdesk.conf has it, for the connections to come
    run(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET wal_compression = on', current_database()); END $$"
    )
    connection.close()
    with sandbox() as provider, web_process(OURS, workers=2) as (port, web):
        url = f"http://127.0.0.1:{provider}"
        shop = a_service(base_url=url, secrets_origin=url, rate=RATE)

        def work(count: int) -> Spent:
            mine = [numbers.pop() for _ in range(count)]
            return spent(shop, mine, at_once=options.fold, port=port, web=web)

        work(WARM)
        run("VACUUM")
        before = sizes()
        took = work(options.messages)
        run("VACUUM")
        after = sizes()
        old_messages(shop, options.history)
        run("VACUUM ANALYZE sms_message")
        kept = {name: size for (_, name), size in sizes().items() if name in RANDOM}
        run("CHECKPOINT")
        beside = work(options.messages)
        folding = backlog(shop) / BACKLOG * 1000
    by_place = {place: (size - before.get(place, 0)) / options.messages for place, size in after.items()}
    entries = {name: size / options.history for name, size in kept.items()}
    more = (beside.wal - took.wal) / options.messages
    met = pages_met(1.0, options.history, entries, options.messages)
    costs = _costs(
        took, options.messages, disk=sum(by_place.values()), entries=entries, page=more / met, folding=folding
    )
    house = House()
    found = [size_of(count, costs, house) for count in MONTHLY]
    print(_bytes(by_place), _table(found), sep="\n\n", end="\n\n")
    figures = {
        "bench": "sizing",
        "database": options.one,
        "server": connection.cursor().execute("SHOW server_version").fetchone()[0],
        "messages": options.messages,
        "receipts": took.receipts,
        "disk": {name or table: round(size) for (table, name), size in sorted(by_place.items()) if size >= 1},
        "disk_per_message": round(costs.disk),
        "wal_per_message": round(costs.wal),
        "wal_after_checkpoint": round(beside.wal / options.messages),
        "whole_page": round(costs.whole_page),
        "random_entry_bytes": {name: round(size) for name, size in entries.items()},
        "dispatch_ms": round(costs.dispatch_ms, 2),
        "web_ms_of_a_receipt": round(costs.web_ms, 2),
        "fold_ms_of_a_receipt": round(costs.fold_ms, 2),
        "folding_ms_in_a_backlog": round(costs.folding_ms, 3),
        "database_ms": round(costs.database_ms, 2),
        "sizes": [{name: _short(value) for name, value in size.row.items()} for size in found],
    }
    print(json.dumps(figures), flush=True)


def _costs(
    took: Spent, messages: int, *, disk: float, entries: dict[str, float], page: float, folding: float
) -> Costs:
    return Costs(
        disk=disk,
        wal=took.wal / messages,
        dispatch_ms=took.dispatch / messages * 1000,
        web_ms=took.web / took.receipts * 1000,
        fold_ms=took.fold / took.receipts * 1000,
        folding_ms=folding,
        database_ms=took.database / messages * 1000,
        receipts=took.receipts / messages,
        random_entries=entries,
        whole_page=page,
    )


# --- The work ---------------------------------------------------------------------------------------------------------------
def spent(shop, numbers: list[int], *, at_once: int, port: int, web: psutil.Process) -> Spent:
    """What a send to these numbers takes, from its making to its last receipt."""
    from django.utils import timezone

    from sms import dispatch
    from sms.audiences.files import Limits, read_pasted
    from sms.inbound import receipts
    from sms.models import Receipt, ReceiptInbox
    from sms.reports import facts
    from tests.support.sends import a_send

    text = "\n".join(f"+44771{number:07d}" for number in numbers)
    audience = read_pasted(text, country="GB", limits=Limits())
    log, database, doors, had = position(), database_seconds(), cpu_of(web), Receipt.objects.count()
    send = a_send(shop, audience=audience, content=TEXT)
    started = time.process_time()
    while not _all_posted(send):
        dispatch.run(public_url=f"http://127.0.0.1:{port}", seconds=60.0)
    dispatched = time.process_time() - started
    until(lambda: Receipt.objects.count() - had >= 2 * len(numbers), "each message has two receipts")
    doors = cpu_of(web) - doors
    started = time.process_time()
    while receipts.fold(limit=at_once, now=timezone.now()):
        pass
    facts.fold()
    folded = time.process_time() - started
    assert not ReceiptInbox.objects.exists()
    return Spent(
        wal=position() - log,
        dispatch=dispatched,
        web=doors,
        fold=folded,
        database=database_seconds() - database,
        receipts=Receipt.objects.count() - had,
    )


def backlog(shop) -> float:
    """Processor time of folding it, ours and PostgreSQL's one after the other."""
    from django.utils import timezone

    from sms.inbound import receipts
    from tests.bench.rig import receipts_desk as desk

    desk.waiting(shop, BACKLOG)
    ours, database = time.process_time(), database_seconds()
    while receipts.fold(now=timezone.now()):
        pass
    return time.process_time() - ours + database_seconds() - database


def _all_posted(send) -> bool:
    return not {"pending", "posting"} & send.counts().keys()


def old_messages(shop, count: int) -> None:
    """Delivered ones with numbers and provider's ids in no order, made by PostgreSQL itself."""
    from sms.models import Send

    run(
        "INSERT INTO sms_message (send_id, msisdn, row, text, substitutions, zone, segments, state, attempt, code, detail,"
        " provider_id, carrier, country, resent, posted_at, queued_at, submitted_at, final_at)"
        " SELECT %s, '+44772' || lpad((random() * 9999999)::int::text, 7, '0'), n, %s, '{}', '', 1, 'delivered', 1, '7500', '',"
        " gen_random_uuid()::text, '', 'GB', 0, now(), now(), now(), now() FROM generate_series(1, %s) AS n",
        [Send.objects.filter(service=shop).latest("pk").pk, TEXT, count],
    )


@contextmanager
def sandbox() -> Iterator[int]:
    """Its port. It delivers whatever it takes, and posts two receipts for it."""
    port = free_port()
    command = [sys.executable, "-m", "sms.webex.sandbox", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline(), "the sandbox says where it is"
        yield port
    finally:
        process.kill()
        process.communicate()


# --- What PostgreSQL says -----------------------------------------------------------------------------------------------------
def run(statement: str, values: list[object] | None = None) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def sizes() -> dict[tuple[str, str], int]:
    """Bytes by table and index; "" for the table's own."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(SIZES)
        return {(table, name): int(size) for table, name, size in cursor.fetchall()}


def position() -> int:
    """Of the log, in bytes."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn() - '0/0'")
        return int(cursor.fetchone()[0])


def database_seconds() -> float:
    """Processor time of the server with all its processes, those that ended too. It has to be on this machine."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    server = psutil.Process(pid).parent()
    assert server is not None
    living = sum(sum(process.cpu_times()[:2]) for process in server.children(recursive=True))
    return sum(server.cpu_times()[:4]) + living


# --- Tables -------------------------------------------------------------------------------------------------------------------
def _bytes(by_place: dict[tuple[str, str], float]) -> str:
    tables: dict[str, dict[str, float]] = {}
    for (table, name), size in by_place.items():
        tables.setdefault(table, {})[name] = size
    lines, rest = ["| table | index | bytes a message |", "|---|---|---|"], 0.0
    for table, parts in sorted(tables.items(), key=lambda item: -sum(item[1].values())):
        if sum(parts.values()) < PAID_BY_MESSAGES:
            rest += sum(parts.values())
            continue
        lines.append(f"| {table} | | {sum(parts.values()):,.0f} |")
        lines += [
            f"| | {name or '(rows)'} | {size:,.0f} |"
            for name, size in sorted(parts.items(), key=lambda item: -item[1])
        ]
    lines.append(f"| all others | | {rest:,.0f} |")
    return "\n".join(lines)


def _table(found: list[Size]) -> str:
    lines = ["| |" + "".join(f" {size.messages:,} |" for size in found), "|---|" + "---|" * len(found)]
    for name in list(found[0].row)[1:]:
        said = (f" {_short(size.row[name]):,} |" for size in found)
        lines.append(f"| {name.replace('_', ' ')} |" + "".join(said))
    return "\n".join(lines)


def _short(value: object) -> float:
    """Three figures are more than it is worth."""
    assert isinstance(value, (int, float))
    return value if isinstance(value, int) else round(value) if value >= 100 else float(f"{value:.3g}")


if __name__ == "__main__":
    main()
