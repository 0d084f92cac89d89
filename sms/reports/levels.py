"""Service levels: how long each step of a message took, day by day, and how much of the month's error budget is used."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from sms.models import Fact, Service
from sms.models.fact import FIGURES, MEASURES, TIMES
from sms.models.sql.replica import from_replica
from sms.reports.figures import FactSums
from sms.reports.query import EPOCH
from sms.values.histogram import within

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

DAYS = 30
STEPS: "Mapping[str, StrOrPromise]" = {
    "wait": _("Accepted → posted"),
    "submit": _("Posted → provider's answer"),
    "carrier": _("Posted → with the carrier"),
    "deliver": _("Posted → delivered"),
}


@dataclass(frozen=True, slots=True)
class Objective:
    """`share` of messages within `seconds`."""

    step: str
    seconds: float
    share: float


OBJECTIVES = (
    Objective("wait", 60.0, 0.99),
    Objective("submit", 5.0, 0.995),
    Objective("carrier", 60.0, 0.99),
    Objective("deliver", 300.0, 0.95),
)


@dataclass(frozen=True, slots=True)
class Budget:
    """An objective over all days: messages that were timed, those too late, and how many may be."""

    objective: Objective
    timed: int
    late: int

    @property
    def allowed(self) -> float:
        """Late messages that the objective lets pass."""
        return self.timed * (1 - self.objective.share)

    @property
    def met(self) -> float | None:
        """Share in time; None where nothing was timed."""
        return (self.timed - self.late) / self.timed if self.timed else None

    @property
    def left(self) -> float | None:
        """Share of the budget that is left; below 0 where it is overdrawn."""
        return 1 - self.late / self.allowed if self.timed else None


@dataclass(slots=True)
class ServiceLevelDay:
    day: date
    figures: FactSums = field(default_factory=FactSums)


@dataclass(frozen=True, slots=True)
class Levels:
    days: Sequence[ServiceLevelDay]
    total: FactSums
    budgets: Sequence[Budget]


@from_replica
def levels(service: Service, *, now: datetime) -> Levels:
    """Days are those of the clock by which its facts are counted."""
    today = (now.astimezone(ZoneInfo(service.facts_clock)).date() - EPOCH).days
    found: dict[int, FactSums] = defaultdict(FactSums)
    rows = Fact.objects.filter(
        service_id=service.pk,
        grain=Fact.Grain.DAY,
        cut=Fact.Cut.WHOLE,
        profile_id=0,  # as the index begins
        measure__in=MEASURES,
        at__gt=today - DAYS,
        at__lte=today,
    ).order_by()
    columns = ("at", "measure", "word", "code", "bucket", *FIGURES)
    for at, measure, word, code, bucket, *figures in rows.values_list(*columns):
        if measure in TIMES:
            found[at].time(measure, bucket, figures[0])
        else:
            found[at].add(measure, word, code, figures)
    total = FactSums()
    for figures in found.values():
        total.plus(figures)
    shown = range(today - DAYS + 1, today + 1)
    every = [ServiceLevelDay(EPOCH + timedelta(days=at), found.get(at, FactSums())) for at in shown]
    return Levels(every, total, [_budget(total, one) for one in OBJECTIVES])


def _budget(total: FactSums, objective: Objective) -> Budget:
    timed = total.timed(objective.step)
    in_time = within((total.times or {}).get(objective.step, {}), objective.seconds)
    return Budget(objective, timed, timed - in_time)


def measured() -> list[tuple[int, str, str, int, int]]:
    """Service, measure, word, bucket and messages of all that was ever counted, for a machine that draws its own curves."""
    rows = Fact.objects.filter(
        grain=Fact.Grain.BLOCK,
        cut=Fact.Cut.WHOLE,
        profile_id=0,
        measure__in=("state", "click", "opt_out", *TIMES),
    ).order_by("service_id", "measure", "word", "bucket")
    grouped = rows.values_list("service_id", "measure", "word", "bucket").annotate(total=Sum("messages"))
    return [row for row in grouped if row[-1]]
