"""Work on a draft's large audience: a moment of it within a request, and its buttons: stop, go on, take back rows that were put right."""

import time

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.access import actor
from portal.limits import upload_limits
from portal.views.button_base import error
from sms.compose import background, drafts
from sms.compose.errors import ComposeError
from sms.models import Draft
from sms.models.audit import audit
from sms.words import number

HEAD_START = 1.2  # seconds that the press of a button may work on it itself, so that the next page has something to show


def check_for_a_moment(draft: Draft) -> None:
    """Raises ComposeError where the draft makes no send, as far as that is known within a moment."""
    try:
        figures_within(draft, HEAD_START)
    except drafts.NotReady:
        return  # the next page shows how far it is


def figures_within(draft: Draft, seconds: float) -> drafts.DraftTotals:
    """The draft's figures, after up to `seconds` of work on them where no other process does it. Raises ComposeError, and NotReady."""
    until = time.monotonic() + seconds
    while True:
        looked: drafts.DraftTotals | drafts.NotReady
        try:
            looked = drafts.totals_of(draft, limits=upload_limits())
        except drafts.NotReady as problem:
            looked = problem
        waiting, left = looked.preparation, until - time.monotonic()
        if (
            waiting is None
            or not waiting.is_waiting
            or left <= 0
            or not background.work_on(waiting.pk, seconds=left)
        ):
            break
        if draft.version is not None:
            draft.version.refresh_from_db()
    if isinstance(looked, drafts.NotReady):
        raise looked
    return looked


def press(request: HttpRequest, saved: Draft) -> bool:
    """Do what one of these buttons of the compose page asks for; False where it was another button."""
    act = next((one for one in ACTS if one in request.POST), None)
    if act is None:
        return False
    # as it is stored: the page may have changed where its rows are
    ACTS[act](request, drafts.with_related(Draft.objects.all()).get(pk=saved.pk))
    return True


def _stop(request: HttpRequest, found: Draft) -> None:
    if drafts.stop_preparing(found):
        audit("draft.check_stopped", found, by=actor(request))
        messages.success(request, _("Stopped. What was done so far is kept; go on whenever you like."))


def _go_on(_request: HttpRequest, found: Draft) -> None:
    drafts.resume_preparing(found)


def _mend(request: HttpRequest, found: Draft) -> None:
    file: UploadedFile | None = request.FILES.get("mended")
    limits = upload_limits()
    if file is None:
        messages.error(request, _("Choose the file with the rows that you put right."))
        return
    if (file.size or 0) > limits.bytes:
        says = _("%(file)s is too large: %(limit)s MB are allowed.")
        messages.error(request, says % {"file": file.name, "limit": f"{limits.bytes / 1_000_000:.0f}"})
        return
    try:
        _take_in(request, found, file.read(), name=file.name or "file")
    except ComposeError as problem:
        error(problem).on(request)


def correct(request: HttpRequest, found: Draft, cells: drafts.Corrections) -> bool:
    """Put cells of rejected rows right, in a pasted list itself, otherwise in the rows that the draft keeps beside its file."""
    found = drafts.with_related(Draft.objects.all()).get(pk=found.pk)
    limits = upload_limits()
    if found.numbers_withheld:
        messages.error(request, _("The rows of a saved audience are corrected on its own page."))
        return False
    try:
        rows = drafts.corrected_csv(found, cells, limits=limits)
        with transaction.atomic():
            done = drafts.correct_pasted(found, cells, user=request.user)
            if done:
                audit("draft.rows_mended", found, by=actor(request))
        if not done:
            _take_in(request, found, rows.encode(), name="corrected rows")
    except ComposeError as problem:
        error(problem).on(request)
        return False
    says = ngettext(
        "%(n)s row corrected and checked again.", "%(n)s rows corrected and checked again.", len(cells)
    )
    messages.success(request, says % {"n": number(len(cells))})
    return True


def _take_in(request: HttpRequest, found: Draft, rows: bytes, *, name: str) -> None:
    """Raises ComposeError."""
    _have_read(found)
    with transaction.atomic():
        work = drafts.add_corrections(found, rows, name=name, limits=upload_limits(), user=request.user)
        audit("draft.rows_mended", found, by=actor(request))
    background.work_on(work.pk, seconds=HEAD_START)


def _have_read(found: Draft) -> None:
    """A few rows are read into a version now, before the transaction: what it rolls back would have to be read for ever."""
    try:
        drafts.base_of_corrections(found, limits=upload_limits())
    except drafts.NotReady as waiting:
        background.work_on(waiting.preparation.pk, seconds=HEAD_START)
        if found.version is not None:
            found.version.refresh_from_db()


ACTS = {"stop": _stop, "go_on": _go_on, "mend": _mend}
