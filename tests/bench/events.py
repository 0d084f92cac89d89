"""The event log: how long GET /events of 1,000 takes among many events, and what writing events costs the folding of receipts.

`python -m tests.bench.events [--only sqlite|postgresql] [--rows N] [--fold 30000]` prints one JSON line per figure; N is 10 million on
PostgreSQL and 1 million on SQLite where it is not said. `read` asks through the application, without a network: with the scope `all`, as
the owner of nearly everything and as one of a ten-thousandth, from the beginning, the middle and near the end, and for types that are
rare. `fold` folds receipts with a follower and without by turns (ABBA), each over receipts of its own.
"""

import argparse
import gc
import json
import time
import uuid

from django.db import connection

from tests.bench.rig.databases import on_each

ASKED = 40  # times each
LIMIT = 1000
ROUNDS = 3
EVERY = 10_000  # of so many events one is the rare owner's
MESSAGES = 50_000


def main() -> None:
    """One process for each database, since Django knows one."""
    line = argparse.ArgumentParser()
    line.add_argument("--rows", type=int)
    line.add_argument("--fold", type=int, default=30_000)
    on_each(line, one)


def one(options: argparse.Namespace) -> None:
    from tests.bench.rig import receipts_desk as desk

    shop = desk.service("bench-secret")
    say(options, "fold", **folding(desk, shop, options.fold))
    rows = options.rows or (10_000_000 if options.one == "postgresql" else 1_000_000)
    for figure in reading(shop, rows):
        say(options, "read", rows=rows, **figure)


def folding(desk, shop, count: int) -> dict[str, object]:
    """CPU seconds per receipt; the database's own are not in it on PostgreSQL, so wall-clock seconds stand beside."""
    from sms.models import ApiKey, Event

    key, _ = ApiKey.make(service=shop, name="Follower", scopes=["read", "all"], confirmed=True)
    spent = {"with": [0.0, 0.0], "without": [0.0, 0.0]}
    desk.fold(shop, count)  # warm
    for turn in range(ROUNDS):
        for kind in ("with", "without") if turn % 2 else ("without", "with"):
            if kind == "with":
                key.save()
            else:
                ApiKey.objects.all().delete()
            cpu = time.process_time()
            seconds = count / float(desk.fold(shop, count)["per_second"])
            spent[kind][0] += time.process_time() - cpu
            spent[kind][1] += seconds
    key.save()
    receipts = count * ROUNDS
    return {
        "receipts": receipts,
        "events": Event.objects.count(),
        "microseconds_each_with": round(spent["with"][1] / receipts * 1e6, 1),
        "microseconds_each_without": round(spent["without"][1] / receipts * 1e6, 1),
        "ratio": round(spent["without"][1] / spent["with"][1], 3),
    }


def reading(shop, rows: int):
    from sms.callbacks import feed
    from sms.callbacks.feed import FeedPage, Place
    from sms.models import ApiKey, Event

    many, rare = uuid.uuid4(), uuid.uuid4()
    Event.objects.all()._raw_delete("default")  # those of the folding, by real transactions
    fill(shop, rows, many, rare)
    ends = _ends()
    tokens = {}
    ApiKey.objects.all().delete()
    for name, scopes, identity in (
        ("all", ["read", "all"], uuid.uuid4()),
        ("owner of most", ["read"], many),
        ("rare owner", ["read"], rare),
    ):
        key, tokens[name] = ApiKey.make(
            service=shop, name=name, scopes=scopes, confirmed=True, identity=identity, per_minute=100_000
        )
        key.save()
    from django.utils import timezone

    for name, types, share in (
        *((name, "", share) for name in tokens for share in (0, 0.5, 0.97)),
        ("all", "opt_out.added", 0.5),
        ("rare owner", "message.failed", 0),
    ):
        (low, high) = ends
        place = Place(low[0] + int((high[0] - low[0]) * share), low[1] + int((high[1] - low[1]) * share) - 1)
        after = feed.written(FeedPage([], place, more=False), now=timezone.now())
        yield {
            "key": name,
            "types": types,
            "from": share,
            **asked(tokens[name], f"after={after}&types={types}"),
        }


def fill(shop, rows: int, many: uuid.UUID, rare: uuid.UUID) -> None:
    """As the log is: three events a message, transactions of a thousand, now and then another type and another owner."""
    from sms.models import Echo, Message, Send
    from tests.bench.rig.copied_rows import drop_indexes

    with connection.cursor() as cursor:
        send = Send.objects.create(
            service=shop,
            name="Bench",
            sender=shop.senders.first(),
            text="Hello",
            due_at="2026-03-02T09:00:00Z",
        )
        Message.objects.bulk_create(
            (Message(send=send, msisdn=f"+4477{at:08d}", row=at + 1) for at in range(MESSAGES)),
            batch_size=5000,
        )
        first = Message.objects.filter(send=send).order_by("pk").values_list("pk", flat=True)[0]
        Echo.objects.bulk_create(
            (
                Echo(message_id=first + at, service=shop, correlation_id=f"order-{at}")
                for at in range(MESSAGES)
            ),
            batch_size=5000,
        )
        postgresql = connection.vendor == "postgresql"
        numbers = (
            "SELECT n FROM generate_series(1, %s) AS n"
            if postgresql
            else "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < %s) SELECT n FROM s"
        )
        owner = "CAST(CASE WHEN n %% {} = 7 THEN '{}' ELSE '{}' END AS {})".format(
            EVERY, *((rare, many, "uuid") if postgresql else (rare.hex, many.hex, "text"))
        )
        kind = (
            "CASE WHEN n %% 50 = 49 THEN 'message.failed' WHEN n %% 100000 = 7 THEN 'opt_out.added'"
            " WHEN n %% 3 = 0 THEN 'message.queued' WHEN n %% 3 = 1 THEN 'message.submitted' ELSE 'message.delivered' END"
        )
        name = "'evt_' || md5(n::text) || 'ab'" if postgresql else "'evt_' || printf('%%034d', n)"
        data = """'{"state":"delivered","code":"7500","detail":"","attempt":1,"segments":1}'"""
        data = f"{data}::jsonb" if postgresql else data
        restore = list[str]()
        if postgresql:
            restore = drop_indexes(cursor, "sms_event", like="event_of%")
            cursor.execute("ALTER TABLE sms_event DROP CONSTRAINT event_is_told_once")
            restore.append("ALTER TABLE sms_event ADD CONSTRAINT event_is_told_once UNIQUE (event_id)")
        cursor.execute(
            "INSERT INTO sms_event (event_id, service_id, owner, type, send_id, message_id, subject_id, at, created_at, test, data,"
            f" transaction_id) SELECT {name}, {shop.pk}, {owner}, {kind}, {send.pk}, {first} + n %% {MESSAGES}, 0,"
            f" CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, {'false' if postgresql else 0}, {data}, {'n / 1000' if postgresql else 'n'}"
            f" FROM ({numbers}) AS numbered",
            [rows],
        )
        for statement in [*restore, "ANALYZE"]:
            cursor.execute(statement)


def _ends() -> tuple[tuple[int, int], tuple[int, int]]:
    from sms.models import Event

    places = Event.objects.order_by("transaction_id", "pk").values_list("transaction_id", "pk")
    first, last = places.first(), places.last()
    assert first and last
    return first, last


def asked(token: str, query: str) -> dict[str, object]:
    from django.test import Client

    client, took, got, cpu = Client(SERVER_NAME="127.0.0.1"), [], 0, 0.0
    client.get(
        f"/api/v1/events?limit={LIMIT}&{query}", headers={"key": token}
    )  # warm: what is loaded at first
    gc.collect()
    gc.freeze()  # as portal/asgi.py does when it has loaded
    for _ in range(ASKED):
        began, worked = time.perf_counter(), time.process_time()
        answer = client.get(f"/api/v1/events?limit={LIMIT}&{query}", headers={"key": token})
        took.append((time.perf_counter() - began) * 1000)
        cpu += time.process_time() - worked
        assert answer.status_code == 200, answer.content
        got = len(answer.json()["items"])
    took.sort()
    return {
        "events": got,
        "p50_ms": round(took[ASKED // 2], 1),
        "p95_ms": round(took[int(ASKED * 0.95)], 1),
        "cpu_ms": round(cpu * 1000 / ASKED, 1),
        "goal_ms": 100,
    }


def say(options: argparse.Namespace, name: str, **figures: object) -> None:
    print(json.dumps({"bench": f"events.{name}", "database": options.one, **figures}), flush=True)


if __name__ == "__main__":
    main()
