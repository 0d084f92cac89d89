"""Retention: messages archived and deleted a second, and what it costs those who send and those who take receipts in.

`python -m tests.bench.retention [--messages 100000] [--pairs 3] [--work 20000] [--only postgresql]` prints one JSON line per figure. The
cost is measured in pairs: the same work alone, and beside retention in a process of its own at its ordinary pace.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

from tests.bench import facts as ledger_work
from tests.bench.rig.databases import ROOT, on_each

DAYS = 400


def main() -> None:
    """One process for each database, since Django knows one."""
    line = argparse.ArgumentParser()
    line.add_argument("--messages", type=int, default=100_000)
    line.add_argument("--pairs", type=int, default=3)
    line.add_argument("--work", type=int, default=20_000, help="messages or receipts of one measured piece")
    on_each(line, one)


def one(options: argparse.Namespace) -> None:
    """All figures on the database of the environment."""
    from tests.bench.rig import receipts_desk as desk

    shop = desk.service("bench-secret")
    say(options, "archived", **archived(shop, options.messages))
    past(shop, options.messages * 4)
    for name, work in (
        ("beside_dispatch", lambda: ledger_work.dispatching(shop, options.work)),
        ("beside_folding", lambda: ledger_work.folding(shop, options.work)),
    ):
        say(options, name, **paired(options, work))


def past(shop, count: int) -> None:
    """Messages of long ago, each with two receipts."""
    from django.db import connection

    from sms.models import Message

    first = (Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
    ledger_work.history(shop, count, DAYS)
    raw = (
        '{"deliveryInfoNotification":{"deliveryInfo":{"timeStamp":"2026-01-02T03:04:05.678Z","Description":"Delivered","code":"7500",'
        '"messageCount":"1","deliveryChannel":"SMS","destination":"4477%","destinationType":"msisdn","deliveryStatus":"Delivered"},'
        '"transid":"","callbackData":"","correlationid":""}}'
    ).replace("%", "")
    if connection.vendor == "postgresql":
        dedupe, stamp = "decode(md5(random()::text || m.id || n), 'hex')", "now() - interval '300 days'"
        body, numbers = "convert_to(%s, 'UTF8')", "generate_series(1, 2) AS n"
    else:
        dedupe, stamp = "randomblob(16)", "datetime('now', '-300 days')"
        body, numbers = "CAST(%s AS BLOB)", "(SELECT 1 AS n UNION SELECT 2) AS n"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sms_receipt (service_id, message_id, attempt, dedupe, raw, received_at)"
            f" SELECT %s, m.id, 1, {dedupe}, {body}, {stamp} FROM sms_message m CROSS JOIN {numbers} WHERE m.id >= %s",
            [shop.pk, raw, first],
        )
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE sms_receipt")


def archived(shop, count: int) -> dict[str, object]:
    """Messages with two receipts each, from the ledger into files, without rests; and stripped of text and number where they are."""
    from django.utils import timezone

    from sms.compliance import retention
    from sms.models import Archive, Service

    past(shop, count)
    rates = {}
    for days, name in (
        ("keep_bodies", "bodies"),
        ("keep_receipts", "receipts"),
        ("keep_numbers", "numbers"),
        ("keep_messages", "archive"),
    ):
        Service.objects.filter(pk=shop.pk).update(**{days: 7})
        started = time.perf_counter()
        done = retention.run(Service.objects.get(pk=shop.pk), now=timezone.now(), rest=lambda: False)
        rates[name] = round(done.counts[name] / (time.perf_counter() - started))
    size = sum(Archive.objects.values_list("size", flat=True))
    return {
        "messages": count,
        "per_second": rates["archive"],
        "receipts_shortened_per_second": rates["receipts"],
        "texts_per_second": rates["bodies"],
        "numbers_per_second": rates["numbers"],
        "bytes_per_message": round(size / count),
    }


def paired(options: argparse.Namespace, work) -> dict[str, object]:
    """Seconds of the same work alone and beside retention, which archives at its ordinary pace meanwhile."""
    work()  # warm
    alone, beside = [], []
    for _ in range(options.pairs):
        alone.append(work())
        other = subprocess.Popen([sys.executable, "manage.py", "retain"], cwd=ROOT, stdout=subprocess.DEVNULL)
        time.sleep(2.0)  # until it is at it
        beside.append(work())
        still = other.poll() is None
        other.terminate()
        other.wait()
        assert still, "retention was through before the work was; give it more messages"
    costs = [(many - few) / few for many, few in zip(beside, alone, strict=True)]
    return {
        "seconds_alone": [round(value, 2) for value in alone],
        "seconds_beside": [round(value, 2) for value in beside],
        "cost": round(statistics.median(costs), 3),
        "costs": [round(cost, 3) for cost in costs],
        "goal": 0.1,
    }


def say(options: argparse.Namespace, name: str, **figures: object) -> None:
    """One line."""
    print(json.dumps({"bench": f"retention_{name}", "database": options.one} | figures), flush=True)


if __name__ == "__main__":
    main()
