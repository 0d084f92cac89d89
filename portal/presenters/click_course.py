"""The clicks of a send over time, as a chart: by the clicks' own time, in the viewer's zone."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

from portal.presenters.charts import Chart, Stack, stacked
from sms.models import Click, Send
from sms.words import moment, number

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

VERDICTS = (Click.Verdict.HUMAN, Click.Verdict.MACHINE, Click.Verdict.UNSURE)
LEGEND: "list[tuple[str, StrOrPromise]]" = [
    (Click.Verdict.HUMAN.value, pgettext_lazy("clicks", "Human")),
    (Click.Verdict.MACHINE.value, pgettext_lazy("clicks", "Machine")),
    (Click.Verdict.UNSURE.value, pgettext_lazy("clicks", "Unsure")),
]
STEPS = (1, 2, 3, 6, 12, 24, 48, 168)  # hours of a column
COLUMNS = 48


def click_course(send: Send) -> Chart | None:
    """None without a click. However long clicks come, there are about as many columns; what is later than the last is counted in words."""
    rows = send.click_counts.filter(clicks__gt=0).order_by("hour").values_list("hour", "verdict", "clicks")
    clicks: dict[int, dict[str, int]] = defaultdict(dict)
    for hour, verdict, count in rows:
        clicks[hour][verdict] = count
    if not clicks:
        return None
    first, last = min(clicks), max(clicks)
    step = next((size for size in STEPS if (last - first) // size < COLUMNS), STEPS[-1])
    hours = list(range(first, min(last, first + step * COLUMNS - 1) + 1, step))
    parts: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for hour, by_verdict in clicks.items():
        for verdict, count in by_verdict.items():
            parts[(hour - first) // step][verdict] += count
    stacks = [_stack(hour, parts[place]) for place, hour in enumerate(hours)]
    later = sum(sum(one.values()) for place, one in parts.items() if place >= len(hours))
    return stacked(stacks, summary=_summary(parts, hours, step, later), legend=LEGEND)


def _stack(hour: int, parts: dict[str, int]) -> Stack:
    at = _moment(hour)
    said = ", ".join(_counted(verdict, parts[verdict]) for verdict in VERDICTS if parts[verdict])
    time = moment(at, "j M, H:i")
    none = _("no clicks")
    return Stack(time, f"{time}: {said or none}", [(one, parts[one]) for one in VERDICTS])


def _counted(verdict: Click.Verdict, count: int) -> str:
    words = {
        Click.Verdict.HUMAN: ngettext("%(n)s human", "%(n)s human", count),
        Click.Verdict.MACHINE: ngettext("%(n)s machine", "%(n)s machine", count),
        Click.Verdict.UNSURE: ngettext("%(n)s unsure", "%(n)s unsure", count),
    }
    return words[verdict] % {"n": number(count)}


def _summary(parts: dict[int, dict[str, int]], hours: list[int], step: int, later: int) -> str:
    most = max(range(len(hours)), key=lambda place: parts[place][Click.Verdict.HUMAN])
    said = [
        _by(step)
        % {"n": step // 24 if step % 24 == 0 else step, "zone": timezone.get_current_timezone_name()}
    ]
    if parts[most][Click.Verdict.HUMAN]:
        said.append(_("Most by people from %(time)s.") % {"time": moment(_moment(hours[most]), "j F, H:i")})
    if later:
        words = ngettext("%(n)s later ones are not drawn.", "%(n)s later ones are not drawn.", later)
        said.append(words % {"n": number(later)})
    return " ".join(said)


def _by(hours: int) -> str:
    """For `n` of hours or days, and a `zone`."""
    if hours % 24:
        return ngettext("Clicks by hour, in %(zone)s.", "Clicks by %(n)s hours, in %(zone)s.", hours)
    return ngettext("Clicks by day, in %(zone)s.", "Clicks by %(n)s days, in %(zone)s.", hours // 24)


def _moment(hour: int) -> datetime:
    return timezone.localtime(datetime.fromtimestamp(hour * 3600, UTC))
