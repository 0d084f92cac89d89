"""The clicks of a send over time, as a chart: by the clicks' own time, in the viewer's zone."""

from collections import defaultdict
from datetime import UTC, datetime

from django.utils import timezone

from portal.presenters.charts import Chart, Stack, stacked
from sms.models import Click, Send

VERDICTS = (Click.Verdict.HUMAN, Click.Verdict.MACHINE, Click.Verdict.UNSURE)
LEGEND = [(verdict.value, str(verdict.label)) for verdict in VERDICTS]
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
    said = ", ".join(f"{parts[verdict]:,} {verdict.label.lower()}" for verdict in VERDICTS if parts[verdict])
    at = _moment(hour)
    return Stack(
        f"{at:%-d %b, %H:%M}",
        f"{at:%-d %b, %H:%M}: {said or 'no clicks'}",
        [(one, parts[one]) for one in VERDICTS],
    )


def _summary(parts: dict[int, dict[str, int]], hours: list[int], step: int, later: int) -> str:
    most = max(range(len(hours)), key=lambda place: parts[place][Click.Verdict.HUMAN])
    by = (
        "hour"
        if step == 1
        else f"{step} hours"
        if step % 24
        else "day"
        if step == 24
        else f"{step // 24} days"
    )
    said = f"Clicks by {by}, in {timezone.get_current_timezone_name()}."
    if parts[most][Click.Verdict.HUMAN]:
        said += f" Most by people from {_moment(hours[most]):%-d %B, %H:%M}."
    return f"{said} {later:,} later ones are not drawn." if later else said


def _moment(hour: int) -> datetime:
    return timezone.localtime(datetime.fromtimestamp(hour * 3600, UTC))
