"""Stop and go on with the work on a draft's large audience, and take rejected rows back that were put right.

On the review page each is a form of its own. On the compose page (`portal.views.compose.edit`) each is a button of the one
form, so that what
was typed is saved with it, also without scripts.
"""

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from portal.access import actor, service_page
from portal.limits import upload_limits
from portal.views.compose import plan
from sms.compose import background, drafts
from sms.compose.errors import ComposeError
from sms.models import Draft, Service
from sms.models.audit import audit


@service_page("compose")
@require_POST
def draft_stop(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Read or check no further."""
    return _done(request, service, pk, "stop")


@service_page("compose")
@require_POST
def draft_go_on(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Take it up where it stopped."""
    return _done(request, service, pk, "go_on")


@service_page("compose")
@require_POST
def draft_mend(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Rejected rows that were put right come back and join the others."""
    return _done(request, service, pk, "mend")


def _done(request: HttpRequest, service: Service, pk: int, act: str) -> HttpResponse:
    found = get_object_or_404(drafts.with_related(service.drafts.all()), pk=pk)
    ACTS[act](request, found)
    return redirect("draft_review", service=service.slug, pk=found.pk)


def pressed(request: HttpRequest, saved: Draft) -> bool:
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
        background.work_on(work.pk, seconds=plan.HEAD_START)


def _have_read(found: Draft) -> None:
    """A few rows are read into a version now, before the transaction: what it rolls back would have to be read for ever."""
    try:
        drafts.base_of_corrections(found, limits=upload_limits())
    except drafts.NotReady as waiting:
        background.work_on(waiting.preparation.pk, seconds=plan.HEAD_START)
        if found.version is not None:
            found.version.refresh_from_db()


ACTS = {"stop": _stop, "go_on": _go_on, "mend": _mend}
