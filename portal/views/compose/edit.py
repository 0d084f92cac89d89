"""Compose: the page where a draft is written. Each press of a button saves it, errors or not; the script saves it as well (`save`)."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from portal.access import FORM, WRITE, actor, service_page
from portal.forms.compose import DraftForm
from portal.forms.numbers import key_of, row_of
from portal.limits import CARDS
from portal.views.compose.page_base import colleague_changes, compose_page, draft_url, show_problems
from portal.views.compose.saving_base import store_typed
from portal.views.compose.work_base import check_for_a_moment, press
from sms.compose.drafts import collaboration, presence
from sms.compose.errors import ComposeError
from sms.models import Draft, Service, Upload
from sms.models.audit import audit
from sms.values import text


@service_page("compose")
def draft_list(request: HttpRequest, service: Service) -> HttpResponse:
    """Everything that is being written, the latest first, with who changed it last and who is at it now."""
    rows = service.drafts.filter(send=None).select_related(
        "sender", "template", "upload", "audience", "created_by", "changed_by"
    )
    page = Paginator(rows.defer("pasted", "upload__content"), CARDS).get_page(request.GET.get("page"))
    busy = presence.present_in(page.object_list, now=timezone.now())
    return render(request, "compose/drafts.html", {"page": page, "busy": busy})


@service_page("compose", FORM)
def compose(request: HttpRequest, service: Service) -> HttpResponse:
    """A new draft; it exists once something was submitted."""
    audience = service.audiences.filter(pk=key_of(request.GET, "audience") or 0).first()
    return _edit(request, service, Draft(service=service, audience=audience))


@service_page("compose", FORM)
def draft(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    rows = service.drafts.select_related("service", "upload").defer(Upload.LIGHT)
    found = get_object_or_404(rows, pk=pk)
    if found.send_id:
        messages.info(request, "This draft was sent. Here is the send.")
        return redirect("send", service=service.slug, pk=found.send_id)
    return _edit(request, service, found)


def _edit(request: HttpRequest, service: Service, found: Draft) -> HttpResponse:
    if request.method != "POST":
        return compose_page(request, DraftForm(instance=found, service=service))
    try:
        form, kept = store_typed(request, service, found)
    except collaboration.DraftSent as problem:
        messages.info(request, "This draft has been sent. Here is the send.")
        return redirect("send", service=service.slug, pk=problem.send_id)
    saved, fine = kept.stored, form.is_valid()
    if kept.theirs and fine and (words := colleague_changes(kept, request.user)):
        messages.info(request, words)
    if kept.clashes:
        return compose_page(request, form, kept=kept, status=422)
    if press(request, saved):
        return redirect(draft_url(saved)) if fine else compose_page(request, form, status=422)
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
        return redirect(draft_url(saved, at=row_of(request.POST, "look_at")))
    if fine:
        try:
            check_for_a_moment(saved)
        except ComposeError as problem:
            show_problems(form, problem)
        else:
            return redirect("draft_review", service=service.slug, pk=saved.pk)
    return compose_page(request, form, status=422)


@service_page("compose", WRITE)
def draft_discard(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Throw a draft away; a sent one stays, and so does one that a colleague has open: they may be writing."""
    found = get_object_or_404(service.drafts.filter(send=None), pk=pk)
    if others := presence.colleagues(found, without=request.user, now=timezone.now()):
        names = ", ".join(one.name for one in others)
        messages.error(request, f"{names} has this draft open. Ask them to leave it, then discard it.")
        return redirect("draft", service=service.slug, pk=found.pk)
    with transaction.atomic():
        audit("draft.discarded", found, by=actor(request))
        found.delete()
    messages.success(request, "Draft discarded.")
    return redirect("home", service=service.slug)
