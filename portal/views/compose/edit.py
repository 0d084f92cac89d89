"""Compose: write and check. A draft is saved at every press of a button, errors or not, and while one types (`drafts`). Then: `review`."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from portal.access import actor, service_page
from portal.forms.compose import DraftForm
from portal.views.compose import plan, work
from portal.views.compose import save as drafts_page
from sms.compose.drafts import collaboration
from sms.compose.errors import ComposeError
from sms.models import Draft, Service, Upload
from sms.models.audit import audit
from sms.values import text


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
    rows = service.drafts.select_related("service", "upload").defer(Upload.LIGHT)
    found = get_object_or_404(rows, pk=pk)
    if found.send_id:
        messages.info(request, "This draft was sent. Here is the send.")
        return redirect("send", service=service.slug, pk=found.send_id)
    return _edit(request, service, found)


def _edit(request: HttpRequest, service: Service, found: Draft) -> HttpResponse:
    if request.method != "POST":
        return drafts_page.shown(request, DraftForm(instance=found, service=service))
    try:
        form, kept = drafts_page.keep(request, service, found)
    except collaboration.DraftSent as problem:
        messages.info(request, "This draft was sent meanwhile. Here is the send.")
        return redirect("send", service=service.slug, pk=problem.send_id)
    saved, fine = kept.stored, form.is_valid()
    if kept.theirs and fine and (told := drafts_page.told(kept, request.user)):
        messages.info(request, told)
    if kept.clashes:
        return drafts_page.shown(request, form, kept=kept, status=422)
    if work.pressed(request, saved):
        return redirect(drafts_page.address(saved)) if fine else drafts_page.shown(request, form, status=422)
    if "simplify" in request.POST and saved.text != (plain := text.to_gsm7(saved.text)):
        saved.text = plain
        collaboration.save(saved, base={}, user=request.user)
        messages.success(request, "Replaced. The draft is saved; read it once more.")
        return redirect("draft", service=service.slug, pk=saved.pk)
    if "test" in request.POST and fine:
        return redirect("draft_test", service=service.slug, pk=saved.pk)
    if fine and {"save", "check", "look_at"} & set(request.POST):
        if "save" in request.POST:
            messages.success(request, "Draft saved.")
        at = request.POST.get("look_at", "")
        return redirect(drafts_page.address(saved, at=at))
    if fine:
        try:
            plan.look_ahead(saved)
        except ComposeError as problem:
            _show(form, problem)
        else:
            return redirect("draft_review", service=service.slug, pk=saved.pk)
    return drafts_page.shown(request, form, status=422)


def _show(form: DraftForm, error: ComposeError) -> None:
    """Each problem at the field that mends it; `audience` is the file or the pasted numbers, whichever is in use."""
    audience = "audience" if form.instance.audience_id else "file" if form.instance.upload_id else "pasted"
    for problem in error.problems:
        name = {"audience": audience, "validity": "validity_count"}.get(problem.field, problem.field)
        form.add_error(name if name in form.fields else None, problem.text)


def refused(request: HttpRequest, service: Service, found: Draft, problem: ComposeError) -> HttpResponse:
    """The compose page of a draft that makes no send as it stands, each problem at its field."""
    form = DraftForm(instance=found, service=service, data=_as_typed(found, service))
    form.is_valid()
    _show(form, problem)
    return drafts_page.shown(request, form, status=422)


def _as_typed(found: Draft, service: Service) -> dict[str, Any]:
    """The draft as form data, so that errors can be shown at its fields."""
    bare = DraftForm(instance=found, service=service)
    return {name: bare[name].value() for name in bare.fields if bare[name].value() is not None}


@service_page("compose")
@require_POST
def draft_discard(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Throw a draft away; a sent one stays, and so does one that a colleague has open: they may be writing."""
    found = get_object_or_404(service.drafts.filter(send=None), pk=pk)
    if others := collaboration.colleagues(found, without=request.user, now=timezone.now()):
        names = ", ".join(one.name for one in others)
        messages.error(request, f"{names} has this draft open. Ask them to leave it, then discard it.")
        return redirect("draft", service=service.slug, pk=found.pk)
    with transaction.atomic():
        audit("draft.discarded", found, by=actor(request))
        found.delete()
    messages.success(request, "Draft discarded.")
    return redirect("home", service=service.slug)
