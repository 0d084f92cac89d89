"""Facts: what their upkeep costs, how fast they are rebuilt and compared, and how long a report of a year takes.

`python -m tests.bench.facts [--parts upkeep,rebuild,reports] [--pairs 3] [--receipts 60000] [--messages 1000000] [--only postgresql]`
prints one JSON line per figure. Upkeep is measured in pairs: the same work with and without the facts' rows, one after the other.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from tests.bench.rig.databases import on_each

TURN = 400  # messages of a turn of the dispatcher


def main() -> None:
    """One process for each database, since Django knows one."""
    line = argparse.ArgumentParser()
    line.add_argument("--parts", default="upkeep,rebuild,reports")
    line.add_argument("--pairs", type=int, default=3)
    line.add_argument("--receipts", type=int, default=60_000)
    line.add_argument("--messages", type=int, default=1_000_000)
    line.add_argument(
        "--days",
        type=float,
        help="over which messages are spread; 27 400 a day (ten million a year) if left out",
    )
    on_each(line, one)


def one(options: argparse.Namespace) -> None:
    """All figures on the database of the environment."""
    from tests.bench.rig import receipts_desk as desk

    shop = desk.service("bench-secret")
    parts = options.parts.split(",")
    if "upkeep" in parts:
        say(options, "upkeep_of_folding", **paired(options, lambda: folding(shop, options.receipts)))
        say(
            options, "upkeep_of_dispatch", **paired(options, lambda: dispatching(shop, options.receipts // 3))
        )
    if "rebuild" in parts or "reports" in parts:
        history(shop, options.messages, options.days or options.messages / 27_400)
    if "rebuild" in parts:
        say(options, "rebuild", **rebuilding(options.messages))
    if "reports" in parts:
        if "rebuild" not in parts:
            rebuilding(options.messages)
        say(options, "reports", **reporting(shop))


def paired(options: argparse.Namespace, work) -> dict[str, object]:
    """Seconds of the same work with facts and without, and what the facts cost of them. Folding deltas counts as theirs."""
    work()  # warm
    with_facts, without = [], []
    for _ in range(options.pairs):
        with no_facts():
            without.append(work())
        with_facts.append(work())
    costs = [(many - few) / few for many, few in zip(with_facts, without, strict=True)]
    return {
        "seconds_with": [round(value, 2) for value in with_facts],
        "seconds_without": [round(value, 2) for value in without],
        "cost": round(statistics.median(costs), 3),
        "costs": [round(cost, 3) for cost in costs],
        "goal": 0.1,
    }


@contextmanager
def no_facts() -> Iterator[None]:
    """The ledger as it was before there were facts: nothing is computed, inserted or folded of them."""
    from sms.ledger.counters import CountedMessage, CounterDeltas
    from sms.models.sql.messages import MessageRow

    def change(self, before: MessageRow, row: MessageRow, ready) -> None:
        del ready
        self._messages[CountedMessage.of(before, before.state, before.code)] -= 1
        self._messages[CountedMessage.of(row, row.state, row.code)] += 1

    def nothing(self, *given: object, **named: object) -> None:
        del self, given, named

    kept = {name: getattr(CounterDeltas, name) for name in ("change", "time", "_state")}
    CounterDeltas.change, CounterDeltas.time, CounterDeltas._state = change, nothing, nothing
    try:
        yield
    finally:
        for name, method in kept.items():
            setattr(CounterDeltas, name, method)


def folding(shop, count: int) -> float:
    """Receipts through `receipts.fold`, five thousand at a time, and their facts folded at the end."""
    from sms.reports import facts
    from tests.bench.rig import receipts_desk as desk

    took = desk.fold_only(shop, count)
    started = time.perf_counter()
    facts.fold()
    return took + time.perf_counter() - started


def dispatching(shop, count: int) -> float:
    """Messages armed and accepted in turns, each a transaction, as the dispatch loop does it without the network."""
    from django.db import transaction
    from django.utils import timezone

    from sms.ledger import states
    from sms.ledger.counters import CounterDeltas
    from sms.models.sql.messages import Acceptance
    from sms.reports import facts
    from tests.support.sends import a_send

    send = a_send(shop, count)
    ids = list(send.messages.order_by("pk").values_list("pk", flat=True))
    facts.fold()
    started = time.perf_counter()
    for start in range(0, count, TURN):
        part = ids[start : start + TURN]
        for step in range(2):
            with transaction.atomic():
                deltas, now = CounterDeltas(), timezone.now()
                if step == 0:
                    states.arm(part, at=now, deltas=deltas)
                else:
                    states.accept(
                        [Acceptance(pk, 1, f"provider-{pk}") for pk in part],
                        at=now + timedelta(milliseconds=80),
                        deltas=deltas,
                    )
                deltas.write()
    facts.fold()
    return time.perf_counter() - started


def history(shop, count: int, days: float) -> None:
    """Messages in sends of a thousand, with states, carriers, countries and times, made by the database."""
    from django.db import connection
    from django.utils import timezone

    from sms.models import Message, Send

    now = timezone.now()
    sends = [
        Send(
            service=shop,
            name=f"History {number}",
            sender=shop.senders.get(),
            text="x",
            state="finished",
            created_at=now - timedelta(days=days * (1 - number / (count // 1000))),
            due_at=now - timedelta(days=days * (1 - number / (count // 1000))),
            recipients=1000,
        )
        for number in range(count // 1000)
    ]
    first = Send.objects.bulk_create(sends, batch_size=2000)[0].pk
    Send.objects.filter(pk__gte=first).update(created_at=models_f("due_at"))
    if connection.vendor != "postgresql":
        _history_of_sqlite(first, count)
        return
    with connection.cursor() as cursor:
        for done in range(0, count, 500_000):
            cursor.execute(
                "INSERT INTO sms_message (send_id, msisdn, country, row, text, substitutions, zone, segments, state, attempt, resent,"
                " code, detail, provider_id, carrier, segments_billed, posted_at, queued_at, submitted_at, final_at)"
                " SELECT s.id, '+4477' || lpad((n % 100000000)::text, 8, '0'), (ARRAY['GB','GB','GB','DE','FR'])[1 + n % 5], n,"
                " 'An old message.', '{}', '', 1, CASE WHEN n % 20 = 0 THEN 'failed' WHEN n % 33 = 0 THEN 'no_report' ELSE 'delivered' END,"
                " 1, 0, CASE WHEN n % 20 = 0 THEN '7203' ELSE '' END, '', '', (ARRAY['EE','O2','Three','Vodafone'])[1 + n % 4], 1,"
                " s.due_at + interval '1 s' * (n % 900), s.due_at + interval '1 s' * (n % 900 + 0.08 + random() * 0.1),"
                " s.due_at + interval '1 s' * (n % 900 + 0.5 + random()), CASE WHEN n % 33 = 0 THEN NULL ELSE"
                " s.due_at + interval '1 s' * (n % 900 + 1 + exp(1.5 * random() + 1)) END"
                " FROM generate_series(%s::int, %s::int) AS n JOIN sms_send s ON s.id = %s + n / 1000".replace(
                    " % ", " %% "
                ),
                [done, min(done + 500_000, count) - 1, first],
            )
        cursor.execute("ANALYZE sms_message")
    del Message


def models_f(name: str):
    """A column of the row."""
    from django.db.models import F

    return F(name)


def _history_of_sqlite(first: int, count: int) -> None:
    from sms.models import Message, Send

    due = dict(Send.objects.filter(pk__gte=first).values_list("pk", "due_at"))
    Message.objects.bulk_create(
        (
            Message(
                send_id=first + n // 1000,
                msisdn=f"+4477{n:08d}",
                country="GB",
                row=n,
                text="An old message.",
                segments=1,
                state="delivered",
                attempt=1,
                carrier=("EE", "O2")[n % 2],
                posted_at=due[first + n // 1000],
                queued_at=due[first + n // 1000] + timedelta(milliseconds=90 + n % 50),
                submitted_at=due[first + n // 1000] + timedelta(milliseconds=500 + n % 700),
                final_at=due[first + n // 1000] + timedelta(seconds=2 + n % 30),
            )
            for n in range(count)
        ),
        batch_size=5000,
    )


def rebuilding(count: int) -> dict[str, object]:
    """Messages a second, from nothing, and the comparison."""
    from sms.models import Fact, Message
    from sms.reports import facts

    started = time.perf_counter()
    done = facts.rebuild()
    took = time.perf_counter() - started
    started = time.perf_counter()
    _, found = facts.compare()
    compared = time.perf_counter() - started
    return {
        "messages": done,
        "of": Message.objects.count(),
        "asked": count,
        "per_second": round(done / took),
        "seconds": round(took, 1),
        "compared_per_second": round(done / compared),
        "difference": str(found or ""),
        "facts": Fact.objects.count(),
        "goal_per_second": 50_000,
    }


def reporting(shop) -> dict[str, object]:
    """Milliseconds of the page of a year, by everything, as the server takes them."""
    from django.conf import settings
    from django.test import Client

    from portal.models import Membership, Role, User
    from sms.models import Fact
    from sms.reports import BY

    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    person = User.objects.create(email="auditor@example.test")
    Membership.objects.create(user=person, service=shop, role=Role.AUDITOR)
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(person)
    newest = Fact.objects.filter(grain="d").order_by("-at").values_list("at", flat=True)[0]
    from datetime import date

    until = date(1970, 1, 1) + timedelta(days=newest)
    found: dict[str, float] = {}
    every: list[float] = []
    for by in BY:
        days = 30 if by == "hour" else 364
        given = {"by": by, "from": str(until - timedelta(days=days)), "until": str(until)}
        runs = []
        for _ in range(8):
            started = time.perf_counter()
            answer = client.get("/s/bench/reports/", given)
            runs.append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 200
        every += runs[1:]
        found[by] = round(statistics.median(runs[1:]))
    return {"median_ms": found, "p95_ms": round(statistics.quantiles(every, n=20)[-1]), "goal_p95_ms": 300}


def say(options: argparse.Namespace, name: str, **figures: object) -> None:
    """One line."""
    print(json.dumps({"bench": f"facts_{name}", "database": options.one} | figures), flush=True)


if __name__ == "__main__":
    main()
