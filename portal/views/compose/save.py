"""What the script of the compose page asks: saves and previews while one types, how far a file is read, and who else has the draft open."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone

from portal.access import WRITE, service_page
from portal.forms.compose import DraftForm
from portal.limits import upload_limits
from portal.presenters import edit_conflicts
from portal.presenters.compose_preview import preview_context
from portal.presenters.downloads import csv_download
from portal.views.compose.page_base import colleague_changes, draft_url, next_base, presence_words, work_of
from portal.views.compose.saving_base import store_typed
from portal.views.compose.used_drafts import what_it_became
from sms.audiences.files import Audience
from sms.audiences.files.choices import NAMES
from sms.audiences.files.download import sample_csv
from sms.compose import background, drafts
from sms.compose.drafts import collaboration, presence
from sms.compose.errors import ComposeError
from sms.compose.resolved_order import resolve
from sms.models import Draft, Service, Upload
from sms.models.sql.clock import corrected_now
from sms.words import moment

RECALLED = ("column", "country", *NAMES)
HEAD_START = 0.6  # seconds that the answer to an upload may work on it itself
# not a mistake while one writes: the choice that asks for them was made just now
TO_COME = ("send_at", "expires_at", "validity_count")
# parts of the page, each a template
PREVIEWED = ("found", "preview", "senders", "when", "rows", "odd", "placeholders")


@service_page("compose", WRITE)
def compose_save(request: HttpRequest, service: Service) -> HttpResponse:
    """The first save of a page creates the draft."""
    return _saved(request, service, Draft(service=service))


@service_page("compose", WRITE)
def draft_save(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    return _saved(request, service, get_object_or_404(service.drafts, pk=pk))


def _saved(request: HttpRequest, service: Service, found: Draft) -> HttpResponse:
    """200 where everything was stored, 409 with what clashes, 410 with the address of what the draft became."""
    try:
        form, kept = store_typed(request, service, found)
    except collaboration.DraftSent as problem:
        return JsonResponse({"send": what_it_became(problem.draft)}, status=410)
    draft = kept.stored
    if request.FILES or len(draft.pasted) > drafts.SMALL:
        _read_on(draft)
    fresh = DraftForm(instance=draft, service=service)
    clash = edit_conflicts.of(kept, form)
    errors = {
        str(form[name].label) if name in form.fields else name: list(form.errors[name])
        for name in form.errors
        if not (name in TO_COME and form.has_error(name, "required"))
    }
    answer = {
        "draft": draft.pk,
        "page": draft_url(draft),
        "revision": draft.revision,
        "at": moment(timezone.localtime(draft.changed_at), "H:i:s"),
        "base": next_base(request, draft, kept),
        # a new file brings what was chosen for the last one with its headings; unsaid, the page would save its own over it
        "theirs": edit_conflicts.values(
            [*kept.theirs, *(RECALLED if "file" in request.FILES else ())], fresh
        ),
        "notice": colleague_changes(kept, request.user),
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
def draft_work(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """How far the reading of its file is, fetched every second while it goes on."""
    rows = service.drafts.select_related("upload", "version__preparation").defer(Upload.LIGHT)
    found = get_object_or_404(rows, pk=pk)
    return render(request, "compose/_work.html", work_of(found))


@service_page("compose")
def draft_sample(_: HttpRequest, service: Service, pk: int) -> HttpResponseBase:
    """A file to fill in: a column for the numbers and one for each placeholder, with a row of examples."""
    found = get_object_or_404(drafts.with_related(service.drafts.all()), pk=pk)
    nobody = Audience([], "", [], [])
    asked = resolve(drafts.order_of_draft(found, limits=upload_limits(), audience=nobody)).placeholders
    lines = sample_csv({one.name: one.rule.example for one in asked})
    return csv_download(lines, name=f"sample-draft-{found.pk}{service.file_mark}.csv")


@service_page("compose", WRITE)
def draft_here(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """A sign of life every 15 seconds; the answer names who else is there, and the revision that is stored now."""
    found = get_object_or_404(service.drafts, pk=pk)
    user, now = request.user, corrected_now()
    if "leave" in request.POST:
        presence.mark_left(found, user=user)
        return JsonResponse({})
    presence.mark_present(found, user=user, field=request.POST.get("field", ""), now=now)
    form = DraftForm(instance=found, service=service)
    people = [presence_words(one, form) for one in presence.colleagues(found, without=user, now=now)]
    return JsonResponse({"people": people, "revision": found.revision, "sent": not found.is_open})


@service_page("compose", WRITE)
def compose_preview(request: HttpRequest, service: Service) -> HttpResponse:
    return _previewed(service, request.POST, Draft(service=service))


@service_page("compose", WRITE)
def draft_preview(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    files = ("upload", "version__upload", "version__mends__upload")
    rows = service.drafts.select_related(*files).defer(*(f"{file}__content" for file in files))
    return _previewed(service, request.POST, get_object_or_404(rows, pk=pk))


def _previewed(service: Service, typed: Mapping[str, Any], draft: Draft) -> HttpResponse:
    made = preview_context(service, typed, draft)
    parts = {name: render_to_string(f"compose/_{name}.html", {**made, "look": made}) for name in PREVIEWED}
    return JsonResponse({"parts": parts, "said": made["said"], "replaced": made["preview"].replaced})
