"""Drafts while people write: saved as they type, compared with what colleagues saved, and where they are found again.

`keep` and `shown` are the halves of the compose page (`portal.views.compose.edit`) that a press of a button and a keystroke share.
"""

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_POST, require_safe

from portal.access import actor, service_page
from portal.forms.compose import DraftForm
from portal.limits import upload_limits
from portal.presenters import edit_conflicts
from portal.views.compose import preview
from sms.compose import background, drafts
from sms.compose.drafts import collaboration
from sms.compose.errors import ComposeError
from sms.models import Draft, Service, Upload
from sms.models.audit import audit

PAGE = 30
RECALLED = ("column", "country")
BAD = 8  # rejected rows that are shown
HEAD_START = 0.6  # seconds that the answer to an upload may work on it itself
LONGEST_BASE = 5_000  # characters of what a page says of its fields


# --- saving, for the button and the keystroke ---------------------------------------------------------------------------


def keep(request: HttpRequest, service: Service, found: Draft) -> tuple[DraftForm, collaboration.Saved]:
    """Store what was typed as far as it can be, beside what colleagues stored. Raises drafting.DraftSent."""
    if found.pk is None and (begun := _uuid(request.POST.get("begun", ""))):
        # the same page again: its first answer was lost, or its button pressed twice
        found = service.drafts.filter(begun=begun).first() or Draft(
            service=service, begun=begun, audience=found.audience
        )
    if found.send_id:
        raise collaboration.DraftSent(found.send_id)
    try:
        return _keep(request, service, found)
    except IntegrityError:
        earlier = service.drafts.filter(begun=found.begun).first() if found.begun else None
        if earlier is None or found.pk:
            raise
        return _keep(request, service, earlier)


def _keep(request: HttpRequest, service: Service, found: Draft) -> tuple[DraftForm, collaboration.Saved]:
    form = DraftForm(request.POST, request.FILES, instance=found, service=service)
    form.is_valid()
    new = found.pk is None
    choices = edit_conflicts.choices(request.POST)
    base = _fingerprints(request.POST.get("base", "")) | {name: one.seen for name, one in choices.items()}
    with transaction.atomic():
        kept = form.keep(
            user=request.user,
            base=base,
            theirs=[name for name, one in choices.items() if one.theirs],
        )
        if new:
            audit("draft.created", kept.stored, by=actor(request))
    return form, kept


def shown(
    request: HttpRequest, form: DraftForm, *, kept: collaboration.Saved | None = None, status: int = 200
) -> HttpResponse:
    """The compose page. With `kept`, what it could not store is shown beside what a colleague stored."""
    draft: Draft = form.instance
    user: Any = request.user
    now = timezone.now()
    colleagues = []
    if draft.pk and not draft.send_id:
        collaboration.mark_present(draft, user=user, field="", now=now)
        colleagues = collaboration.colleagues(draft, without=user, now=now)
    if kept and (words := told(kept, user)):
        messages.info(request, words)
    context = {
        **(work_of(draft) if draft.pk else {}),
        "form": form,
        "draft": draft,
        "clashes": edit_conflicts.of(kept, form) if kept else [],
        "base": json.dumps(_base(request, draft, kept)),
        "begun": draft.begun or edit_conflicts.fresh(),
        "colleagues": [_words(one, form) for one in colleagues],
        "look": preview.look(draft.service, preview.as_typed(form, request.GET), draft),
    }
    return render(request, "compose/edit.html", context, status=status)


def _base(request: HttpRequest, draft: Draft, kept: collaboration.Saved | None) -> dict[str, str]:
    """What the fields are to be compared with at the next save: as stored, but where it clashes as it was before both."""
    stored = kept.stored if kept else Draft.objects.get(pk=draft.pk) if draft.pk else draft
    before = _fingerprints(request.POST.get("base", ""))
    clashing = kept.clashes if kept else ()
    return collaboration.fingerprints(stored) | {name: before[name] for name in clashing if name in before}


def told(kept: collaboration.Saved, user: Any) -> str:
    """What colleagues changed meanwhile; nothing where it was the same person in another window."""
    who = kept.before
    if not kept.theirs or who == user:
        return ""
    name = collaboration.name_of(who) if who else "A colleague"
    return f"{name} changed {edit_conflicts.listed(kept.theirs)} meanwhile; it is in the page now."


def _words(one: collaboration.Colleague, form: DraftForm) -> str:
    if not one.field:
        return f"{one.name} has this draft open"
    return f"{one.name} is editing {edit_conflicts.label(one.field, form).lower()}"


def address(draft: Draft, *, at: str = "") -> str:
    """Of its page, at a row of its preview."""
    url = reverse("draft", kwargs={"service": draft.service.slug, "pk": draft.pk})
    return f"{url}?at={at}#preview" if at.isdecimal() and len(at) < 9 else url


def _uuid(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None


def _fingerprints(written: str) -> dict[str, str]:
    """What the page says of its fields; nothing where it says nothing that can be read."""
    if len(written) > LONGEST_BASE:
        return {}
    try:
        said = json.loads(written or "{}")
    except ValueError:
        return {}
    if not isinstance(said, dict):
        return {}
    return {name: str(said[name]) for name in collaboration.EDITED if name in said}


# --- what scripts ask ---------------------------------------------------------------------------------------------------


@service_page("compose")
@require_POST
def compose_save(request: HttpRequest, service: Service) -> HttpResponse:
    """The first save of a page: the draft exists from then on."""
    return _saved(request, service, Draft(service=service))


@service_page("compose")
@require_POST
def draft_save(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """A save while somebody types."""
    return _saved(request, service, get_object_or_404(service.drafts, pk=pk))


def _saved(request: HttpRequest, service: Service, found: Draft) -> HttpResponse:
    """200 where everything was stored, 409 with what clashes, 410 with the address of the send that the draft became."""
    try:
        form, kept = keep(request, service, found)
    except collaboration.DraftSent as problem:
        return JsonResponse(
            {"send": reverse("send", kwargs={"service": service.slug, "pk": problem.send_id})}, status=410
        )
    draft = kept.stored
    if request.FILES or len(draft.pasted) > drafts.SMALL:
        _read_on(draft)
    fresh = DraftForm(instance=draft, service=service)
    clash = edit_conflicts.of(kept, form)
    errors = {
        form[name].label if name in form.fields else name: list(form.errors[name]) for name in form.errors
    }
    answer = {
        "draft": draft.pk,
        "page": address(draft),
        "revision": draft.revision,
        "at": date_format(timezone.localtime(draft.changed_at), "H:i:s"),
        "base": _base(request, draft, kept),
        # a new file brings what was chosen for the last one with its headings; unsaid, the page would save its own over it
        "theirs": edit_conflicts.values(
            [*kept.theirs, *(RECALLED if "file" in request.FILES else ())], fresh
        ),
        "told": told(kept, request.user),
        "clashes": render_to_string("compose/_clashes.html", {"clashes": clash}) if clash else "",
        "file": render_to_string("compose/_file.html", {"draft": draft, "form": fresh}),
        "work": render_to_string("compose/_work.html", {"service": service, **work_of(draft)}),
        "now": fresh.now,
        "errors": errors,
    }
    return JsonResponse(answer, status=409 if clash else 200)


def _read_on(draft: Draft) -> None:
    """Begin to read a large file at once, so that its first rows are on screen a moment after it was chosen."""
    try:
        drafts.audience_of_draft(draft, limits=upload_limits())
    except drafts.NotReady as waiting:
        background.work_on(waiting.preparation.pk, seconds=HEAD_START)
    except ComposeError:
        return  # the page says so at its field


@service_page("compose")
@require_safe
def draft_work(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """How far the reading of its file is, drawn again every second while it goes on."""
    rows = service.drafts.select_related("upload", "version__preparation").defer(Upload.LIGHT)
    found = get_object_or_404(rows, pk=pk)
    return render(request, "compose/_work.html", work_of(found))


def work_of(draft: Draft) -> dict[str, Any]:
    """Context of that part: the reading, the first rows that are rejected, and sends that were made of the same file."""
    version = drafts.version_in_use(draft) if draft.version_id else None
    reading = version.preparation if version is not None else None
    return {
        "draft": draft,
        "version": version,
        "reading": reading,
        "bad": drafts.first_stored_rows(version, BAD)[1] if version is not None else [],
        "before": drafts.file_sent_before(draft.upload) if draft.upload else [],
    }


@service_page("compose")
@require_POST
def draft_here(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """A sign of life every 15 seconds; the answer names who else is there, and the revision that is stored now."""
    found = get_object_or_404(service.drafts, pk=pk)
    user, now = request.user, timezone.now()
    if "leave" in request.POST:
        collaboration.mark_left(found, user=user)
        return JsonResponse({})
    collaboration.mark_present(found, user=user, field=request.POST.get("field", ""), now=now)
    form = DraftForm(instance=found, service=service)
    people = [_words(one, form) for one in collaboration.colleagues(found, without=user, now=now)]
    return JsonResponse({"people": people, "revision": found.revision, "sent": bool(found.send_id)})


# --- where drafts are found ---------------------------------------------------------------------------------------------


@service_page("compose")
@require_safe
def draft_list(request: HttpRequest, service: Service) -> HttpResponse:
    """Everything that is being written, the latest first, with who changed it last and who is at it now."""
    rows = service.drafts.filter(send=None).select_related(
        "sender", "template", "upload", "audience", "created_by", "changed_by"
    )
    page = Paginator(rows.defer("pasted", "upload__content"), PAGE).get_page(request.GET.get("page"))
    busy = collaboration.present_in(page.object_list, now=timezone.now())
    return render(request, "compose/drafts.html", {"page": page, "busy": busy})
