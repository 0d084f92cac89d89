"""The flight plan of a draft: what its page draws, and the same as JSON. The page itself is `portal.views.compose.draft_review`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.access import service_page
from portal.limits import upload_limits
from sms import compose, drafts, plan
from sms.models import Service

THINNEST = 1.0  # of 100: so that a few rows are still seen


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar that is 100 wide. `kind` is its colour."""

    kind: str
    start: float
    width: float


@service_page("compose")
@require_safe
def draft_plan(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """What the plan page is drawn from, and what the API's `dry_run` answers for the same order."""
    found = get_object_or_404(service.drafts.select_related("service__region", "upload", "audience"), pk=pk)
    try:
        order = drafts.order_of(found, limits=upload_limits())
        # whole numbers leave the desk only by whoever may export them
        made = _made(request, order, None, masked="export" not in request.may)  # type: ignore[attr-defined]
    except compose.ComposeError as problem:
        faults = [{"field": one.field, "detail": one.text} for one in problem.problems]
        return JsonResponse({"errors": faults}, status=422)
    return JsonResponse(plan.as_json(made))


def shown(request: HttpRequest, order: compose.Order, figures: compose.Survey) -> dict[str, Any]:
    """What the parts of the page need. A row without a message is said at the picker, beside the first row's request."""
    picked = request.GET.get("row", "")
    wrong = ""
    try:
        made = _made(request, order, figures, masked=True)
    except compose.ComposeError as problem:
        wrong = str(problem)
        made = _made(request, order, figures, masked=True, first=True)
    return {
        "plan": made,
        "kept_bar": _bar(made),
        "time_bar": _times(made),
        "wait": made.start_at and words(made.start_at, made.made_at),
        "takes": made.start_at and made.finish_at and words(made.finish_at, made.start_at),
        "latest": made.finish_latest_at if made.finish_latest_at != made.finish_at else None,
        "picked": picked[:12],
        "picked_wrong": wrong,
    }


def _made(
    request: HttpRequest,
    order: compose.Order,
    figures: compose.Survey | None,
    *,
    masked: bool,
    first: bool = False,
) -> plan.Plan:
    row = request.GET.get("row", "")
    number = int(row) if not first and row.isascii() and row.isdecimal() and len(row) < 10 else None
    return plan.made(
        order,
        now=timezone.now(),
        public_url=settings.PUBLIC_URL,
        row=number,
        figures=figures,
        masked=masked,
    )


def _bar(made: plan.Plan) -> list[Part]:
    """Kept rows, then the removed ones reason by reason, together 100 wide."""
    sizes = [("kept", made.recipients), *((one.code, one.count) for one in made.removed)]
    widths = [max(100 * size / made.rows, THINNEST) for _, size in sizes]
    scale = 100 / sum(widths)
    parts: list[Part] = []
    start = 0.0
    for index, width in enumerate(widths):
        kind = "kept" if index == 0 else f"removed r{(index - 1) % 4}"
        parts.append(Part(kind, round(start, 2), round(width * scale, 2)))
        start += width * scale
    return parts


def _times(made: plan.Plan) -> list[Part]:
    """From now to the end: waiting, sending, and the stretch that only a slow ramp takes."""
    if made.start_at is None or made.finish_at is None:
        return []
    end = made.finish_latest_at or made.finish_at
    whole = max((end - made.made_at).total_seconds(), 1.0)

    def at(moment: datetime) -> float:
        return round(min(max(100 * (moment - made.made_at).total_seconds() / whole, 0), 100), 2)

    begin, finish = at(made.start_at), max(at(made.finish_at), THINNEST)
    begin = min(begin, finish - THINNEST)
    return [
        Part("waiting", 0, begin),
        Part("sending", begin, round(finish - begin, 2)),
        Part("maybe", finish, round(100 - finish, 2)),
    ]


def words(later: datetime, earlier: datetime) -> str:
    """A stretch of time, to two units; empty for less than a second."""
    seconds = round((later - earlier).total_seconds())
    if seconds < 1:
        return ""
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} days {hours} h" if hours else f"{days} days"
