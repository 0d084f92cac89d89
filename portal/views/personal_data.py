"""Personal data of one number: erasure with a certificate, and disclosure; for admins, with a reason, and audited."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render

from portal.access import WRITE, actor, service_page
from portal.forms.personal_data import DiscloseForm, EraseForm
from sms.compliance import archive, disclosure, erasure
from sms.models import Erasure, Service

SHOWN = 50
PATIENCE = 15.0  # seconds for the ZIP in a request; the command has no limit


@service_page("configure")
def personal_data(request: HttpRequest, service: Service) -> HttpResponse:
    return _page(request, service)


@service_page("configure", WRITE)
def number_erase(request: HttpRequest, service: Service) -> HttpResponse:
    """Ask for a number to be erased; it happens in the background within seconds, or as soon as nothing keeps it."""
    form = EraseForm(request.POST, country=service.default_country, prefix="erase")
    if not form.is_valid():
        return _page(request, service, erase=form, status=422)
    number, reason = form.cleaned_data["number"], form.cleaned_data["reason"]
    asked = erasure.ask(service, number, reason=reason, by=actor(request))
    keeps = erasure.why_not(erasure.Subject(Service.objects.get(pk=service.pk), number))
    if keeps:
        Erasure.objects.filter(pk=asked.pk).update(waits_for=keeps)
        messages.warning(request, f"Asked for, and waiting. {keeps}")
    else:
        messages.success(request, "Asked for. It begins within a minute; this page shows the certificate.")
    return redirect("number_erasure", service=service.slug, pk=asked.pk)


@service_page("configure", WRITE)
def number_disclose(request: HttpRequest, service: Service) -> HttpResponse:
    form = DiscloseForm(request.POST, country=service.default_country, prefix="disclose")
    if not form.is_valid():
        return _page(request, service, disclose=form, status=422)
    number, reason = form.cleaned_data["number"], form.cleaned_data["reason"]
    try:
        content = disclosure.disclose(
            Service.objects.get(pk=service.pk), number, reason=reason, by=actor(request), seconds=PATIENCE
        )
    except archive.ArchiveError as problem:
        form.add_error("number", str(problem))
        return _page(request, service, disclose=form, status=503)
    response = HttpResponse(content, content_type="application/zip")
    # no part of the number: names of files end up in lists of downloads
    response["Content-Disposition"] = f'attachment; filename="personal-data-{service.slug}.zip"'
    response["Cache-Control"] = "no-store"
    return response


@service_page("configure")
def number_erasure(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """One erasure: what it waits for, or its certificate, made to be printed."""
    found = get_object_or_404(Erasure, service=service, pk=pk)
    context = {"erasure": found, "genuine": found.state == Erasure.State.DONE and erasure.genuine(found)}
    return render(request, "settings/erasure.html", context)


@service_page("configure")
def number_certificate(request: HttpRequest, service: Service, pk: int) -> JsonResponse:
    del request
    found = get_object_or_404(Erasure, service=service, pk=pk, state=Erasure.State.DONE)
    response = JsonResponse(found.certificate | {"mac": found.mac}, json_dumps_params={"indent": 2})
    response["Content-Disposition"] = f'attachment; filename="erasure-{found.pk}.json"'
    return response


def _page(
    request: HttpRequest,
    service: Service,
    *,
    erase: Any = None,
    disclose: Any = None,
    status: int = 200,
) -> HttpResponse:
    country = service.default_country
    context = {
        "erase": erase or EraseForm(country=country, prefix="erase"),
        "disclose": disclose or DiscloseForm(country=country, prefix="disclose"),
        "erasures": Erasure.objects.filter(service=service).defer("number")[:SHOWN],
    }
    return render(request, "settings/personal_data.html", context, status=status)
