"""Retention of a service: its days, the forecast of the next run, the last runs, and sends that are excluded."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from portal.access import FORM, WRITE, actor, service_page
from portal.forms.control import KeepForm
from portal.forms.settings import RetentionForm
from portal.views.button_base import Said, button, info
from portal.views.form_base import form_page, keep, typed
from sms.compliance import retention as keeping
from sms.compliance.retention.words import KINDS
from sms.models import Actor, Archive, RetentionClock, Send, SendKeeping, Service
from sms.models.sql.clock import corrected_now


@service_page("configure", FORM)
def retention(request: HttpRequest, service: Service) -> HttpResponse:
    form = RetentionForm(**typed(request), instance=Service.objects.get(pk=service.pk))
    if form.is_valid():
        says = _("Saved. Nothing is removed for an hour, so that you can think again.")
        with transaction.atomic():
            if form.changed_data:
                keeping.put_off(service)
            keep(request, service, form, says=says)
        return redirect("settings_retention", service=service.slug)
    context = _context(Service.objects.get(pk=service.pk)) | {"form": form}
    return form_page(request, "settings/retention.html", context)


def _context(service: Service) -> dict[str, Any]:
    runs = list(service.retention_runs.all()[:10])
    context: dict[str, Any] = {
        "runs": [(run, _lines(run.counts)) for run in runs],
        "kept": SendKeeping.objects.filter(send__service=service, held_at__isnull=False)
        .select_related("send")
        .order_by("-held_at"),
        "archives": Archive.objects.filter(service=service).exclude(name="").count(),
    }
    if not keeping.days_set(service):
        return context
    clock = RetentionClock.objects.filter(pk=service.pk).first()
    found = keeping.forecast(service, now=corrected_now())
    lines = [
        {"words": KINDS[stage], "count": count, "sends": found.sends[stage]}
        for stage, count in found.messages.items()
        if found.sends[stage]
    ]
    lines += _lines(found.others | {"archives": found.archives})
    return context | {"forecast": found, "upcoming": lines, "next_at": clock and clock.next_at, "on": True}


def _lines(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Kinds of things in words, how many of each, and in how many sends where that says more."""
    return [{"words": KINDS.get(kind, kind), "count": count} for kind, count in counts.items() if count]


@service_page("configure", WRITE, of=Send)
def send_keep(request: HttpRequest, service: Service, send: Send) -> HttpResponse:
    """Exclude a send from retention until it is released."""
    form = KeepForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say why it has to be kept, for example the number of the case."))
    elif keeping.hold(send, because=form.cleaned_data["reason"], by=actor(request)):
        messages.success(request, _("Kept: retention and erasures leave this send alone."))
    else:
        messages.info(request, _("It is kept already."))
    return redirect("send", service=service.slug, pk=send.pk)


@button("configure", Send, back="send")
def send_keep_no_more(send: Send, by: Actor) -> Said:
    if keeping.release(send, by=by):
        return Said(_("Its days count again. What is due goes with the next run."))
    return info(_("It was not kept."))
