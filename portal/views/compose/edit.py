"""Compose: the page where a draft is written. Each press of a button saves it, errors or not; the script saves it as well (`save`)."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access import FORM, service_page
from portal.colleagues import who_may
from portal.forms.compose import DraftForm
from portal.forms.corrections import corrected_cells
from portal.forms.draft_search import DraftSearch
from portal.forms.numbers import key_of, row_of
from portal.limits import CARDS
from portal.presenters.saved_filters import saved_filters
from portal.views.button_base import Said, button, error, info
from portal.views.comments import said_about
from portal.views.compose.page_base import colleague_changes, compose_page, draft_url, show_problems
from portal.views.compose.saving_base import store_typed
from portal.views.compose.used_drafts import in_use
from portal.views.compose.work_base import check_for_a_moment, correct, press
from portal.views.confirm_base import Confirmation, asking
from sms.catalogue import templates
from sms.compose import drafts
from sms.compose.approval import queries
from sms.compose.drafts import collaboration, presence
from sms.compose.drafts.discard import DraftOpen, bring_back, discard
from sms.compose.errors import ComposeError
from sms.models import Actor, Draft, KeptList, Service, Upload
from sms.models.sql.clock import corrected_now
from sms.values import text
from sms.words import number


@service_page("see")
def draft_list(request: HttpRequest, service: Service) -> HttpResponse:
    """Everything that is being written, the latest first, with who changed it last and who is at it now. Those who do not compose see
    the list alone."""
    composes = "compose" in request.may  # type: ignore[attr-defined]
    now, is_bin = corrected_now(), composes and request.GET.get("discarded") == "1"
    kept = service.drafts.filter(Draft.discarded_ones(now) if is_bin else Draft.open_ones())
    if is_bin:
        page = Paginator(kept.order_by("-discarded_at"), CARDS).get_page(request.GET.get("page"))
        return render(request, "compose/discarded.html", {"page": page, "days": Draft.BROUGHT_BACK_FOR})
    search = DraftSearch(request.GET, queryset=kept)
    rows = search.qs.select_related("sender", "template", "upload", "audience", "created_by", "changed_by")
    page = Paginator(rows.defer("pasted", "upload__content"), CARDS).get_page(request.GET.get("page"))
    busy = presence.present_in(page.object_list, now=now)
    people, senders = who_may("compose", service), list(service.senders.all())
    offered = {"by": {f"user:{one.pk}" for one in people}, "sender": {str(one.pk) for one in senders}}
    query = search.address
    context = {
        "page": page,
        "busy": busy,
        "rejections": queries.rejections_of(page.object_list),
        "wanted": search.wanted,
        "address": query,
        "extra": f"{query}&" if query else "",
        "people": [(f"user:{one.pk}", one.shown_name) for one in people],
        "senders": [one for one in senders if one.active],
        "kept": saved_filters(request, KeptList.DRAFTS, query=query, offered=offered),
        "matching": page.paginator.count,
        "discarded": service.drafts.filter(Draft.discarded_ones(now)).count() if composes else 0,
    }
    return render(request, "compose/drafts.html", context)


@service_page("compose", FORM)
def compose(request: HttpRequest, service: Service) -> HttpResponse:
    """A new draft; it exists once something was submitted."""
    audience = service.audiences.filter(pk=key_of(request.GET, "audience") or 0).first()
    start = service.templates.filter(pk=key_of(request.GET, "start") or 0, active=True).first()
    return _edit(
        request, service, Draft(service=service, audience=audience, text=start.text if start else "")
    )


def _start_from_template(request: HttpRequest, saved: Draft) -> None:
    """Its text becomes the draft's own, to be changed; the template is chosen no longer."""
    version = templates.published(saved.template, saved.language) if saved.template else None
    if version is None or not version.text:
        info(_("Choose a template with a text first.")).on(request)
        return
    if saved.text.strip():
        says = _("You have written a text already. Clear it first: the template's would take its place.")
        info(says).on(request)
        return
    saved.text, saved.template, saved.language = version.text, None, ""
    collaboration.save(saved, base={}, user=request.user)
    messages.success(request, _("The text is yours now: change it as you like."))


@service_page("compose", FORM)
def draft(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    rows = service.drafts.select_related("service", "upload").defer(Upload.LIGHT)
    found = get_object_or_404(rows, pk=pk)
    if not found.is_open:
        return in_use(request, found)
    return _edit(request, service, found)


def _edit(request: HttpRequest, service: Service, found: Draft) -> HttpResponse:
    if request.method != "POST":
        return compose_page(request, DraftForm(instance=found, service=service))
    try:
        form, kept = store_typed(request, service, found)
    except collaboration.DraftSent as problem:
        return in_use(request, problem.draft)
    saved, fine = kept.stored, form.is_valid()
    if kept.theirs and fine and (words := colleague_changes(kept, request.user)):
        messages.info(request, words)
    if "add_comment" in request.POST and fine and not kept.clashes:
        return said_about(request, saved)
    if kept.clashes:
        return compose_page(request, form, kept=kept, status=422)
    if (cells := corrected_cells(request.POST)) and correct(request, saved, cells):
        saved = drafts.with_related(Draft.objects.all()).get(pk=saved.pk)
    if press(request, saved):
        return redirect(draft_url(saved)) if fine else compose_page(request, form, status=422)
    if "simplify" in request.POST and saved.text != (plain := text.to_gsm7(saved.text)):
        saved.text = plain
        collaboration.save(saved, base={}, user=request.user)
        messages.success(request, _("Replaced. The draft is saved; read it once more."))
        return redirect("draft", service=service.slug, pk=saved.pk)
    if "own_text" in request.POST and fine:
        _start_from_template(request, saved)
        return redirect("draft", service=service.slug, pk=saved.pk)
    if "test" in request.POST and fine:
        return redirect("draft_test", service=service.slug, pk=saved.pk)
    if fine and {"save", "check", "look_at", "correct", "preset"} & set(request.POST):
        if "save" in request.POST:
            messages.success(request, _("Draft saved."))
        part = next((part for name, part in _PARTS.items() if name in request.POST), "")
        return redirect(draft_url(saved, at=row_of(request.POST, "look_at")) + part)
    if fine:
        try:
            check_for_a_moment(saved)
        except ComposeError as problem:
            show_problems(form, problem)
        else:
            return redirect("draft_review", service=service.slug, pk=saved.pk)
    return compose_page(request, form, status=422)


_PARTS = {"correct": "#first-rows", "preset": "#when-head"}  # of the page, to which a press leads back


def _comes_back() -> str:
    says = ngettext(
        "You can bring it back for %(n)s day.",
        "You can bring it back for %(n)s days.",
        Draft.BROUGHT_BACK_FOR,
    )
    return says % {"n": number(Draft.BROUGHT_BACK_FOR)}


def _leaves(lines: int, file: str) -> str:
    """What of a draft goes with it."""
    facts = {"n": number(lines), "file": file}
    if lines and file:
        says = ngettext(
            "It leaves the list of drafts, with its text and %(n)s line of numbers and the file %(file)s. Nothing was sent of it.",
            "It leaves the list of drafts, with its text and %(n)s lines of numbers and the file %(file)s. Nothing was sent of it.",
            lines,
        )
    elif lines:
        says = ngettext(
            "It leaves the list of drafts, with its text and %(n)s line of numbers. Nothing was sent of it.",
            "It leaves the list of drafts, with its text and %(n)s lines of numbers. Nothing was sent of it.",
            lines,
        )
    elif file:
        says = _("It leaves the list of drafts, with its text and the file %(file)s. Nothing was sent of it.")
    else:
        says = _("It leaves the list of drafts, with its text. Nothing was sent of it.")
    return says % facts


def _ask_discard(draft: Draft) -> Confirmation | Said:
    if draft.discarded_at:
        return info(" ".join((_("It is discarded already."), _comes_back())))
    if not draft.is_open:
        return info(_("This draft was sent already."))
    lines = len(draft.pasted.split("\n")) if draft.pasted else 0
    back = ngettext(
        "You can bring it back for %(n)s day, under Drafts. Then it is deleted for good.",
        "You can bring it back for %(n)s days, under Drafts. Then it is deleted for good.",
        Draft.BROUGHT_BACK_FOR,
    )
    return Confirmation(
        _("Discard “%(draft)s”?") % {"draft": draft.title},
        _leaves(lines, draft.upload.name if draft.upload else ""),
        back % {"n": number(Draft.BROUGHT_BACK_FOR)},
        button=_("Discard it"),
    )


@asking("compose", Draft, asks=_ask_discard, back="drafts", at="", crumb=gettext_lazy("Drafts"))
def draft_discard(draft: Draft, by: Actor) -> Said:
    """A sent one stays, and so does one that a colleague has open: they may be writing."""
    now = corrected_now()
    try:
        gone = discard(draft, by=by, now=now)
    except DraftOpen as problem:
        return error(problem)
    if not gone and not Draft.objects.filter(Draft.discarded_ones(now), pk=draft.pk).exists():
        return info(_("This draft was sent or deleted already."))
    return Said(" ".join((_("Discarded."), _comes_back())))


@button("compose", Draft, back="draft")
def draft_bring_back(draft: Draft, by: Actor) -> Said:
    if bring_back(draft, by=by, now=corrected_now()):
        return Said(_("The draft is back, as it was."))
    return info(_("It was brought back or deleted already."))
