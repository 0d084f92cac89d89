"""Retention of a service: its days, the forecast of the next run, the last runs, and sends that are excluded."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from portal.access import FORM, WRITE, actor, service_page
from portal.forms.settings import KeepForm, RetentionForm
from portal.presenters.form_changes import changes
from sms.compliance import retention as keeping
from sms.compliance.retention.words import KINDS
from sms.models import Archive, RetentionClock, Send, SendKeeping, Service
from sms.models.audit import audit

RUNS = 10


@dataclass(frozen=True, slots=True)
class RetentionLine:
    """One kind of thing, how many, and in how many sends where that says more."""

    words: str
    count: int
    sends: int = 0


@service_page("configure", FORM)
def retention(request: HttpRequest, service: Service) -> HttpResponse:
    form = RetentionForm(
        request.POST if request.method == "POST" else None, instance=Service.objects.get(pk=service.pk)
    )
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            if form.changed_data:
                keeping.put_off(service)
                audit("service.changed", service, by=actor(request), **changes(form))
        messages.success(request, "Saved. Nothing is removed for an hour, so that you can think again.")
        return redirect("settings_retention", service=service.slug)
    stored = Service.objects.get(pk=service.pk)
    context = _context(stored) | {"form": form}
    return render(request, "settings/retention.html", context, status=422 if form.errors else 200)


def _context(service: Service) -> dict[str, Any]:
    runs = list(service.retention_runs.all()[:RUNS])
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
    found = keeping.forecast(service, now=timezone.now())
    lines = [
        RetentionLine(KINDS[stage], count, found.sends[stage])
        for stage, count in found.messages.items()
        if found.sends[stage]
    ]
    lines += _lines(found.others | {"archives": found.archives})
    return context | {
        "forecast": found,
        "upcoming": lines,
        "next_at": clock.next_at if clock else None,
        "on": True,
    }


def _lines(counts: dict[str, int]) -> list[RetentionLine]:
    return [RetentionLine(KINDS.get(kind, kind), count) for kind, count in counts.items() if count]


@service_page("configure", WRITE)
def send_keep(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Exclude a send from retention until it is released."""
    send = get_object_or_404(Send, service=service, pk=pk)
    form = KeepForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say why it has to be kept, for example the number of the case.")
    elif keeping.hold(send, because=form.cleaned_data["reason"], by=actor(request)):
        messages.success(request, "Kept: retention and erasures leave this send alone.")
    else:
        messages.info(request, "It is kept already.")
    return redirect("send", service=service.slug, pk=send.pk)


@service_page("configure", WRITE)
def send_keep_no_more(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    send = get_object_or_404(Send, service=service, pk=pk)
    if keeping.release(send, by=actor(request)):
        messages.success(request, "Its days count again. What is due goes with the next run.")
    else:
        messages.info(request, "It was not kept.")
    return redirect("send", service=service.slug, pk=send.pk)
