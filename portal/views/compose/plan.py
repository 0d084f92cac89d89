"""The flight plan of a draft as JSON, as the API's `dry_run` answers it. Its page is `portal.views.compose.review`."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404

from portal.access import service_page
from portal.presenters.flight_plan import plan_of
from portal.views.compose.figures_base import HEAD_START, figures_within
from sms.compose import drafts
from sms.compose.errors import ComposeError
from sms.models import Service
from sms.sends import plan


@service_page("compose")
def draft_plan(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    found = get_object_or_404(drafts.with_related(service.drafts.select_related("service")), pk=pk)
    try:
        looked = figures_within(found, HEAD_START)
        if looked.figures is None or looked.stale:
            assert looked.preparation is not None, "few rows are checked at once"
            raise drafts.NotReady(looked.preparation)
        # whole numbers are only for those who may export them
        masked = "export" not in request.may  # type: ignore[attr-defined]
        made = plan_of(request, looked.order, looked.figures, masked=masked)
    except ComposeError as problem:
        faults = [{"field": one.field, "detail": one.text} for one in problem.problems]
        return JsonResponse({"errors": faults}, status=422)
    return JsonResponse(plan.as_json(made))
