"""Compose: write and check. A draft is saved at every press of a button, errors or not. The page after it is `review`."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from portal import wording
from portal.access import actor, service_page
from portal.forms.compose import DraftForm
from portal.views import flight_plan
from sms import compose as composing
from sms import text
from sms.models import AuditEvent, Draft, Service


@service_page("compose")
@require_http_methods(["GET", "HEAD", "POST"])
def compose(request: HttpRequest, service: Service) -> HttpResponse:
    """A new draft; it exists once something was submitted."""
    chosen = request.GET.get("audience", "")
    saved = service.audiences.filter(pk=int(chosen)) if chosen.isdecimal() and len(chosen) < 19 else None
    return _edit(request, service, Draft(service=service, audience=saved.first() if saved else None))


@service_page("compose")
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """An existing draft."""
    found = get_object_or_404(service.drafts.select_related("service", "upload"), pk=pk)
    if found.send_id:
        messages.info(request, "This draft was sent. Here is the send.")
        return redirect("send", service=service.slug, pk=found.send_id)
    return _edit(request, service, found)


def _edit(request: HttpRequest, service: Service, found: Draft) -> HttpResponse:
    if request.method != "POST":
        return _page(request, DraftForm(instance=found, service=service))
    form = DraftForm(request.POST, request.FILES, instance=found, service=service)
    fine = form.is_valid()
    with transaction.atomic():
        # locked, so that a colleague's press of Send and our saving cannot pass each other
        sent = (
            Draft.objects.select_for_update().filter(pk=found.pk, send__isnull=False).first()
            if found.pk
            else None
        )
        if sent is not None:
            messages.info(request, "This draft was sent meanwhile. Here is the send.")
            return redirect("send", service=service.slug, pk=sent.send_id)
        new = found.pk is None
        saved = form.keep(user=request.user)
        if new:
            _audit(request, "draft.created", saved)
    if "simplify" in request.POST and saved.text != (plain := text.to_gsm7(saved.text)):
        saved.text = plain
        saved.save(update_fields=["text", "changed_at"])
        messages.success(request, "Replaced. The draft is saved; read it once more.")
        return redirect("draft", service=service.slug, pk=saved.pk)
    if "save" in request.POST and fine:
        messages.success(request, "Draft saved.")
        return redirect("draft", service=service.slug, pk=saved.pk)
    if fine:
        try:
            flight_plan.look_ahead(saved)
        except composing.ComposeError as problem:
            _show(form, problem)
        else:
            return redirect("draft_review", service=service.slug, pk=saved.pk)
    return _page(request, form, status=422)


@service_page("compose")
@require_POST
def compose_wording(request: HttpRequest, service: Service) -> JsonResponse:
    """What the text takes as it is typed, and with its odd characters replaced. Nothing is stored."""
    del service
    return JsonResponse(wording.judged(request.POST.get("text", "")))


def _show(form: DraftForm, error: composing.ComposeError) -> None:
    """Each problem at the field that mends it; `audience` is the file or the pasted numbers, whichever is in use."""
    audience = "audience" if form.instance.audience_id else "file" if form.instance.upload_id else "pasted"
    for problem in error.problems:
        name = audience if problem.field == "audience" else problem.field
        form.add_error(name if name in form.fields else None, problem.text)


def _page(request: HttpRequest, form: DraftForm, *, status: int = 200) -> HttpResponse:
    return render(request, "compose/edit.html", {"form": form, "draft": form.instance}, status=status)


def refused(
    request: HttpRequest, service: Service, found: Draft, problem: composing.ComposeError
) -> HttpResponse:
    """The compose page of a draft that makes no send as it stands, each problem at its field."""
    form = DraftForm(instance=found, service=service, data=_as_typed(found, service))
    form.is_valid()
    _show(form, problem)
    return _page(request, form, status=422)


def _as_typed(found: Draft, service: Service) -> dict[str, Any]:
    """The draft as form data, so that errors can be shown at its fields."""
    bare = DraftForm(instance=found, service=service)
    return {name: bare[name].value() for name in bare.fields if bare[name].value() is not None}


@service_page("compose")
@require_POST
def draft_discard(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Throw a draft away; a sent one stays."""
    found = get_object_or_404(service.drafts.filter(send=None), pk=pk)
    with transaction.atomic():
        _audit(request, "draft.discarded", found)
        found.delete()
    messages.success(request, "Draft discarded.")
    return redirect("home", service=service.slug)


def _audit(request: HttpRequest, act: str, draft: Draft, **details: object) -> None:
    AuditEvent.record(
        act,
        by=actor(request),
        service_slug=draft.service.slug,
        noun="draft",
        noun_key=draft.pk,
        **details,
    )
