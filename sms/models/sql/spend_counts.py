"""Spend counters moved by one statement that changes nothing where a cap does not allow it, and the locks that make it exact.

On PostgreSQL the requests of one key wait for each other, since its row does. Those of different keys do not, while a cap is far:
each holds the cap's lock together with the others (`share`), and takes room only in the first half of the cap. As many transactions
as PostgreSQL lets in at a time (100) could be under way unseen, each with SMALL of the cap: together no more than the other half.
From there on, and for what is larger, they take the lock one after the other. SQLite has one writer.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from sms.models.spend_cap import SpendCount

TABLE = SpendCount._meta.db_table
SMALL = 1 / 200  # of a cap
SHARED = 1 / 2  # of a cap: what is taken while others take as well
_INT = "CAST(coalesce(sum({column}), 0) AS bigint)"


@dataclass(frozen=True, slots=True)
class CountedRow:
    """What one row moves by."""

    number: str = ""
    key: int = 0
    country: str = ""
    used: int = 0
    money: int = 0


@dataclass(frozen=True, slots=True)
class CapCheck:
    """That what is used and `wanted` stay within `cap`; of one key or country, or of all where they are None. `number`: of one minute."""

    cap: int
    wanted: int
    column: str = "used"  # or money
    key: int | None = None
    country: str | None = None
    number: str = ""

    def lock(self, service_id: int, day: date) -> int:
        name = f"{service_id} {day} {self.column} {self.key} {self.country} {self.number}"
        return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)

    def used(self, rows: Sequence[CountedRow]) -> int:
        """What of `counted` it is about."""
        mine = (
            one
            for one in rows
            if one.number == self.number
            and self.key in (None, one.key)
            and (self.country is None or self.country == one.country)
        )
        return sum(getattr(one, self.column) for one in mine)

    @property
    def _where(self) -> tuple[str, list[Any]]:
        text, values = "service_id = %s AND day = %s AND number = %s", list[Any]([self.number])
        for name in ("key", "country"):
            if (value := getattr(self, name)) is not None:
                text += f" AND {name} = %s"
                values.append(value)
        return text, values

    def used_sql(self, service_id: int, day: date) -> tuple[str, list[Any]]:
        where, values = self._where
        summed = _INT.format(column=self.column)
        return f"SELECT {summed} FROM {TABLE} WHERE {where}", [service_id, _stored(day), *values]  # noqa: S608 - columns of ours, values bound


def counted(service_id: int, day: date, numbers: Sequence[str] = ()) -> list[CountedRow]:
    """All rows of keys and countries, which are few, and those of these numbers, by their hashes: one query."""
    wanted = SpendCount.objects.filter(service=service_id, day=day, number__in=["", *numbers]).order_by()
    return [CountedRow(*row) for row in wanted.values_list("number", "key", "country", "used", "money")]


def reserve(
    service_id: int, day: date, rows: Sequence[CountedRow], checks: Sequence[CapCheck]
) -> dict[str, int] | None:
    """Count `rows` if every check allows it: what each number has then, by its hash. None, and nothing is counted, if one does not.

    In the transaction of the caller, whose locks it adds to until that ends.
    """
    if connection.vendor != "postgresql":
        return _insert(service_id, day, rows, checks, share=1)
    own = sorted(one.lock(service_id, day) for one in checks if one.key is not None)
    common = sorted(one.lock(service_id, day) for one in checks if one.key is None)
    small = all(one.wanted <= one.cap * SMALL for one in checks if one.key is None)
    lane = "SELECT pg_advisory_xact_lock(%s); " * len(own)
    if not common:
        return _insert(service_id, day, rows, checks, share=1, before=lane, locks=own)
    if small:
        first = f"SAVEPOINT spend; {lane}" + "SELECT pg_advisory_xact_lock_shared(%s); " * len(common)
        done = _insert(service_id, day, rows, checks, share=SHARED, before=first, locks=[*own, *common])
        if done is not None:
            return done
        lane = f"ROLLBACK TO SAVEPOINT spend; {lane}"  # which gives the shared locks back
    first = lane + "SELECT pg_advisory_xact_lock(%s); " * len(common)
    return _insert(service_id, day, rows, checks, share=1, before=first, locks=[*own, *common])


def move(service_id: int, day: date, rows: Sequence[CountedRow]) -> dict[str, int]:
    """Count `rows`, which may be negative, without asking; nothing falls below zero."""
    return _insert(service_id, day, rows, (), share=1) or {}


def _insert(
    service_id: int,
    day: date,
    rows: Sequence[CountedRow],
    checks: Sequence[CapCheck],
    *,
    share: float,
    before: str = "",
    locks: Sequence[int] = (),
) -> dict[str, int] | None:
    """One journey. Rows in one order everywhere, so that two never wait for each other in a circle."""
    ordered = sorted(rows, key=lambda one: (one.number, one.key, one.country))
    listed = json.dumps([[one.number, one.key, one.country, one.used, one.money] for one in ordered])
    columns = ("number", "key", "country", "used", "money")
    kinds = ("text", "bigint", "text", "bigint", "bigint")
    if connection.vendor == "postgresql":
        picked = ", ".join(
            f"(v.value->>{at})::{kind} AS {name}"
            for at, (name, kind) in enumerate(zip(columns, kinds, strict=True))
        )
        source, most = f"SELECT {picked} FROM json_array_elements(%s::json) AS v(value)", "greatest"  # noqa: S608 - columns of ours, values bound
    else:
        picked = ", ".join(f"json_extract(value, '$[{at}]') AS {name}" for at, name in enumerate(columns))
        source, most = f"SELECT {picked} FROM json_each(%s)", "max"  # noqa: S608 - columns of ours, values bound
    allowed, asked = "", list[Any]()
    for one in checks:
        text, values = one.used_sql(service_id, day)
        allowed += f" AND ({text}) + %s <= %s"
        room = one.cap if one.key is not None else int(one.cap * share)
        asked += [*values, one.wanted, room]
    sets = ", ".join(f"{name} = {most}({TABLE}.{name} + excluded.{name}, 0)" for name in ("used", "money"))
    # what is given back and was never counted makes no row
    text = (
        f"INSERT INTO {TABLE} (service_id, day, number, key, country, used, money)"  # noqa: S608 - columns of ours, values bound
        f" SELECT %s, %s, s.number, s.key, s.country, s.used, s.money FROM ({source}) AS s"
        f" WHERE (s.used >= 0 OR EXISTS (SELECT 1 FROM {TABLE} t WHERE t.service_id = %s AND t.day = %s AND t.number = s.number"
        f" AND t.key = s.key AND t.country = s.country)){allowed}"
        f" ORDER BY s.number, s.key, s.country"
        f" ON CONFLICT (service_id, day, number, key, country) DO UPDATE SET {sets} RETURNING number, used"
    )
    values = [*locks, service_id, _stored(day), listed, service_id, _stored(day), *asked]
    with connection.cursor() as cursor:
        cursor.execute(before + text, values)
        for _ in range(before.count(";")):
            cursor.nextset()
        found = dict(cursor.fetchall())
    return found if found or not rows else None


def _stored(day: date) -> Any:
    return connection.ops.adapt_datefield_value(day)
