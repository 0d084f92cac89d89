"""Pause, resume and stop: one send, one sender, one short-link domain, or the whole service. Every act is `sms.sends.control`'s.

What concerns many sends asks first, on a page of its own that says how much it stops.
"""

from typing import Any

from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from portal.access import WRITE, actor, service_page
from portal.forms.control import ReasonForm
from portal.views.confirm_base import Confirmation, ConfirmView
from sms.models import UNFINISHED, Hold, Send, Sender, Service, ShortLinkDomain
from sms.sends import control, holds

# --- one send -----------------------------------------------------------------------------------------------------------


@service_page("cancel", WRITE)
def send_pause(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Without a question: a person who pauses is in a hurry."""
    send = get_object_or_404(Send.objects.select_related("service"), service=service, pk=pk)
    if send.state not in UNFINISHED:
        messages.info(request, "Nothing is left to pause: everything was posted or cancelled.")
    else:
        by = actor(request)
        holds.hold(send, by=by, because=f"Paused by {by.label}.")
        messages.success(request, "Paused. Nothing more of it is posted until it is resumed.")
    return redirect("send", service=service.slug, pk=send.pk)


@service_page("cancel", WRITE)
def send_resume(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Lift the hold on this send itself; a paused sender or domain is resumed where it was paused."""
    send = get_object_or_404(Send, service=service, pk=pk)
    own = Hold.objects.active().filter(send=send).select_related("send__service").first()
    if own is not None and holds.lift(own, by=actor(request)):
        messages.success(request, "Resumed.")
    else:
        messages.info(request, "This send was not paused any more.")
    others = [one.covers for one in holds.holds_on(send)]
    if others:
        messages.warning(request, f"It still waits, because of a pause on {' and '.join(others)}.")
    return redirect("send", service=service.slug, pk=send.pk)


@service_page("cancel", WRITE)
def send_write_on(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Continues with writing messages that failed, once the cause is removed."""
    send = get_object_or_404(Send.objects.select_related("service"), service=service, pk=pk)
    if control.resume_writing(send, by=actor(request)):
        messages.success(
            request, "It goes on where it stopped. Nothing is posted before all messages are written."
        )
    else:
        messages.info(request, "It has already been resumed or cancelled.")
    return redirect("send", service=service.slug, pk=send.pk)


# --- all sends of a sender, a short-link domain or the service ----------------------------------------------------------


class ControlView(ConfirmView):
    """Asks about all sends of `thing`: a sender or a short-link domain, whose relation to the service is `parts`, or the service."""

    act = "configure"
    parts = ""
    back, crumb = "catalogue", "Catalogue"

    def find(self) -> Sender | ShortLinkDomain | Service:
        if not self.parts:
            return self.service
        found: Sender | ShortLinkDomain = get_object_or_404(
            getattr(self.service, self.parts), pk=self.kwargs["pk"]
        )
        return found

    def at_stake(self) -> control.AtStake:
        return control.at_stake(self.thing)


class PausePart(ControlView):
    form_class = ReasonForm

    def confirmation(self) -> Confirmation:
        noun = "sender" if isinstance(self.thing, Sender) else "short-link domain"
        return Confirmation(
            title=f"Pause the {noun} {self.thing}?",
            says=(
                f"Nothing {_of(self.thing)} is posted any more, from now on and for new sends too.",
                "Nothing is lost: messages wait, and go out when it is resumed.",
            ),
            button="Pause it",
            danger=False,
        )

    def confirmed(self, form: Any) -> None:
        holds.hold(self.thing, by=actor(self.request), because=form.cleaned_data["reason"])
        messages.success(self.request, f"Paused: nothing {_of(self.thing)} is posted until it is resumed.")


class PauseService(ControlView):
    form_class = ReasonForm
    back, crumb = "home", "Home"

    def confirmation(self) -> Confirmation:
        return Confirmation(
            title=f"Pause everything of {self.service.name}?",
            says=(
                "Nothing of any send is posted any more: scheduled sends and new ones wait too.",
                "Nothing is lost: messages go out when the service is resumed.",
            ),
            button="Pause everything",
            danger=False,
        )

    def confirmed(self, form: Any) -> None:
        by = actor(self.request)
        because = f"{form.cleaned_data['reason'].rstrip(' .')}. Paused by {by.label}."
        if control.pause_service(self.service, by=by, because=because[:200]):
            messages.success(self.request, f"{self.service.name} is paused.")
        else:
            messages.info(self.request, f"{self.service.name} was paused already.")


class StopView(ControlView):
    def confirmation(self) -> Confirmation:
        everything = f"Stop everything {_of(self.thing)}"
        return Confirmation(
            title=f"{everything}?",
            says=(
                "Cancelled messages are never sent. What was posted already cannot be called back.",
                "New sends are not affected. To keep those back as well, pause it first.",
            ),
            button=everything if self.parts else "Stop everything",
        )

    def confirmed(self, form: Any) -> None:
        if stopped := control.stop(self.thing, by=actor(self.request)):
            plural = "" if stopped == 1 else "s"
            words = f"Cancelled: {intcomma(stopped)} message{plural} will not be sent."
            messages.success(self.request, words)
        else:
            messages.info(self.request, "Nothing was left to cancel.")


class StopService(StopView):
    back, crumb = "home", "Home"


def _of(thing: Sender | ShortLinkDomain | Service) -> str:
    if isinstance(thing, Service):
        return f"of {thing.name}"
    return f"from {thing}" if isinstance(thing, Sender) else f"with links of {thing}"


@service_page("configure", WRITE)
def sender_resume(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    return _resume(request, get_object_or_404(service.senders, pk=pk))


@service_page("configure", WRITE)
def domain_resume(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    return _resume(request, get_object_or_404(service.link_domains, pk=pk))


def _resume(request: HttpRequest, part: Sender | ShortLinkDomain) -> HttpResponse:
    found = holds.hold_on(part)
    if found is not None and holds.lift(found, by=actor(request)):
        messages.success(request, f"Resumed: messages {_of(part)} go out again.")
    else:
        messages.info(request, f"{part} was not paused any more.")
    return redirect("catalogue", service=part.service.slug)


@service_page("configure", WRITE)
def service_resume(request: HttpRequest, service: Service) -> HttpResponse:
    """Also where the service paused itself."""
    if control.resume_service(service, by=actor(request)):
        messages.success(request, f"{service.name} goes on sending.")
    else:
        messages.info(request, f"{service.name} was not paused any more.")
    return redirect("settings", service=service.slug)
