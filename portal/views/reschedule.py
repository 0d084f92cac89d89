"""Moving a send that has not begun to another time, or to now. A page of its own, so that it works without scripts."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from portal.access import FORM, actor, service_page
from portal.forms.reschedule import MoveForm
from sms.compose.errors import ComposeError
from sms.models import Send, SendState, Service
from sms.sends import calendar, holds, reschedule
from sms.values import quiet_hours

AROUND = timedelta(days=1)
SHOWN = 12


@service_page("compose", FORM)
def send_move(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """A send that begins while the page is open is not moved, and the page says so."""
    found = get_object_or_404(Send.objects.select_related("sender", "service"), service=service, pk=pk)
    now = timezone.now()
    posted = request.method == "POST"
    form = MoveForm(request.POST if posted else None, initial={"send_at": timezone.localtime(found.due_at)})
    if posted:
        at_once = "now" in request.POST
        if at_once or form.is_valid():
            try:
                reschedule.reschedule(
                    found,
                    due_at=now if at_once else form.cleaned_data["send_at"],
                    by=actor(request),
                    now=now,
                )
            except reschedule.SendHasBegun as problem:
                messages.warning(request, str(problem))
            except ComposeError as problem:
                form = form if form.is_bound else MoveForm(request.POST)
                for one in problem.problems:
                    form.add_error("send_at", one.text)
                return _page(request, service, found, form)
            else:
                _say(request, found, at_once=at_once)
            return _back(request, service, found)
        return _page(request, service, found, form)
    if found.state not in calendar.BEFORE:
        messages.info(request, reschedule.too_late(found))
        return redirect("send", service=service.slug, pk=found.pk)
    return _page(request, service, found, form)


def _page(request: HttpRequest, service: Service, found: Send, form: MoveForm) -> HttpResponse:
    near = calendar.entries_between(
        [service], since=found.due_at - AROUND, until=found.due_at + AROUND, now=timezone.now()
    )
    entries = [one for one in near.entries if one.send != found]
    context = {
        "form": form,
        "send": found,
        "near": entries[:SHOWN],
        "from_calendar": request.GET.get("from") == "calendar",
    }
    return render(request, "sends/move.html", context, status=422 if form.errors else 200)


def _say(request: HttpRequest, found: Send, *, at_once: bool) -> None:
    local = timezone.localtime(found.due_at)
    if at_once:
        messages.success(request, "Its time is now.")
    else:
        messages.success(request, f"Moved: it goes out on {local:%A %-d %B %Y} at {local:%H:%M %Z}.")
    if found.state == SendState.AWAITING:
        messages.warning(request, "It needs approval of its new time. Nothing is sent before.")
    zone, quiet = found.service.time_zone, found.quiet_hours
    if quiet and (quiet_hours.next_allowed(found.due_at, (zone,), quiet) or found.due_at) > found.due_at:
        messages.warning(
            request,
            f"That is within the quiet hours ({quiet}, the recipient's time): most messages will wait for their end.",
        )
    if holds.holds_on(found).exists() or found.service.paused_at:
        messages.warning(request, "It is on hold, so nothing of it is sent until it is resumed.")


def _back(request: HttpRequest, service: Service, found: Send) -> HttpResponse:
    if request.GET.get("from") == "calendar" and found.state in calendar.BEFORE:
        at = timezone.localtime(found.due_at).date()
        response = redirect("calendar", service=service.slug)
        response["Location"] += f"?view=week&at={at}"
        return response
    return redirect("send", service=service.slug, pk=found.pk)
