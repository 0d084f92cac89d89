"""The facts made again from the ledger, and the two compared. Both see one moment; on PostgreSQL they block no writer."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from msgspec.structs import astuple

from sms.ledger.counters import CounterDeltas
from sms.models import Fact, FactDelta, FactFold, FactZone, Message, OptOut, SendFact, Service
from sms.models.fact import FIGURES
from sms.models.sql import id_windows
from sms.models.sql.clock import corrected_now
from sms.models.sql.facts import ledger_table as ledger
from sms.models.sql.facts.dialect import analyze, empty, snapshot
from sms.models.sql.facts.local_hours import local_hour
from sms.models.sql.facts.profiles import name_sends
from sms.models.sql.facts.projections import WAITING, fill_derived, projections
from sms.reports.facts.fold import fold, only_folder
from sms.reports.mail import move_to_zone
from sms.values.msisdn import country_of
from sms.values.time_zones import or_utc

STEP = 250_000  # ids of messages
Progress = Callable[[int], None]


class Busy(Exception):
    """Another process folds, rebuilds or compares just now."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where facts and ledger differ: a table, the row's keys, and a figure in facts and in the ledger."""

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


def rebuild(*, progress: Progress | None = None) -> int:
    """Delete the facts and make them from messages, clicks, opt-outs and what deleted messages left; returns messages read.

    Raises Busy. Deltas that were there go with them, because the messages say it all; new ones stay for the next fold. Days become
    those of each service's time zone, also where that was changed.
    """
    with only_folder() as mine:
        if not mine:
            raise Busy
        with snapshot(), ledger.ledger_table():
            for model in (Fact, SendFact, FactDelta):
                model.objects.all().delete()
            zones = FactZone.objects.in_bulk()
            FactZone.objects.all().delete()
            done = 0
            for count in _read_ledger(progress):
                done += count
                name_sends(ledger.TABLE)
                for projection in projections(local_hour(ledger.TABLE)):
                    if projection.from_messages:
                        projection.add(ledger.TABLE)
                empty(ledger.TABLE)
            analyze(Fact._meta.db_table)
            fill_derived()
            _move_mails(zones)
            now = corrected_now()
            FactFold.objects.update_or_create(pk=1, defaults={"folded_at": now, "rebuilt_at": now})
    return done


def zones_changed() -> bool:
    """Whether a service has another time zone than that in which its facts are counted."""
    same = FactZone.objects.filter(service_id=OuterRef("pk"))
    return Service.objects.filter(Exists(same.exclude(zone=OuterRef("time_zone")))).exists()


def _move_mails(zones: Mapping[int, FactZone]) -> None:
    """Reports by e-mail stay at their day and hour. `zones` were those of before."""
    for service in Service.objects.filter(pk__in=zones).defer(*Service.secrets()):
        if zones[service.pk].zone != service.time_zone:
            move_to_zone(service, or_utc(zones[service.pk].zone))


def compare() -> tuple[int, Difference | None]:
    """Messages read, and the first difference between facts (with what waits to be folded) and ledger. Raises Busy."""
    fold()
    with only_folder() as mine:
        if not mine:
            raise Busy
        with snapshot(), ledger.ledger_table():
            done = sum(_read_ledger())
            name_sends(FactDelta._meta.db_table)
            return done, next(_differences(), None)


def _read_ledger(progress: Progress | None = None) -> Iterator[int]:
    """Fill the ledger's table step by step; yields how many messages each step read."""
    ledger.add_deleted()
    _add_opt_outs()
    yield 0
    done = 0
    for start, after in id_windows.ascending(Message.objects.all(), width=STEP):
        stop = after - 1
        ledger.add_messages(start, stop)
        if not done:
            analyze(ledger.TABLE)  # all steps are much the same
        count = Message.objects.filter(pk__gte=start, pk__lte=stop).count()
        done += count
        if progress:
            progress(done)
        yield count


def _differences() -> Iterator[Difference]:
    for projection in projections(local_hour(ledger.TABLE, WAITING)):
        row = projection.first_difference()
        if row is None:
            continue
        place = {name: row[name] for name in projection.columns}
        for figure in FIGURES:
            in_facts, in_ledger = int(row[f"facts_{figure}"]), int(row[f"ledger_{figure}"])
            if in_facts != in_ledger:
                yield Difference(projection.table, place, figure, in_facts, in_ledger)


def _add_opt_outs() -> None:
    """The country of a number is found in Python."""
    deltas = CounterDeltas()
    rows = OptOut.objects.order_by().values_list("service_id", "send_id", "at", "msisdn", "country")
    for service_id, send_id, at, number, country in rows.iterator(chunk_size=10_000):
        deltas.opted_out(service_id, send_id, at, country or country_of(number))
    held = [(*astuple(key), *astuple(figures)) for key, figures in deltas.facts.items()]
    ledger.add_rows(held)
