"""Pause, resume and stop: one send, one sender, one short-link domain, or the whole service. Every act is `sms.sends.control`'s.

What concerns many sends asks first, on a page of its own that says how much it stops; so it works without JavaScript.
"""

from dataclasses import dataclass
from typing import Literal

from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from portal.access import actor, service_page
from portal.forms.control import ReasonForm
from sms.models import UNFINISHED, Hold, Send, Sender, Service, ShortLinkDomain
from sms.sends import control, holds

Part = Sender | ShortLinkDomain


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The words of a page that asks before it acts. `back` and `crumb` lead to where one came from."""

    title: str
    says: tuple[str, ...]
    button: str
    back: str
    crumb: str
    danger: bool = False


def ask(
    request: HttpRequest, asked: Confirmation, *, form: ReasonForm | None = None, at_stake: object = None
) -> HttpResponse:
    """Show it; 422 where its form was not accepted."""
    context = {"asked": asked, "form": form, "at_stake": at_stake}
    return render(request, "control/ask.html", context, status=422 if form and form.errors else 200)


# --- one send -----------------------------------------------------------------------------------------------------------


@service_page("cancel")
@require_POST
def send_pause(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """One press, no questions: whoever pauses is in a hurry."""
    send = get_object_or_404(Send.objects.select_related("service"), service=service, pk=pk)
    if send.state not in UNFINISHED:
        messages.info(request, "Nothing is left to pause: everything was posted or cancelled.")
    else:
        by = actor(request)
        holds.hold(send, by=by, because=f"Paused by {by.label}.")
        messages.success(request, "Paused. Nothing more of it is posted until somebody resumes it.")
    return redirect("send", service=service.slug, pk=send.pk)


@service_page("cancel")
@require_POST
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


@service_page("cancel")
@require_POST
def send_write_on(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Its messages could not be written, and the reason is mended."""
    send = get_object_or_404(Send.objects.select_related("service"), service=service, pk=pk)
    if control.resume_writing(send, by=actor(request)):
        messages.success(
            request, "It goes on where it stopped. Nothing is posted before all messages are written."
        )
    else:
        messages.info(request, "Somebody was faster: it goes on, or was cancelled.")
    return redirect("send", service=service.slug, pk=send.pk)


# --- a sender or a short-link domain ------------------------------------------------------------------------------------


@service_page("configure")
@require_http_methods(["GET", "HEAD", "POST"])
def sender_pause(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Post nothing from this sender."""
    return _pause(request, service, get_object_or_404(service.senders, pk=pk))


@service_page("configure")
@require_http_methods(["GET", "HEAD", "POST"])
def domain_pause(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Post nothing whose links this domain shortens."""
    return _pause(request, service, get_object_or_404(service.link_domains, pk=pk))


@service_page("configure")
@require_POST
def sender_resume(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Let it go on."""
    return _resume(request, service, get_object_or_404(service.senders, pk=pk))


@service_page("configure")
@require_POST
def domain_resume(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Let it go on."""
    return _resume(request, service, get_object_or_404(service.link_domains, pk=pk))


@service_page("configure")
@require_http_methods(["GET", "HEAD", "POST"])
def sender_stop(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Cancel what is still waiting from this sender."""
    return _stop(request, service, get_object_or_404(service.senders, pk=pk))


@service_page("configure")
@require_http_methods(["GET", "HEAD", "POST"])
def domain_stop(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Cancel what is still waiting with links of this domain."""
    return _stop(request, service, get_object_or_404(service.link_domains, pk=pk))


def _pause(request: HttpRequest, service: Service, part: Part) -> HttpResponse:
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        holds.hold(part, by=actor(request), because=form.cleaned_data["reason"])
        messages.success(
            request, f"Paused: nothing {_preposition(part)} {part} is posted until it is resumed."
        )
        return redirect("catalogue", service=service.slug)
    asked = Confirmation(
        title=f"Pause {_words(part)}?",
        says=(
            f"Nothing {_preposition(part)} {part} is posted any more, from now on and for new sends too.",
            "Nothing is lost: messages wait, and go out when it is resumed.",
        ),
        button="Pause it",
        back=reverse("catalogue", args=[service.slug]),
        crumb="Catalogue",
    )
    return ask(request, asked, form=form, at_stake=control.at_stake(part))


def _resume(request: HttpRequest, service: Service, part: Part) -> HttpResponse:
    standing = holds.hold_on(part)
    if standing is not None and holds.lift(standing, by=actor(request)):
        messages.success(request, f"Resumed: messages {_preposition(part)} {part} go out again.")
    else:
        messages.info(request, f"{part} was not paused any more.")
    return redirect("catalogue", service=service.slug)


def _stop(request: HttpRequest, service: Service, part: Part) -> HttpResponse:
    if request.method == "POST":
        _say_stopped(request, control.stop(part, by=actor(request)))
        return redirect("catalogue", service=service.slug)
    asked = Confirmation(
        title=f"Stop everything {_preposition(part)} {part}?",
        says=("Cancelled messages are never sent. What was posted already cannot be called back.", _LATER),
        button=f"Stop everything {_preposition(part)} {part}",
        back=reverse("catalogue", args=[service.slug]),
        crumb="Catalogue",
        danger=True,
    )
    return ask(request, asked, at_stake=control.at_stake(part))


_LATER = "New sends are not affected. To keep those back as well, pause it first."


def _words(part: Part) -> str:
    return f"the sender {part}" if isinstance(part, Sender) else f"the short-link domain {part}"


def _preposition(part: Part) -> Literal["from", "with links of"]:
    return "from" if isinstance(part, Sender) else "with links of"


def _say_stopped(request: HttpRequest, stopped: int) -> None:
    if stopped:
        plural = "" if stopped == 1 else "s"
        messages.success(request, f"Cancelled: {intcomma(stopped)} message{plural} will not be sent.")
    else:
        messages.info(request, "Nothing was left to cancel.")


# --- the whole service --------------------------------------------------------------------------------------------------


@service_page("configure")
@require_http_methods(["GET", "HEAD", "POST"])
def service_pause(request: HttpRequest, service: Service) -> HttpResponse:
    """Post nothing at all."""
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        by = actor(request)
        because = f"{form.cleaned_data['reason'].rstrip(' .')}. Paused by {by.label}."
        if control.pause_service(service, by=by, because=because[:200]):
            messages.success(request, f"{service.name} is paused.")
        else:
            messages.info(request, f"{service.name} was paused already.")
        return redirect("home", service=service.slug)
    asked = Confirmation(
        title=f"Pause everything of {service.name}?",
        says=(
            "Nothing is posted any more, whoever composed it: scheduled sends and new ones wait too.",
            "Nothing is lost: messages go out when the service is resumed.",
        ),
        button="Pause everything",
        back=reverse("home", args=[service.slug]),
        crumb="Home",
    )
    return ask(request, asked, form=form, at_stake=control.at_stake(service))


@service_page("configure")
@require_POST
def service_resume(request: HttpRequest, service: Service) -> HttpResponse:
    """Go on, after a person or the service itself paused it."""
    if control.resume_service(service, by=actor(request)):
        messages.success(request, f"{service.name} goes on sending.")
    else:
        messages.info(request, f"{service.name} was not paused any more.")
    return redirect("settings", service=service.slug)


@service_page("configure")
@require_http_methods(["GET", "HEAD", "POST"])
def service_stop(request: HttpRequest, service: Service) -> HttpResponse:
    """Cancel whatever was not posted yet."""
    if request.method == "POST":
        _say_stopped(request, control.stop(service, by=actor(request)))
        return redirect("home", service=service.slug)
    asked = Confirmation(
        title=f"Stop everything of {service.name}?",
        says=("Cancelled messages are never sent. What was posted already cannot be called back.", _LATER),
        button="Stop everything",
        back=reverse("home", args=[service.slug]),
        crumb="Home",
        danger=True,
    )
    return ask(request, asked, at_stake=control.at_stake(service))
