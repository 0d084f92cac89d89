"""What the review page draws of a flight plan: its bars, its times in words, and the row that is picked as the example."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.forms.numbers import row_of
from portal.presenters.bars import BarPart, bar
from sms.compose.errors import ComposeError
from sms.compose.order import Order
from sms.compose.survey import Survey
from sms.models.sql.clock import corrected_now
from sms.sends import plan

THINNEST = 1.0  # of 100: so that a few rows are still seen


def flight_plan(request: HttpRequest, order: Order, figures: Survey) -> dict[str, Any]:
    """What the parts of the page need. A row without a message is said at the picker, beside the first row's request."""
    wrong = ""
    try:
        made = plan_of(request, order, figures, masked=True)
    except ComposeError as problem:
        wrong = str(problem)
        made = plan_of(request, order, figures, masked=True, first=True)
    removed = [(f"removed r{index % 4}", one.count) for index, one in enumerate(made.rejects)]
    return {
        "plan": made,
        "kept_bar": bar([("kept", made.recipient_count), *removed], whole=made.rows, thinnest=THINNEST),
        "time_bar": _times(made),
        "wait": stretch_between(made.start_at, made.created_at),
        "takes": stretch_between(made.finish_at, made.start_at),
        "latest": made.finish_latest_at if made.finish_latest_at != made.finish_at else None,
        "picked": request.GET.get("row", "")[:12],
        "picked_wrong": wrong,
    }


def plan_of(
    request: HttpRequest, order: Order, figures: Survey | None, *, masked: bool, first: bool = False
) -> plan.Plan:
    """The plan with the request's row as its example, or with the first one. `masked`: numbers without their middle."""
    return plan.build_plan(
        order,
        now=corrected_now(),
        public_url=settings.PUBLIC_URL,
        row=None if first else row_of(request.GET, "row"),
        figures=figures,
        masked=masked,
        user=request.user,
    )


def _times(made: plan.Plan) -> list[BarPart]:
    """From now to the end: waiting, sending, and the stretch that only a slow ramp takes."""
    if made.start_at is None or made.finish_at is None:
        return []
    end = made.finish_latest_at or made.finish_at
    whole = max((end - made.created_at).total_seconds(), 1.0)

    def at(moment: datetime) -> float:
        return round(min(max(100 * (moment - made.created_at).total_seconds() / whole, 0), 100), 2)

    begin, finish = at(made.start_at), max(at(made.finish_at), THINNEST)
    begin = min(begin, finish - THINNEST)
    return [
        BarPart("waiting", 0, begin),
        BarPart("sending", begin, round(finish - begin, 2)),
        BarPart("maybe", finish, round(100 - finish, 2)),
    ]


def stretch_between(later: datetime | None, earlier: datetime | None) -> str:
    """A stretch of time, to two units; empty for less than a second, and where one of the two is not known."""
    if later is None or earlier is None:
        return ""
    seconds = round((later - earlier).total_seconds())
    if seconds < 1:
        return ""
    if seconds < 90:
        return _("%(n)s s") % {"n": seconds}
    if (minutes := round(seconds / 60)) < 90:
        return _("%(n)s min") % {"n": minutes}
    if minutes < 48 * 60:
        hours, minutes = divmod(minutes, 60)
        words = _("%(hours)s h %(minutes)s min") if minutes else _("%(hours)s h")
        return words % {"hours": hours, "minutes": minutes}
    days, hours = divmod(round(seconds / 3600), 24)
    if hours:
        words = ngettext("%(days)s days %(hours)s h", "%(days)s days %(hours)s h", days)
    else:
        words = ngettext("%(days)s days", "%(days)s days", days)
    return words % {"days": days, "hours": hours}
