"""The compose page of a draft: as it is opened, and with what could not be saved or sent beside its fields."""

import json
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.forms.compose import DraftForm
from portal.forms.problems import add_problems
from portal.presenters import edit_conflicts
from portal.presenters.comments_card import comments_card
from portal.presenters.compose_preview import as_typed, preview_context
from portal.views.compose.saving_base import base_of
from sms.compose import drafts
from sms.compose.approval import queries
from sms.compose.drafts import collaboration, presence
from sms.compose.errors import ComposeError
from sms.models import Draft, Service
from sms.models.sql.clock import corrected_now
from sms.sends import progress
from sms.values.problems import Problem, ProblemCode

BAD = 8  # rejected rows that are shown
LAST_TESTS = 5


def compose_page(
    request: HttpRequest, form: DraftForm, *, kept: collaboration.Saved | None = None, status: int = 200
) -> HttpResponse:
    """The compose page. With `kept`, what it could not store is shown beside what a colleague stored."""
    draft: Draft = form.instance
    user: Any = request.user
    now = corrected_now()
    colleagues = []
    if draft.pk and not draft.send_id:
        presence.mark_present(draft, user=user, field="", now=now)
        colleagues = presence.colleagues(draft, without=user, now=now)
    if kept and (words := colleague_changes(kept, user)):
        messages.info(request, words)
    look = preview_context(draft.service, as_typed(form, request.GET), draft)
    form.offer(look["sample"].findings)
    context = {
        **(work_of(draft) if draft.pk else {}),
        **({"comments": comments_card(request, draft, form_id="compose")} if draft.pk else {}),
        "rejection": queries.rejections_of([draft]).get(draft.pk) if draft.pk else None,
        "form": form,
        "draft": draft,
        "clashes": edit_conflicts.of(kept, form) if kept else [],
        "base": json.dumps(next_base(request, draft, kept)),
        "begun": draft.begun or uuid4(),
        "colleagues": [presence_words(one, form) for one in colleagues],
        "look": look,
        "choosing": form,
    }
    return render(request, "compose/edit.html", context, status=status)


def next_base(request: HttpRequest, draft: Draft, kept: collaboration.Saved | None) -> dict[str, str]:
    """What the fields are to be compared with at the next save: as stored, but where it clashes as it was before both."""
    stored = kept.stored if kept else Draft.objects.get(pk=draft.pk) if draft.pk else draft
    before = base_of(request)
    clashing = kept.clashes if kept else ()
    return collaboration.fingerprints(stored) | {name: before[name] for name in clashing if name in before}


def colleague_changes(kept: collaboration.Saved, user: Any) -> str:
    """What colleagues changed since the page was shown, in words; empty where it was the same person in another window."""
    who = kept.before
    if not kept.theirs or who == user:
        return ""
    name = presence.name_of(who) if who else _("A colleague")
    # Translators: fields are names of fields of the page, such as “text and sender”.
    says = _("%(person)s changed %(fields)s while you wrote; it is in the page now.")
    return says % {"person": name, "fields": edit_conflicts.listed(kept.theirs)}


def presence_words(one: presence.Colleague, form: DraftForm) -> str:
    if not one.field:
        return _("%(person)s has this draft open") % {"person": one.name}
    # Translators: field is the name of a field of the page.
    says = _("%(person)s is editing %(field)s")
    return says % {"person": one.name, "field": edit_conflicts.label(one.field, form).lower()}


def draft_url(draft: Draft, *, at: int | None = None) -> str:
    url = reverse("draft", kwargs={"service": draft.service.slug, "pk": draft.pk})
    return url if at is None else f"{url}?{urlencode({'at': at})}#preview"


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


def last_tests(draft: Draft) -> list[progress.Progress]:
    tests = draft.tests.select_related("created_by").order_by("-id")
    return progress.progress_of_page(list(tests[:LAST_TESTS]))


def check_passing_on(request: HttpRequest, draft: Draft, withheld: bool) -> None:
    """Receipts hold whole numbers; those that are withheld only go to people who may export. Raises ComposeError."""
    if draft.notify_url and withheld and "export" not in request.may:  # type: ignore[attr-defined]
        says = _(
            "Receipts hold the numbers of a saved audience or of a program's send, which you may not export. "
            "Leave the address out, or ask an admin."
        )
        raise ComposeError([Problem(ProblemCode.NOT_USABLE, "notify_url", says)])


def refused(request: HttpRequest, service: Service, found: Draft, problem: ComposeError) -> HttpResponse:
    """The compose page of a draft that makes no send as it stands, each problem at its field."""
    bare = DraftForm(instance=found, service=service)
    # as form data, so that errors can be shown at its fields
    data = {name: value for name in bare.fields if (value := bare[name].value()) is not None}
    form = DraftForm(instance=found, service=service, data=data)
    form.is_valid()
    show_problems(form, problem)
    return compose_page(request, form, status=422)


def show_problems(form: DraftForm, error: ComposeError) -> None:
    """Each problem at the field that corrects it; `audience` is the file or the pasted numbers, whichever is in use."""
    audience = "audience" if form.instance.audience_id else "file" if form.instance.upload_id else "pasted"
    add_problems(form, error.problems, names={"audience": audience, "validity": "validity_count"})
