"""The flight plan of a draft: what its page draws, and the same as JSON. The page itself is `portal.views.compose.edit.draft_review`."""

import time
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
from sms.compose import background, drafts
from sms.compose.errors import ComposeError
from sms.compose.order import Order
from sms.compose.survey import Survey
from sms.models import Draft, Service
from sms.sends import plan

HEAD_START = 1.2  # seconds that the press of a button may work on it itself, so that the next page has something to show
THINNEST = 1.0  # of 100: so that a few rows are still seen


@dataclass(frozen=True, slots=True)
class PlanBarPart:
    """A piece of a bar that is 100 wide. `kind` is its colour."""

    kind: str
    start: float
    width: float


def look_ahead(draft: Draft) -> None:
    """After a press of Review: raises ComposeError where the draft makes no send, as far as that is known within a moment."""
    try:
        worked_on(draft, HEAD_START)
    except drafts.NotReady:
        return  # the next page shows how far it is


def worked_on(draft: Draft, seconds: float) -> drafts.DraftTotals:
    """Its figures after some work on them, if there is any to do and nobody else is at it. Raises as `drafts.look` does."""
    until = time.monotonic() + seconds
    while True:
        looked: drafts.DraftTotals | drafts.NotReady
        try:
            looked = drafts.totals_of(draft, limits=upload_limits())
        except drafts.NotReady as problem:
            looked = problem
        waiting, left = looked.preparation, until - time.monotonic()
        if (
            waiting is None
            or not waiting.is_waiting
            or left <= 0
            or not background.work_on(waiting.pk, seconds=left)
        ):
            break
        if draft.version is not None:
            draft.version.refresh_from_db()
    if isinstance(looked, drafts.NotReady):
        raise looked
    return looked


@service_page("compose")
@require_safe
def draft_plan(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """What the plan page is drawn from, and what the API's `dry_run` answers for the same order."""
    found = get_object_or_404(drafts.with_related(service.drafts.select_related("service")), pk=pk)
    try:
        looked = worked_on(found, HEAD_START)
        if looked.figures is None or looked.stale:
            assert looked.preparation is not None, "few rows are checked at once"
            raise drafts.NotReady(looked.preparation)
        # whole numbers leave the desk only by whoever may export them
        masked = "export" not in request.may  # type: ignore[attr-defined]
        made = _made(request, looked.order, looked.figures, masked=masked)
    except ComposeError as problem:
        faults = [{"field": one.field, "detail": one.text} for one in problem.problems]
        return JsonResponse({"errors": faults}, status=422)
    return JsonResponse(plan.as_json(made))


def shown(request: HttpRequest, order: Order, figures: Survey) -> dict[str, Any]:
    """What the parts of the page need. A row without a message is said at the picker, beside the first row's request."""
    picked = request.GET.get("row", "")
    wrong = ""
    try:
        made = _made(request, order, figures, masked=True)
    except ComposeError as problem:
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
    order: Order,
    figures: Survey | None,
    *,
    masked: bool,
    first: bool = False,
) -> plan.Plan:
    row = request.GET.get("row", "")
    number = int(row) if not first and row.isascii() and row.isdecimal() and len(row) < 10 else None
    return plan.build_plan(
        order,
        now=timezone.now(),
        public_url=settings.PUBLIC_URL,
        row=number,
        figures=figures,
        masked=masked,
        user=request.user,
    )


def _bar(made: plan.Plan) -> list[PlanBarPart]:
    """Kept rows, then the removed ones reason by reason, together 100 wide."""
    sizes = [("kept", made.recipients), *((one.code, one.count) for one in made.removed)]
    widths = [max(100 * size / made.rows, THINNEST) for _, size in sizes]
    scale = 100 / sum(widths)
    parts: list[PlanBarPart] = []
    start = 0.0
    for index, width in enumerate(widths):
        kind = "kept" if index == 0 else f"removed r{(index - 1) % 4}"
        parts.append(PlanBarPart(kind, round(start, 2), round(width * scale, 2)))
        start += width * scale
    return parts


def _times(made: plan.Plan) -> list[PlanBarPart]:
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
        PlanBarPart("waiting", 0, begin),
        PlanBarPart("sending", begin, round(finish - begin, 2)),
        PlanBarPart("maybe", finish, round(100 - finish, 2)),
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
