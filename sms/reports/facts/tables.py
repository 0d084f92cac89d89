"""From deltas by send and place to the tables that reports read: one SELECT for each cut and grain."""

from collections.abc import Iterator
from dataclasses import dataclass

from sms.ledger.counters import FACT_FIGURES, NOT_POSTED
from sms.models import Fact, ReportedSend, SendFact
from sms.models.fact import HOURS, TIMED, TIMES, TIMES_OF_ALL

TIMES_FROM = 20  # recipients: a percentile of fewer says nothing
_SUMS = ", ".join(f"sum(d.{name}) AS {name}" for name in FACT_FIGURES)
_ANY = " OR ".join(f"sum(d.{name}) <> 0" for name in FACT_FIGURES)
_TIMES = ", ".join(f"'{measure}'" for measure in TIMES)
_OF_ALL = ", ".join(f"'{measure}'" for measure in TIMES_OF_ALL)
_KEPT_BACK = ", ".join(f"'{state.value}'" for state in sorted(NOT_POSTED))
_POSTED = f"d.measure = 'state' AND d.word NOT IN ({_KEPT_BACK})"
_SERVICE = "coalesce(r.service_id, d.service_id)"
_COUNTED = ("measure", "word", "code", "bucket")
# what no finer facts hold: times are by the hour for the whole service only
BY_THEMSELVES = (
    *((Fact.Grain.HOUR, Fact.Cut.WHOLE), (Fact.Grain.HOUR, Fact.Cut.FULL)),
    *((Fact.Grain.DAY, Fact.Cut.PROFILE), (Fact.Grain.DAY, Fact.Cut.PLACE)),
)
_OF_FACT = ("service_id", "grain", "cut", "at", "profile_id", "country", "carrier", *_COUNTED)
_HOUR = "CASE WHEN d.hour = 0 THEN r.hour ELSE d.hour END"


@dataclass(frozen=True, slots=True)
class Projection:
    """One way to sum deltas. `keys` are the columns of `table` that tell its rows apart, `chosen` what fills them."""

    table: str
    keys: tuple[str, ...]
    chosen: tuple[str, ...]
    grouped: tuple[str, ...]
    where: str
    held: str  # which rows of the table are of this projection
    by_itself: bool = (
        True  # whether a rebuild sums it from messages; the others are sums of those (`derived`)
    )

    def select(self, source: str) -> str:
        """Sums of a table, or of a SELECT in brackets, that has the columns of a delta; nothing that comes to nought."""
        return (
            f"SELECT {', '.join(f'{what} AS {key}' for key, what in zip(self.keys, self.chosen, strict=True))}, {_SUMS}"  # noqa: S608
            f" FROM {source} AS d LEFT JOIN {ReportedSend._meta.db_table} r ON r.send_id = d.send_id"
            f" WHERE {self.where} GROUP BY {', '.join(self.grouped)} HAVING {_ANY}"
        )

    def add(self, source: str) -> str:
        """The statement that adds them to the table."""
        sums = ", ".join(f"{name} = {self.table}.{name} + excluded.{name}" for name in FACT_FIGURES)
        return (
            f"INSERT INTO {self.table} ({', '.join(self.keys)}, {', '.join(FACT_FIGURES)}) {self.select(source)}"
            f" ON CONFLICT ({', '.join(self.keys)}) DO UPDATE SET {sums}"
        )

    def stored(self) -> str:
        """What the table has of it."""
        return f"SELECT {', '.join(self.keys)}, {', '.join(FACT_FIGURES)} FROM {self.table} WHERE {self.held}"  # noqa: S608


def projections() -> Iterator[Projection]:
    """All of them."""
    counted = tuple(f"d.{name}" for name in _COUNTED)
    for grain, hours in HOURS.items():
        at = _HOUR if hours == 1 else f"({_HOUR}) / {hours}"
        for cut in Fact.Cut:
            if cut == Fact.Cut.PRICED:
                yield _priced(grain, at)
                continue
            profile = "coalesce(r.profile_id, 0)" if cut.by_profile else ""
            placed = ("d.country", "d.carrier") if cut in (Fact.Cut.PLACE, Fact.Cut.FULL) else ("", "")
            told = (_SERVICE, at, profile, *placed)
            left_out = _OF_ALL if cut in TIMED[grain] else _TIMES
            # rows that an earlier version made are nobody's, until a rebuild takes them out
            but = "" if cut == Fact.Cut.WHOLE else f" AND measure NOT IN ({_OF_ALL})"
            yield Projection(
                table=Fact._meta.db_table,
                keys=_OF_FACT,
                chosen=(
                    *(told[0], f"'{grain.value}'", str(cut.value), at, profile or "0"),
                    *(place or "''" for place in placed),
                    *counted,
                ),
                grouped=(*(part for part in told if part), *counted),
                where="1 = 1" if cut == Fact.Cut.WHOLE else f"d.measure NOT IN ({left_out})",
                held=f"grain = '{grain.value}' AND cut = {cut.value}{but}",
                by_itself=(grain, cut) in BY_THEMSELVES,
            )
    yield Projection(
        table=SendFact._meta.db_table,
        keys=("send_id", *_COUNTED),
        chosen=("d.send_id", *counted),
        grouped=("d.send_id", *counted),
        where=f"d.send_id > 0 AND d.measure NOT IN ({_OF_ALL}) AND (r.recipients >= {TIMES_FROM} OR d.measure NOT IN ({_TIMES}))",
        held=f"measure NOT IN ('posted', {_OF_ALL})",
    )
    yield Projection(
        table=SendFact._meta.db_table,
        keys=("send_id", *_COUNTED),
        chosen=("d.send_id", "'posted'", "''", "d.country", "0"),
        grouped=("d.send_id", "d.country"),
        where=f"d.send_id > 0 AND {_POSTED}",
        held="measure = 'posted'",
    )


def _priced(grain: Fact.Grain, at: str) -> Projection:
    """What was posted, whatever became of it."""
    cut = Fact.Cut.PRICED.value
    return Projection(
        table=Fact._meta.db_table,
        keys=_OF_FACT,
        chosen=(
            *(_SERVICE, f"'{grain.value}'", str(cut), at, "coalesce(r.profile_id, 0)", "d.country", "''"),
            *("'posted'", "''", "''", "0"),
        ),
        grouped=(_SERVICE, at, "coalesce(r.profile_id, 0)", "d.country"),
        where=_POSTED,
        held=f"grain = '{grain.value}' AND cut = {cut}",
        by_itself=False,
    )


def derived() -> Iterator[str]:
    """The statements that make all other facts from those that are summed by themselves, in this order, into an empty place."""
    hour, day, block = Fact.Grain.HOUR, Fact.Grain.DAY, Fact.Grain.BLOCK
    yield _derived(hour, Fact.Cut.PROFILE, hour, Fact.Cut.FULL)
    yield _derived(hour, Fact.Cut.PLACE, hour, Fact.Cut.FULL)
    yield _derived(hour, Fact.Cut.PRICED, hour, Fact.Cut.FULL)
    yield _derived(day, Fact.Cut.WHOLE, hour, Fact.Cut.WHOLE)
    yield _derived(day, Fact.Cut.FULL, hour, Fact.Cut.FULL)
    yield _derived(day, Fact.Cut.PRICED, hour, Fact.Cut.PRICED)
    for cut in Fact.Cut:
        yield _derived(block, cut, day, cut)


def _derived(grain: Fact.Grain, cut: Fact.Cut, of: Fact.Grain, and_cut: Fact.Cut) -> str:
    """One cut and grain from a finer one."""
    table, posted = Fact._meta.db_table, cut == Fact.Cut.PRICED and and_cut != Fact.Cut.PRICED
    at = f"at / {HOURS[grain] // HOURS[of]}"
    profile = "profile_id" if cut.by_profile else "0"
    country = "country" if cut not in (Fact.Cut.WHOLE, Fact.Cut.PROFILE) else "''"
    carrier = "carrier" if cut in (Fact.Cut.PLACE, Fact.Cut.FULL) else "''"
    counted = ("'posted'", "''", "''", "0") if posted else _COUNTED
    chosen = ("service_id", f"'{grain.value}'", str(cut.value), at, profile, country, carrier, *counted)
    grouped = [what for what in dict.fromkeys(chosen) if what[0] not in "'0123456789"]
    which = f" AND measure = 'state' AND word NOT IN ({_KEPT_BACK})" if posted else ""
    return (
        f"INSERT INTO {table} ({', '.join((*_OF_FACT, *FACT_FIGURES))})"  # noqa: S608 - our own words
        f" SELECT {', '.join(chosen)}, {_SUMS} FROM {table} d WHERE grain = '{of.value}' AND cut = {and_cut.value}{which}"
        f" GROUP BY {', '.join(grouped)} HAVING {_ANY}"
    )
