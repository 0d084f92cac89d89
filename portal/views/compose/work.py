"""Stop and go on with the work on a draft's large audience, and take rejected rows back that were put right.

On the review page each is a form of its own. On the compose page each is a button of the one form, so that what was typed is saved with
it, also without scripts.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from portal.access import WRITE, service_page
from portal.views.compose.work_base import ACTS
from sms.compose import drafts
from sms.models import Service


@service_page("compose", WRITE)
def draft_stop(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    return _done(request, service, pk, "stop")


@service_page("compose", WRITE)
def draft_go_on(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    return _done(request, service, pk, "go_on")


@service_page("compose", WRITE)
def draft_mend(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    return _done(request, service, pk, "mend")


def _done(request: HttpRequest, service: Service, pk: int, act: str) -> HttpResponse:
    found = get_object_or_404(drafts.with_related(service.drafts.all()), pk=pk)
    ACTS[act](request, found)
    return redirect("draft_review", service=service.slug, pk=found.pk)
