"""What becomes of numbers that may be no mobile of the person: decided once for each kind, on the flight plan."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from portal.access import WRITE, actor, service_page
from portal.views.compose.used_drafts import in_use
from sms.compose.drafts import collaboration
from sms.models import Draft, Service
from sms.models.audit import audit
from sms.values.msisdn.kinds import DOUBTFUL, NumberKind


@service_page("compose", WRITE)
def draft_leave_out(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    found = get_object_or_404(service.drafts, pk=pk)
    wanted = chosen(request, found)
    if wanted == found.leave_out:
        messages.info(request, _("Nothing was changed."))
        return redirect("draft_review", service=service.slug, pk=pk)
    return keep(request, found, wanted, says=_("Your choice is saved. The figures below count with it."))


def chosen(request: HttpRequest, found: Draft) -> NumberKind:
    """Each kind that the page shows is answered with `send` or `leave_out`; others stay as they are."""
    wanted = found.leave_out
    for kind in DOUBTFUL:
        answer = request.POST.get(kind.names[0])
        if answer in ("send", "leave_out"):
            wanted = NumberKind(wanted & ~kind) | (kind if answer == "leave_out" else NumberKind(0))
    return wanted


def keep(request: HttpRequest, found: Draft, wanted: NumberKind, *, says: str) -> HttpResponse:
    """The flight plan again, with other figures."""
    found.leave_out = wanted
    try:
        with transaction.atomic():
            collaboration.save(found, base={}, user=request.user)
            audit("draft.numbers_chosen", found, by=actor(request), leave_out=wanted.names)
    except collaboration.DraftSent as problem:
        return in_use(request, problem.draft)
    messages.success(request, says)
    return redirect("draft_review", service=found.service.slug, pk=found.pk)
