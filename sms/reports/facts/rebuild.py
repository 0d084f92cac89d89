"""The facts made again from the ledger, and the two compared. Both see one moment; on PostgreSQL they disturb nobody who writes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from sms.ledger.counters import FIGURES, NAMED, CounterDeltas
from sms.models import Fact, FactDelta, FactFold, KeptFact, Message, OptOut, SendFact
from sms.reports.facts.fold import fold, know_buckets, only_folder, snapshot
from sms.reports.facts.from_messages import COLUMNS, SHAPE, kept, of_messages
from sms.reports.facts.names import report
from sms.reports.facts.tables import derived, projections
from sms.values.msisdn import country_of

AGAIN = "facts_again"
EMPTY = {"postgresql": "TRUNCATE", "sqlite": "DELETE FROM"}
STEP = 250_000  # ids of messages
Said = Callable[[int], None]


def _silent(done: int) -> None:
    del done


class Busy(Exception):
    """Somebody else folds, rebuilds or compares just now."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where facts and ledger part: a table, the row's keys, and figure, in facts, in the ledger."""

    table: str
    place: dict[str, object]
    figure: str
    facts: int
    ledger: int

    def __str__(self) -> str:
        place = ", ".join(f"{key} {value}" for key, value in self.place.items() if value not in ("", 0))
        return (
            f"{self.table} ({place}): {self.figure} is {self.facts:,}, by the ledger it is {self.ledger:,}."
        )


def rebuild(*, said: Said = _silent) -> int:
    """Throw the facts away and make them from messages, clicks, opt-outs and what deleted messages left; returns messages read.

    Raises Busy. Deltas that were there go with them, because the messages say it all; later ones stay for the next fold.
    """
    with only_folder() as mine:
        if not mine:
            raise Busy
        with snapshot(), _own_table():
            for model in (Fact, SendFact, FactDelta):
                model.objects.all().delete()
            done, themselves = 0, [one for one in projections() if one.by_itself]
            for count in _ledger(said):
                done += count
                report(AGAIN)
                with connection.cursor() as cursor:
                    for one in themselves:
                        cursor.execute(one.add(AGAIN))
                    cursor.execute(f"{EMPTY[connection.vendor]} {AGAIN}")  # dead rows are read too
            with connection.cursor() as cursor:
                if connection.vendor == "postgresql":
                    cursor.execute(f"ANALYZE {Fact._meta.db_table}")  # it may have been empty till now
                for statement in derived():
                    cursor.execute(statement)
            now = timezone.now()
            FactFold.objects.update_or_create(pk=1, defaults={"folded_at": now, "rebuilt_at": now})
    return done


def compare(*, said: Said = _silent) -> tuple[int, Difference | None]:
    """Messages read, and the first difference between facts (with what waits to be folded) and ledger. Raises Busy."""
    fold()
    with only_folder() as mine:
        if not mine:
            raise Busy
        with snapshot(), _own_table():
            done = sum(_ledger(said))
            report(FactDelta._meta.db_table)
            return done, next(_differences(), None)


def keep(first_id: int, last_id: int) -> None:
    """Keep what messages from one id to another add to the facts; call it in the transaction that deletes them, before it does."""
    with transaction.atomic(), connection.cursor() as cursor:
        know_buckets()
        report(
            f"(SELECT send_id FROM {Message._meta.db_table} WHERE id BETWEEN {int(first_id)} AND {int(last_id)})"  # noqa: S608
        )
        cursor.execute(
            f"INSERT INTO {KeptFact._meta.db_table} ({COLUMNS}) {of_messages()}",
            [first_id, last_id, first_id, last_id],
        )


def _ledger(said: Said) -> Iterator[int]:
    """Fill AGAIN step by step; yields how many messages each step read."""
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {AGAIN} ({COLUMNS}) {kept()}", [])
    _opt_outs()
    yield 0
    ends = Message.objects.aggregate(first=Min("pk"), last=Max("pk"))
    start, done = ends["first"] or 1, 0
    while start <= (ends["last"] or 0):
        stop = start + STEP - 1
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {AGAIN} ({COLUMNS}) {of_messages()}", [start, stop, start, stop])
            if connection.vendor == "postgresql" and not done:
                cursor.execute(f"ANALYZE {AGAIN}")  # the steps are alike
        count = Message.objects.filter(pk__gte=start, pk__lte=stop).count()
        done += count
        said(done)
        yield count
        start = stop + 1


@contextmanager
def _own_table() -> Iterator[None]:
    """A table that only this connection knows."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL work_mem = '64MB'")  # sums of a step are made in memory
            # the planner takes every row for a group of its own and sorts them by six texts, which is three times as long as hashing
            cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"DROP TABLE IF EXISTS {AGAIN}")
        cursor.execute(f"CREATE TEMPORARY TABLE {AGAIN} ({SHAPE})")
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {AGAIN}")


def _differences() -> Iterator[Difference]:
    """What is in the facts and what must be, summed against each other."""
    for one in projections():
        keys = ", ".join(one.keys)
        ours = ", ".join(f"{name} AS f_{name}, 0 AS l_{name}" for name in FIGURES)
        theirs = ", ".join(f"0 AS f_{name}, {name} AS l_{name}" for name in FIGURES)
        sums = ", ".join(f"sum({which}_{name})" for name in FIGURES for which in "fl")
        apart = " OR ".join(f"sum(f_{name}) <> sum(l_{name})" for name in FIGURES)
        statement = (
            f"SELECT {keys}, {sums} FROM (SELECT {keys}, {ours} FROM ({one.stored()}) a"  # noqa: S608
            f" UNION ALL SELECT {keys}, {ours} FROM ({one.select(FactDelta._meta.db_table)}) b"
            f" UNION ALL SELECT {keys}, {theirs} FROM ({one.select(AGAIN)}) c) AS every"
            f" GROUP BY {keys} HAVING {apart} ORDER BY {keys} LIMIT 1"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone()
        if row is None:
            continue
        place, figures = row[: len(one.keys)], [int(value) for value in row[len(one.keys) :]]
        for number, name in enumerate(FIGURES):
            facts, ledger = figures[2 * number : 2 * number + 2]
            if facts != ledger:
                yield Difference(one.table, dict(zip(one.keys, place, strict=True)), name, facts, ledger)


def _opt_outs() -> None:
    """Into AGAIN; the country of a number is no matter of SQL."""
    tally = CounterDeltas.new()
    rows = OptOut.objects.order_by().values_list("service_id", "send_id", "at", "msisdn", "country")
    for service_id, send_id, at, number, country in rows.iterator(chunk_size=10_000):
        tally.opted_out(service_id, send_id, at, country or country_of(number))
    held: list[Any] = [(*key, *figures) for key, figures in tally.facts.items()]
    marks = ", ".join(["%s"] * len(NAMED + FIGURES))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {AGAIN} ({COLUMNS}) VALUES ({marks})", held)  # noqa: S608
