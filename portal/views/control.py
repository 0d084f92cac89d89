"""Pause, resume and stop: one send, one sender, one short-link domain, or the whole service; and what becomes of unconfirmed messages.

Every act is `sms.sends.control`'s or the dispatcher's. What concerns many sends asks first, on a page that says how much it stops.
"""

from typing import Any

from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from portal.access import WRITE, actor, service_page
from portal.forms.control import ReasonForm, SettleForm
from portal.presenters.send_state import may_send_again
from portal.views.button_base import Said, button, error, info
from portal.views.confirm_base import Confirmation, ConfirmView
from sms.dispatch import Settlement, by_person
from sms.dispatch.restored_copy import NotAfterRestore
from sms.ledger import wakeups
from sms.models import UNFINISHED, Actor, Hold, Message, MessageState, Send, Sender, Service, ShortLinkDomain
from sms.sends import control, holds


@button("cancel", Send, back="send")
def send_pause(send: Send, by: Actor) -> Said:
    """Without a question: a person who pauses is in a hurry."""
    if send.state not in UNFINISHED:
        return info("Nothing is left to pause: everything was posted or cancelled.")
    holds.hold(send, by=by, because=f"Paused by {by.label}.")
    return Said("Paused. Nothing more of it is posted until it is resumed.")


@service_page("cancel", WRITE, of=Send)
def send_resume(request: HttpRequest, service: Service, send: Send) -> HttpResponse:
    """Lift the hold on this send itself; a paused sender or domain is resumed where it was paused."""
    own = Hold.objects.active().filter(send=send).select_related("send__service").first()
    if own is not None and holds.lift(own, by=actor(request)):
        messages.success(request, "Resumed.")
    else:
        messages.info(request, "This send was not paused any more.")
    others = [one.covers for one in holds.holds_on(send)]
    if others:
        messages.warning(request, f"It still waits, because of a pause on {' and '.join(others)}.")
    return redirect("send", service=service.slug, pk=send.pk)


@button("cancel", Send, back="send")
def send_write_on(send: Send, by: Actor) -> Said:
    """Continues with writing messages that failed, once the cause is removed."""
    if control.resume_writing(send, by=by):
        return Said("It goes on where it stopped. Nothing is posted before all messages are written.")
    return info("It has already been resumed or cancelled.")


class ControlView(ConfirmView):
    """Asks about all sends of `thing`: a sender or a short-link domain, whose relation to the service is `parts`, or the service."""

    act = "configure"
    parts = ""
    back, crumb = "catalogue", "Catalogue"

    def find(self) -> Any:
        if not self.parts:
            return self.service
        return get_object_or_404(getattr(self.service, self.parts), pk=self.kwargs["pk"])

    def at_stake(self) -> control.AtStake:
        return control.at_stake(self.thing)


class PausePart(ControlView):
    form_class = ReasonForm

    def confirmation(self) -> Confirmation:
        noun = "sender" if isinstance(self.thing, Sender) else "short-link domain"
        return Confirmation(
            f"Pause the {noun} {self.thing}?",
            f"Nothing {_of(self.thing)} is posted any more, from now on and for new sends too.",
            "Nothing is lost: messages wait, and go out when it is resumed.",
            button="Pause it",
            danger=False,
        )

    def confirmed(self, form: Any) -> Said:
        holds.hold(self.thing, by=self.by, because=form.cleaned_data["reason"])
        return Said(f"Paused: nothing {_of(self.thing)} is posted until it is resumed.")


class PauseService(ControlView):
    form_class = ReasonForm
    back, crumb = "home", "Home"

    def confirmation(self) -> Confirmation:
        return Confirmation(
            f"Pause everything of {self.service.name}?",
            "Nothing of any send is posted any more: scheduled sends and new ones wait too.",
            "Nothing is lost: messages go out when the service is resumed.",
            button="Pause everything",
            danger=False,
        )

    def confirmed(self, form: Any) -> Said:
        because = f"{form.cleaned_data['reason'].rstrip(' .')}. Paused by {self.by.label}."
        if control.pause_everything(self.service, by=self.by, because=because[:200]):
            return Said(f"{self.service.name} is paused.")
        return info(f"{self.service.name} was paused already.")


class StopView(ControlView):
    def confirmation(self) -> Confirmation:
        everything = f"Stop everything {_of(self.thing)}"
        return Confirmation(
            f"{everything}?",
            "Cancelled messages are never sent. What was posted already cannot be called back.",
            "New sends are not affected. To keep those back as well, pause it first.",
            button=everything if self.parts else "Stop everything",
        )

    def confirmed(self, form: Any) -> Said:
        stopped = control.stop(self.thing, by=self.by)
        if not stopped:
            return info("Nothing was left to cancel.")
        plural = "" if stopped == 1 else "s"
        return Said(f"Cancelled: {intcomma(stopped)} message{plural} will not be sent.")


def _of(thing: Sender | ShortLinkDomain | Service) -> str:
    if isinstance(thing, Service):
        return f"of {thing.name}"
    return f"from {thing}" if isinstance(thing, Sender) else f"with links of {thing}"


def _resume(part: Sender | ShortLinkDomain, by: Actor) -> Said:
    found = holds.hold_on(part)
    if found is not None and holds.lift(found, by=by):
        return Said(f"Resumed: messages {_of(part)} go out again.")
    return info(f"{part} was not paused any more.")


sender_resume = button("configure", Sender, back="catalogue", at="")(_resume)
domain_resume = button("configure", ShortLinkDomain, back="catalogue", at="")(_resume)


@button("configure", back="home", refusals=NotAfterRestore)
def service_resume(service: Service, by: Actor) -> Said:
    """Also where the service paused itself."""
    if control.resume_service(service, by=by):
        return Said(f"{service.name} goes on sending.")
    return info(f"{service.name} was not paused any more.")


class SettleSend(ConfirmView):
    """All unconfirmed messages of a send at once. `?verdict=` says how."""

    act = "settle"
    form_class = SettleForm
    model = Send
    back, back_to_thing = "send", True

    @property
    def send(self) -> Send:
        send: Send = self.thing
        return send

    def unconfirmed(self) -> int:
        return self.send.counts().get(MessageState.UNCONFIRMED, 0)

    def over(self) -> Said | None:
        self.count, wanted = self.unconfirmed(), self.request.GET.get("verdict", "")
        if not self.count:
            return info("Nothing is unconfirmed any more: receipts came in.")
        if wanted not in [*Settlement]:
            return info("Choose what to do.")
        self.verdict = Settlement(wanted)
        if self.verdict == Settlement.SEND_AGAIN and not may_send_again(self.send):
            return error("This send was cancelled or has expired, so nothing of it is sent again.")
        return None

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"needed": self.verdict == Settlement.SEND_AGAIN}

    def confirmed(self, form: Any) -> Said:
        reason = form.cleaned_data["reason"]
        done = by_person(self.send, self.verdict, by=self.by, reason=reason, only=self.only())
        if self.verdict == Settlement.SEND_AGAIN:
            wakeups.dispatch()
        if not done:
            return info("Nothing was changed: their receipts have arrived.")
        what = f"{intcomma(done)} message{'' if done == 1 else 's'}"
        words = {
            Settlement.SEND_AGAIN: f"{what} will be sent again.",
            Settlement.TREAT_AS_SENT: f"{what} now count{'s' if done == 1 else ''} as accepted.",
            Settlement.GIVE_UP: f"{what} given up.",
        }
        return Said(words[self.verdict])

    def only(self) -> list[int] | None:
        return None

    def confirmation(self) -> Confirmation:
        many = self.count != 1
        what = f"{intcomma(self.count)} messages" if many else "1 message"
        they, were, s = ("they", "were", "") if many else ("it", "was", "s")
        does, *says = {
            Settlement.SEND_AGAIN: (
                f"Send {what} again",
                f"If {they} {were} sent after all, the same text arrives twice, and is paid for twice.",
                "Recipients who opted out, or whose text has expired, get nothing.",
            ),
            Settlement.TREAT_AS_SENT: (
                f"Treat {what} as sent",
                f"From now on {they} count{s} as accepted. A receipt that arrives later still counts.",
            ),
            Settlement.GIVE_UP: (
                f"Give up on {what}",
                f"From now on {they} count{s} as failed, and {they} will not be sent again. "
                "A receipt that says “delivered” still corrects this.",
            ),
        }[self.verdict]
        broke = f"The connection broke while {what} {were} being sent."
        may = f"{they.capitalize()} may have been sent."
        danger = self.verdict != Settlement.TREAT_AS_SENT
        return Confirmation(f"{does}?", f"{broke} {may}", *says, button=does, danger=danger)


class SettleMessage(SettleSend):
    back, crumb = "message", "Message"

    def find(self) -> Message:
        rows = Message.objects.select_related("send__service")
        return get_object_or_404(rows, send__service=self.service, pk=self.kwargs["pk"])

    @property
    def send(self) -> Send:
        send: Send = self.thing.send
        return send

    def unconfirmed(self) -> int:
        return int(self.thing.state == MessageState.UNCONFIRMED)

    def only(self) -> list[int]:
        return [self.thing.pk]
