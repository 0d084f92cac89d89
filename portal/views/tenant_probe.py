"""The tenant probe of a service: begin, ask, answer, end; what is proved and what is assumed."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access import WRITE, actor, service_page
from portal.forms.tenant_probe import StartProbeForm, TenantSwitchesForm
from portal.views.button_base import Said, button, info
from portal.views.confirm_base import Confirmation, asking
from portal.views.form_base import form_page, keep, refused_beside
from sms.catalogue import tenant_probe
from sms.models import MOST_MESSAGES, Actor, ProbeStep, Service
from sms.values.msisdn import mask
from sms.words import number, retold

STEPS = ProbeStep.objects.select_related("probe__service__region").prefetch_related("posts__receipts")


@service_page("configure")
def probe_page(request: HttpRequest, service: Service) -> HttpResponse:
    return _page(request, service)


def _page(request: HttpRequest, service: Service, **shown: Any) -> HttpResponse:
    probe = tenant_probe.open_probe(service)
    spent = tenant_probe.spent(probe) if probe else 0
    lines = tenant_probe.standing(service)
    context = {
        "probe": probe,
        "number": mask(probe.msisdn) if probe else "",
        "spent": spent,
        "most": MOST_MESSAGES,
        "steps": _steps(probe, spent) if probe else [],
        "standing": lines,
        "evidence": tenant_probe.evidence(lines),
        "set_aside": tenant_probe.set_aside(service),
        "messages_of_all": tenant_probe.MESSAGES,
        "segments_of_all": tenant_probe.SEGMENTS,
        "questions": tenant_probe.QUESTIONS.values(),
        "form": StartProbeForm(service=service),
        "switches": TenantSwitchesForm(instance=service),
    }
    return form_page(request, "settings/tenant_probe.html", context | shown)


def _steps(probe: Any, spent: int) -> list[dict[str, Any]]:
    steps = STEPS.filter(probe=probe)
    return [
        {
            "step": step,
            "question": tenant_probe.QUESTIONS[step.question],
            "why_not": tenant_probe.why_not(step, spent=spent),
            "waits": step.state == ProbeStep.State.POSTED,
        }
        for step in steps
    ]


@service_page("configure", WRITE)
def probe_start(request: HttpRequest, service: Service) -> HttpResponse:
    form = StartProbeForm(request.POST, service=service)
    if form.is_valid():
        data = form.cleaned_data
        with refused_beside(form, tenant_probe.ProbeError):
            tenant_probe.start(
                Service.objects.select_related("region").get(pk=service.pk),
                msisdn=data["number"],
                sender=data["sender"],
                link_domain=data["link_domain"],
                smartlink=data["smartlink"],
                by=actor(request),
            )
            return redirect("tenant_probe", service=service.slug)
    return _page(request, service, form=form)


@button(
    "configure",
    ProbeStep,
    back="tenant_probe",
    at="",
    through="probe__service",
    refusals=tenant_probe.ProbeError,
)
def probe_ask(step: ProbeStep, by: Actor) -> Said | None:
    asked = tenant_probe.ask(step.pk, by=by, public_url=settings.PUBLIC_URL)
    if asked.state == ProbeStep.State.POSTED:
        return Said(_("Sent. Look at your phone, then answer the question below."))
    return info(retold(asked.says))


@service_page("configure", WRITE, of=STEPS, through="probe__service")
def probe_answer(request: HttpRequest, service: Service, step: ProbeStep) -> HttpResponse:
    try:
        answered = tenant_probe.answer(step, request.POST.get("choice", ""), by=actor(request))
        messages.info(request, retold(answered.says))
    except tenant_probe.ProbeError as problem:
        messages.error(request, str(problem))
    return redirect("tenant_probe", service=service.slug)


@button(
    "configure",
    ProbeStep,
    back="tenant_probe",
    at="",
    through="probe__service",
    refusals=tenant_probe.ProbeError,
)
def probe_skip(step: ProbeStep, by: Actor) -> Said:
    tenant_probe.skip(step, by=by)
    return info(_("Left out. It can still be asked while this tenant probe is open."))


@service_page("configure", of=STEPS, through="probe__service")
def probe_receipts(request: HttpRequest, _service: Service, step: ProbeStep) -> HttpResponse:
    """The part of the page that is fetched every few seconds while a question waits."""
    return render(request, "settings/_probe_receipts.html", {"step": step})


def _ask_end(service: Service) -> Confirmation | Said:
    if tenant_probe.open_probe(service) is None:
        return info(_("No tenant probe is under way."))
    return Confirmation(
        _("End this tenant probe?"),
        _(
            "Questions that were not asked stay open, and the phone’s number is forgotten. What was found stays."
        ),
        _("To ask them later, begin another tenant probe."),
        button=_("End it"),
    )


@asking("configure", asks=_ask_end, back="tenant_probe", crumb=gettext_lazy("Tenant probe"))
def probe_end(service: Service, by: Actor) -> Said:
    probe = tenant_probe.open_probe(service)
    if probe is None:
        return info(_("No tenant probe is under way."))
    tenant_probe.end(probe, by=by)
    return Said(_("Ended. The phone’s number is forgotten; what was found stays."))


@button("configure", back="tenant_probe")
def probe_keep(service: Service, by: Actor) -> Said:
    kept = tenant_probe.keep(service, by=by)
    says = ngettext("%(n)s answer counts again.", "%(n)s answers count again.", kept)
    return Said(says % {"n": number(kept)})


@service_page("configure", WRITE)
def probe_switches(request: HttpRequest, service: Service) -> HttpResponse:
    form = TenantSwitchesForm(request.POST, instance=Service.objects.get(pk=service.pk))
    if not form.is_valid():
        return _page(request, service, switches=form)
    keep(request, service, form)
    return redirect("tenant_probe", service=service.slug)
