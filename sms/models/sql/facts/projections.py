"""From rows by send and place to the tables that reports read: one SELECT for each cut and grain.

A source is a table, or a SELECT in brackets, with the columns of `FactDelta`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from sms.models.fact import FIGURES, HOURS, MEASURES, TIMED, TIMES, TIMES_FROM, TIMES_OF_ALL, Fact, FactDelta
from sms.models.sql.facts.from_messages import NOT_POSTED_LIST
from sms.models.sql.facts.ledger_table import TABLE as LEDGER
from sms.models.sql.facts.local_hours import SENDS, SERVICE

# what is simulated counts nowhere; folding deletes its deltas
WAITING = f"""(
    SELECT * FROM {FactDelta._meta.db_table} AS w
    WHERE NOT EXISTS (SELECT 1 FROM sms_send s WHERE s.id = w.send_id AND s.simulated)
)"""
_COUNTED = ("measure", "word", "code", "bucket")
_FIGURES = ", ".join(FIGURES)
_SUMS = ", ".join(f"sum(d.{name}) AS {name}" for name in FIGURES)
_NOT_NOTHING = " OR ".join(f"sum(d.{name}) <> 0" for name in FIGURES)
_NOTHING = " AND ".join(f"{name} = 0" for name in FIGURES)
_TIMES = ", ".join(f"'{measure}'" for measure in TIMES)
_TIMES_OF_ALL = ", ".join(f"'{measure}'" for measure in TIMES_OF_ALL)
_POSTED = f"measure = 'state' AND word NOT IN ({NOT_POSTED_LIST})"
_AS_POSTED = {"measure": "'posted'", "word": "''", "code": "''", "bucket": "0"}
# columns of a fact in a SELECT from a source `d` and the sends `r`
_PROFILE = "coalesce(r.profile_id, 0)"
# what no finer facts hold: times are by the hour for the whole service only
_FROM_MESSAGES = (
    *((Fact.Grain.HOUR, Fact.Cut.WHOLE), (Fact.Grain.HOUR, Fact.Cut.FULL)),
    *((Fact.Grain.DAY, Fact.Cut.PROFILE), (Fact.Grain.DAY, Fact.Cut.PLACE)),
)


@dataclass(frozen=True, slots=True)
class Projection:
    """One way to sum the rows of a source. `columns` are the keys of `table` and the expressions that fill them."""

    table: str
    columns: dict[str, str]
    where: str  # which rows of the source
    stored_where: str  # which rows of the table belong to it
    # whether a rebuild sums it from messages; the others are sums of those (`fill_derived`)
    from_messages: bool = True

    @property
    def keys(self) -> str:
        return ", ".join(self.columns)

    def select(self, source: str) -> str:
        """Keys and sums, without rows that are all zero."""
        columns = ", ".join(f"{expression} AS {name}" for name, expression in self.columns.items())
        return f"""
            SELECT {columns}, {_SUMS} FROM {source} AS d {SENDS}
            WHERE {self.where} GROUP BY {_grouped(self.columns)} HAVING {_NOT_NOTHING}
        """

    def add(self, source: str) -> None:
        sums = ", ".join(f"{name} = {self.table}.{name} + excluded.{name}" for name in FIGURES)
        with connection.cursor() as cursor:
            cursor.execute(f"""
                INSERT INTO {self.table} ({self.keys}, {_FIGURES}) {self.select(source)}
                ON CONFLICT ({self.keys}) DO UPDATE SET {sums}
            """)

    def first_difference(self) -> dict[str, Any] | None:
        """The first row in which the table with what waits to be folded and the ledger differ.

        Its keys, and each figure twice: `facts_messages` and `ledger_messages`.
        """
        facts = ", ".join(f"{name} AS facts_{name}, 0 AS ledger_{name}" for name in FIGURES)
        ledger = ", ".join(f"0 AS facts_{name}, {name} AS ledger_{name}" for name in FIGURES)
        sums = ", ".join(
            f"sum({side}_{name}) AS {side}_{name}" for name in FIGURES for side in ("facts", "ledger")
        )
        differs = " OR ".join(f"sum(facts_{name}) <> sum(ledger_{name})" for name in FIGURES)
        with connection.cursor() as cursor:
            cursor.execute(f"""
                SELECT {self.keys}, {sums}
                FROM (
                    SELECT {self.keys}, {facts} FROM {self.table} WHERE {self.stored_where}
                    UNION ALL SELECT {self.keys}, {facts} FROM ({self.select(WAITING)}) AS waiting
                    UNION ALL SELECT {self.keys}, {ledger} FROM ({self.select(LEDGER)}) AS by_ledger
                ) AS both_sides
                GROUP BY {self.keys} HAVING {differs} ORDER BY {self.keys} LIMIT 1
            """)
            row = cursor.fetchone()
            return row and dict(zip([column[0] for column in cursor.description], row, strict=True))


def _grouped(columns: dict[str, str]) -> str:
    return ", ".join(dict.fromkeys(one for one in columns.values() if one[0] not in "'0123456789"))


def projections(hour: str) -> Iterator[Projection]:
    """`hour` is the expression of `local_hours` for the sources they are used with."""
    for grain in HOURS:
        for cut in Fact.Cut:
            yield _of_service(grain, cut, hour)
    counted = {name: f"d.{name}" for name in _COUNTED}
    yield Projection(
        table="sms_sendfact",
        columns={"send_id": "d.send_id", **counted},
        where=f"d.send_id > 0 AND d.measure NOT IN ({_TIMES_OF_ALL})"
        f" AND (r.recipients >= {TIMES_FROM} OR d.measure NOT IN ({_TIMES}))",
        stored_where="measure <> 'posted'",
    )
    yield Projection(
        table="sms_sendfact",
        columns={"send_id": "d.send_id", **_AS_POSTED, "code": "d.country"},
        where=f"d.send_id > 0 AND {_POSTED}",
        stored_where="measure = 'posted'",
    )


def _of_service(grain: Fact.Grain, cut: Fact.Cut, hour: str) -> Projection:
    hours = HOURS[grain]
    if cut == Fact.Cut.PRICED:
        where, counted = _POSTED, _AS_POSTED
    else:
        left_out = _TIMES_OF_ALL if cut in TIMED[grain] else _TIMES
        where = "1 = 1" if cut == Fact.Cut.WHOLE else f"d.measure NOT IN ({left_out})"
        counted = {name: f"d.{name}" for name in _COUNTED}
    return Projection(
        table="sms_fact",
        columns={
            "service_id": SERVICE,
            "grain": f"'{grain.value}'",
            "cut": str(cut.value),
            "at": hour if hours == 1 else f"{hour} / {hours}",
            "profile_id": _PROFILE if cut.by_profile else "0",
            "country": "d.country" if cut.by_country else "''",
            "carrier": "d.carrier" if cut.by_carrier else "''",
            **counted,
        },
        where=where,
        stored_where=f"grain = '{grain.value}' AND cut = {cut.value}",
        from_messages=(grain, cut) in _FROM_MESSAGES,
    )


def fill_derived() -> None:
    """Sum all other facts from those that are `from_messages`; call it while there are none of them."""
    hour, day, block = Fact.Grain.HOUR, Fact.Grain.DAY, Fact.Grain.BLOCK
    _derive(hour, Fact.Cut.PROFILE, from_grain=hour, from_cut=Fact.Cut.FULL)
    _derive(hour, Fact.Cut.PLACE, from_grain=hour, from_cut=Fact.Cut.FULL)
    _derive(hour, Fact.Cut.PRICED, from_grain=hour, from_cut=Fact.Cut.FULL)
    _derive(day, Fact.Cut.WHOLE, from_grain=hour, from_cut=Fact.Cut.WHOLE)
    _derive(day, Fact.Cut.FULL, from_grain=hour, from_cut=Fact.Cut.FULL)
    _derive(day, Fact.Cut.PRICED, from_grain=hour, from_cut=Fact.Cut.PRICED)
    for cut in Fact.Cut:
        _derive(block, cut, from_grain=day, from_cut=cut)


def _derive(grain: Fact.Grain, cut: Fact.Cut, *, from_grain: Fact.Grain, from_cut: Fact.Cut) -> None:
    """Sum one cut and grain from a finer one."""
    newly_priced = cut == Fact.Cut.PRICED != from_cut
    columns = {
        "service_id": "service_id",
        "grain": f"'{grain.value}'",
        "cut": str(cut.value),
        "at": f"at / {HOURS[grain] // HOURS[from_grain]}",
        "profile_id": "profile_id" if cut.by_profile else "0",
        "country": "country" if cut.by_country else "''",
        "carrier": "carrier" if cut.by_carrier else "''",
        **(_AS_POSTED if newly_priced else {name: name for name in _COUNTED}),
    }
    with connection.cursor() as cursor:
        cursor.execute(f"""
            INSERT INTO sms_fact ({", ".join(columns)}, {_FIGURES})
            SELECT {", ".join(columns.values())}, {_SUMS} FROM sms_fact d
            WHERE grain = '{from_grain.value}' AND cut = {from_cut.value}{f" AND {_POSTED}" if newly_priced else ""}
            GROUP BY {_grouped(columns)} HAVING {_NOT_NOTHING}
        """)


@dataclass(frozen=True, slots=True)
class _Touched:
    service_id: int
    profile_id: int
    first_hour: int
    last_hour: int


def delete_zeros(source: str, hour: str) -> None:
    """Delete facts that are all zero where the rows of `source` were added: states that no message is in any more."""
    with connection.cursor() as cursor:
        cursor.execute(f"""
            SELECT {SERVICE}, {_PROFILE}, min({hour}), max({hour}) FROM {source} AS d {SENDS}
            GROUP BY {SERVICE}, {_PROFILE}
        """)
        touched = [_Touched(*row) for row in cursor.fetchall()]
        for service_id in {one.service_id for one in touched}:
            here = [one for one in touched if one.service_id == service_id]
            profiles = ", ".join(str(one.profile_id) for one in here)
            first, last = min(one.first_hour for one in here), max(one.last_hour for one in here)
            for by_profile, ids in ((False, "0"), (True, profiles)):
                cuts = ", ".join(str(cut.value) for cut in Fact.Cut if cut.by_profile == by_profile)
                for grain, hours in HOURS.items():
                    # every column up to `at` is named, so that the index is used that far
                    cursor.execute(
                        f"""
                        DELETE FROM sms_fact
                        WHERE service_id = %s AND grain = %s AND cut IN ({cuts}) AND profile_id IN ({ids})
                              AND measure IN ({", ".join(f"'{measure}'" for measure in MEASURES)})
                              AND at BETWEEN %s AND %s AND {_NOTHING}
                        """,
                        [service_id, grain.value, first // hours, last // hours],
                    )
        cursor.execute(
            f"DELETE FROM sms_sendfact WHERE send_id IN (SELECT d.send_id FROM {source} AS d) AND {_NOTHING}"
        )
