"""Personal data of one number: erasure with a certificate, and disclosure; for admins, with a reason, and audited."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from portal.access import WRITE, actor, service_page
from portal.forms.msisdn import DiscloseForm, EraseForm
from portal.forms.texts import text_of
from portal.views.form_base import form_page
from sms.compliance import archive, disclosure, erasure
from sms.models import Erasure, Service
from sms.sends.person.identity import Person, person_of
from sms.values.msisdn.person_key import LONGEST
from sms.words import retold

PATIENCE = 15.0  # seconds for the ZIP in a request; the command has no limit


@service_page("configure")
def personal_data(request: HttpRequest, service: Service) -> HttpResponse:
    return _page(request, service)


@service_page("configure", WRITE)
def number_erase(request: HttpRequest, service: Service) -> HttpResponse:
    """Ask for a number to be erased; it happens in the background within seconds, or as soon as nothing keeps it."""
    form = EraseForm(_with_number(request, service, "erase"), service=service, prefix="erase")
    if not form.is_valid():
        return _page(request, service, erase=form)
    number, reason = form.cleaned_data["number"], form.cleaned_data["reason"]
    asked = erasure.ask(service, number, reason=reason, by=actor(request))
    keeps = erasure.why_not(erasure.Subject(Service.objects.get(pk=service.pk), number))
    if keeps:
        Erasure.objects.filter(pk=asked.pk).update(waits_for=keeps)
        messages.warning(request, " ".join((_("Asked for, and waiting."), retold(keeps))))
    else:
        messages.success(request, _("Asked for. It begins within a minute; this page shows the certificate."))
    return redirect("number_erasure", service=service.slug, pk=asked.pk)


@service_page("configure", WRITE)
def number_disclose(request: HttpRequest, service: Service) -> HttpResponse:
    form = DiscloseForm(_with_number(request, service, "disclose"), service=service, prefix="disclose")
    if not form.is_valid():
        return _page(request, service, disclose=form)
    number, reason = form.cleaned_data["number"], form.cleaned_data["reason"]
    try:
        own, by = Service.objects.get(pk=service.pk), actor(request)
        content = disclosure.disclose(own, number, reason=reason, by=by, seconds=PATIENCE)
    except archive.ArchiveError as problem:
        form.add_error("number", str(problem))
        page = _page(request, service, disclose=form)
        page.status_code = 503
        return page
    # no part of the number: names of files end up in lists of downloads
    headers = {
        "Content-Disposition": f'attachment; filename="personal-data-{service.slug}{service.file_mark}.zip"'
    }
    return HttpResponse(content, content_type="application/zip", headers=headers)


@service_page("configure", of=Erasure)
def number_erasure(request: HttpRequest, _service: Service, found: Erasure) -> HttpResponse:
    """One erasure: what it waits for, or its certificate, made to be printed."""
    context = {"erasure": found, "genuine": found.state == Erasure.State.DONE and erasure.genuine(found)}
    return render(request, "settings/erasure.html", context)


@service_page("configure", of=Erasure.objects.filter(state=Erasure.State.DONE))
def number_certificate(_request: HttpRequest, service: Service, found: Erasure) -> JsonResponse:
    headers = {"Content-Disposition": f'attachment; filename="erasure-{found.pk}{service.file_mark}.json"'}
    certificate = found.certificate | {"mac": found.mac}
    return JsonResponse(certificate, json_dumps_params={"indent": 2}, headers=headers)


def _person(request: HttpRequest, service: Service) -> Person | None:
    """Whose page led here; their number is not in the address, and not on the page."""
    given = request.POST if request.method == "POST" else request.GET
    person = person_of(service, text_of(given, "person", most=LONGEST))
    return person if person and person.number else None


def _with_number(request: HttpRequest, service: Service, prefix: str) -> QueryDict:
    typed, person = request.POST.copy(), _person(request, service)
    if person is not None:
        typed[f"{prefix}-number"] = person.number
    return typed


def _page(request: HttpRequest, service: Service, **shown: Any) -> HttpResponse:
    context = {
        "person": _person(request, service),
        "erase": EraseForm(service=service, prefix="erase"),
        "disclose": DiscloseForm(service=service, prefix="disclose"),
        "erasures": Erasure.objects.filter(service=service).defer("number")[:50],
    }
    return form_page(request, "settings/personal_data.html", context | shown)
