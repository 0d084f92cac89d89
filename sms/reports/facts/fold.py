"""Folding: the deltas of many transactions summed into the tables that reports read, now and then, by one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog
from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from sms.models import Duty, Fact, FactDelta, FactFold, SendFact
from sms.models.fact import HOURS, MEASURES
from sms.reports.facts.from_messages import COLUMNS
from sms.reports.facts.names import report
from sms.reports.facts.tables import projections
from sms.values.histogram import bucket

log = structlog.get_logger(__name__)

AT_ONCE = 50_000  # deltas of one transaction
DUTY, DUTY_SECONDS = "facts", 60.0


@contextmanager
def snapshot() -> Iterator[None]:
    """A transaction whose every statement sees the same rows: on PostgreSQL by its isolation, on SQLite there is one writer."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                if outermost:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                cursor.execute(
                    "SET LOCAL synchronous_commit = off"
                )  # after a crash the deltas are there again
                # half of a rebuild was compiling: each of its statements runs for a second, and forty times
                cursor.execute("SET LOCAL jit = off")
        know_buckets()
        yield


def know_buckets() -> None:
    """Give SQLite the function that `sms.reports.facts.from_messages` calls there."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        connection.connection.create_function("fact_bucket", 2, _bucket, deterministic=True)


def _bucket(later: str, earlier: str) -> int:
    return bucket(datetime.fromisoformat(later), datetime.fromisoformat(earlier))


@contextmanager
def only_folder() -> Iterator[bool]:
    """Whether nobody else folds; a courtesy, since two at once would make one of them break off and change nothing.

    The lease is renewed by a thread, as a statement of a rebuild may take longer; where the process is killed, it runs out.
    """
    duty = Duty.hold(DUTY, seconds=DUTY_SECONDS)
    if duty is None:
        yield False
        return
    with duty, duty.kept():
        yield True


def fold(*, at_once: int = AT_ONCE) -> int:
    """Fold all deltas there are; returns how many. Harmless at any time."""
    done = 0
    if not FactDelta.objects.exists():
        return done
    with only_folder() as mine:
        while mine:
            try:
                some = fold_some(at_once)
            except OperationalError as problem:
                if getattr(problem.__cause__, "sqlstate", "") != "40001":
                    raise
                log.info("facts_folded_by_another")
                break
            done += some
            if some < at_once:
                break
    return done


def fold_some(at_once: int) -> int:
    """Fold the oldest deltas in a transaction of their own."""
    table = FactDelta._meta.db_table
    with snapshot(), connection.cursor() as cursor:
        ids = FactDelta.objects.order_by("pk").values_list("pk", flat=True)
        last = ids[at_once - 1 : at_once].first() or ids.last()
        if last is None:
            return 0
        some = f"(SELECT {COLUMNS} FROM {table} WHERE id <= {last})"  # noqa: S608
        report(some)
        for one in projections():
            cursor.execute(one.add(some))
        _sweep(cursor, some)
        cursor.execute(f"DELETE FROM {table} WHERE id <= %s", [last])  # noqa: S608
        gone = cursor.rowcount
        FactFold.objects.update_or_create(pk=1, defaults={"folded_at": timezone.now()})
    return int(gone)


def _sweep(cursor: CursorWrapper, source: str) -> None:
    """Take out what came to nought where these deltas were: states that nobody is in any more."""
    nought = "messages = 0 AND amount = 0 AND amount_of = 0 AND billed = 0 AND billed_of = 0"
    hour = "CASE WHEN d.hour = 0 THEN r.hour ELSE d.hour END"
    service, profile = "coalesce(r.service_id, d.service_id)", "coalesce(r.profile_id, 0)"
    cursor.execute(
        f"SELECT {service}, {profile}, min({hour}), max({hour}) FROM {source} AS d"  # noqa: S608
        f" LEFT JOIN sms_reportedsend r ON r.send_id = d.send_id GROUP BY {service}, {profile}"
    )
    touched: dict[int, list[tuple[int, int, int]]] = {}
    for service_id, profile_id, first, last in cursor.fetchall():
        touched.setdefault(service_id, []).append((profile_id, first, last))
    # everything up to `at` is named, so that the index is used that far
    measures = ", ".join(f"'{measure}'" for measure in MEASURES)
    for service_id, found in touched.items():
        first, last = min(one[1] for one in found), max(one[2] for one in found)
        for by_profile, profiles in ((False, "0"), (True, ", ".join(str(one[0]) for one in found))):
            cuts = ", ".join(str(cut.value) for cut in Fact.Cut if cut.by_profile == by_profile)
            for grain, hours in HOURS.items():
                cursor.execute(
                    f"DELETE FROM {Fact._meta.db_table} WHERE service_id = %s AND grain = %s AND cut IN ({cuts})"  # noqa: S608
                    f" AND profile_id IN ({profiles}) AND measure IN ({measures}) AND at BETWEEN %s AND %s AND {nought}",
                    [service_id, grain.value, first // hours, last // hours],
                )
    cursor.execute(
        f"DELETE FROM {SendFact._meta.db_table} WHERE send_id IN (SELECT d.send_id FROM {source} AS d) AND {nought}"  # noqa: S608
    )
