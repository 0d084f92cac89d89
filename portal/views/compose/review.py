"""Review: the flight plan of a draft before it is sent. Many rows are checked in the background first; until that is done the page shows
its progress, and the draft can be edited.
"""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from portal.access import FORM, WRITE, actor, service_page
from portal.forms.numbers import row_of
from portal.limits import upload_limits
from portal.presenters.comments_card import comments_card
from portal.presenters.downloads import csv_download
from portal.presenters.file_findings import lines_of
from portal.presenters.first_rows import differences
from portal.presenters.flight_plan import flight_plan, plan_of
from portal.views.button_base import error
from portal.views.compose import leave_out
from portal.views.compose.page_base import check_passing_on, last_tests, refused
from portal.views.compose.used_drafts import in_use
from portal.views.compose.work_base import ACTS, HEAD_START, figures_within
from sms.compose import drafts
from sms.compose.errors import ComposeError
from sms.ledger.slices import RAMP_FROM
from sms.models import Draft, Preparation, Service
from sms.models.audit import audit
from sms.sends import holds, plan
from sms.values.problems import ProblemCode

PREVIEWED = 5
SHOWN_REJECTS = 20
SHOWN_ROWS = 10  # good and bad ones, while a file is read


def _find(service: Service, pk: int) -> Draft:
    return get_object_or_404(drafts.with_related(service.drafts.select_related("service")), pk=pk)


@service_page("compose", FORM)
def draft_review(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    found = _find(service, pk)
    if not found.is_open:
        return in_use(request, found)
    try:
        check_passing_on(request, found, found.numbers_withheld)
        if request.method == "POST":
            return _sent(request, service, found)
        looked = drafts.totals_of(found, limits=upload_limits())
    except drafts.NotReady as waiting:
        return render(request, "compose/preparing.html", _preparing(found, waiting.preparation))
    except ComposeError as problem:
        return refused(request, service, found, problem)
    if looked.figures is None:
        assert looked.preparation is not None, "few rows are checked at once"
        return render(request, "compose/preparing.html", _preparing(found, looked.preparation))
    return render(request, "compose/review.html", _review(request, found, looked))


def _sent(request: HttpRequest, service: Service, found: Draft) -> HttpResponse:
    """Sends; where the rows are not checked yet, or the same was sent before, the page says so instead. Kinds of numbers that were
    chosen on the page just before count as well, and the figures that follow are seen before anything is sent."""
    seen = row_of(request.POST, "revision")
    wanted = leave_out.chosen(request, found)
    if wanted != found.leave_out and seen == found.revision:
        says = _(
            "Nothing is sent yet. You changed which numbers are left out: look at the new figures, then send."
        )
        return leave_out.keep(request, found, wanted, says=says)
    try:
        send = drafts.send_draft(
            found,
            by=actor(request),
            limits=upload_limits(),
            again="again" in request.POST,
            seen=seen,
        )
    except drafts.NotReady:
        messages.info(request, _("Its rows are still being checked. Send it once the figures are here."))
    except ComposeError as problem:
        if problem.code not in (ProblemCode.ALREADY_SENT, ProblemCode.CHANGED):
            raise
        error(problem).on(request)
    else:
        return redirect("send", service=service.slug, pk=send.pk)
    return redirect("draft_review", service=service.slug, pk=found.pk)


def _review(request: HttpRequest, found: Draft, looked: drafts.DraftTotals) -> dict[str, Any]:
    figures = looked.figures
    assert figures is not None
    lines = figures.head[:PREVIEWED]
    lines += [line for line in figures.longest[:1] if line not in lines]
    return {
        "draft": found,
        "figures": figures,
        "recipients": figures.recipients,
        "rejected": figures.rejected,
        "previews": lines,
        "found_lines": [one for one in lines_of(looked.order.audience.findings) if one.warns],
        "rejects": figures.bad[:SHOWN_REJECTS],
        "differs": differences(figures.bad[:SHOWN_REJECTS], looked.order, found),
        "ramps": figures.recipients >= RAMP_FROM,
        "holds": [
            hold for part in (found.sender, found.link_domain) if part and (hold := holds.hold_on(part))
        ],
        "tests": last_tests(found),
        "before": drafts.sent_before(looked.order),
        "comments": comments_card(request, found, back="review"),
        "looked": looked,
        "work": looked.preparation,
        **flight_plan(request, looked.order, figures),
    }


def _preparing(found: Draft, work: Preparation) -> dict[str, Any]:
    """How far reading or checking is, and what of the file is known: columns, first good and first bad rows."""
    work.refresh_from_db()
    version = found.version
    if version is not None:
        version.refresh_from_db()
    good, bad = drafts.first_stored_rows(version, SHOWN_ROWS) if version is not None else ([], [])
    return {"draft": found, "work": work, "version": version, "good": good, "bad": bad}


@service_page("compose")
def draft_plan(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """The flight plan as JSON, as the API answers a plan."""
    try:
        looked = figures_within(_find(service, pk), HEAD_START)
        if looked.figures is None or looked.stale:
            assert looked.preparation is not None, "few rows are checked at once"
            raise drafts.NotReady(looked.preparation)
        # whole numbers are only for those who may export them
        masked = "export" not in request.may  # type: ignore[attr-defined]
        made = plan_of(request, looked.order, looked.figures, masked=masked)
    except ComposeError as problem:
        errors = [{"field": one.field, "code": one.code, "detail": one.text} for one in problem.problems]
        return JsonResponse({"errors": errors}, status=422)
    return JsonResponse(plan.as_json(made))


@service_page("compose", WRITE)
def draft_act(request: HttpRequest, service: Service, pk: int, act: str) -> HttpResponse:
    """A button for the work on a large audience. On the compose page it is one of the form, so that what was typed is saved with it."""
    found = _find(service, pk)
    ACTS[act](request, found)
    return redirect("draft_review", service=service.slug, pk=found.pk)


@service_page("compose")
def draft_progress(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """The part that is fetched every second; once the check ends, the whole page is loaded."""
    found = _find(service, pk)
    works = drafts.preparations_of(found)
    work = next((one for one in works if one.is_waiting), works[-1] if works else None)
    if work is None or not work.is_waiting:
        response = HttpResponse()
        response.headers["HX-Refresh"] = "true"
        return response
    return render(request, "compose/_preparing.html", _preparing(found, work))


@service_page("compose")
def draft_rejects(request: HttpRequest, service: Service, pk: int) -> HttpResponseBase:
    """The rejects of a draft, each with its row, its reason and all its cells, to be put right and given back."""
    found = _find(service, pk)
    if found.numbers_withheld and "export" not in request.may:  # type: ignore[attr-defined]
        raise PermissionDenied
    try:
        lines = drafts.draft_rejects_csv(found, limits=upload_limits())
    except ComposeError as problem:
        error(problem).on(request)
        return redirect("draft_review", service=service.slug, pk=found.pk)
    audit("draft.rejects_exported", found, by=actor(request))
    return csv_download(lines, name=f"rejects-draft-{found.pk}{service.file_mark}.csv")
