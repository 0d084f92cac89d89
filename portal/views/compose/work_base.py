"""The buttons for work on a draft's large audience: stop, go on, and take rejected rows back that were put right."""

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest

from portal.access import actor
from portal.limits import upload_limits
from portal.views.compose.figures_base import HEAD_START
from sms.compose import background, drafts
from sms.compose.errors import ComposeError
from sms.models import Draft
from sms.models.audit import audit


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
        messages.success(request, "Stopped. What was done so far is kept; go on whenever you like.")


def _go_on(_: HttpRequest, found: Draft) -> None:
    drafts.resume_preparing(found)


def _mend(request: HttpRequest, found: Draft) -> None:
    file: UploadedFile | None = request.FILES.get("mended")
    limits = upload_limits()
    if file is None:
        messages.error(request, "Choose the file with the rows that you put right.")
        return
    if (file.size or 0) > limits.bytes:
        messages.error(request, f"{file.name} is too large: {limits.bytes / 1_000_000:.0f} MB are allowed.")
        return
    try:
        _have_read(found)
        with transaction.atomic():
            work = drafts.add_corrections(
                found, file.read(), name=file.name or "file", limits=limits, user=request.user
            )
            audit("draft.rows_mended", found, by=actor(request))
    except ComposeError as problem:
        messages.error(request, str(problem))
    else:
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
