"""Pause, resume and stop: one send, one sender, one short-link domain, or the whole service; and what becomes of unconfirmed messages.

Every act is `sms.sends.control`'s or the dispatcher's. What concerns many sends asks first, on a page that says how much it stops.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

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
from sms.words import KeptSentence, listed, number

PAUSED = KeptSentence(gettext_noop("Paused by %(who)s."))
PAUSED_BECAUSE = KeptSentence(gettext_noop("%(reason)s. Paused by %(who)s."))


@button("cancel", Send, back="send")
def send_pause(send: Send, by: Actor) -> Said:
    """Without a question: a person who pauses is in a hurry."""
    if send.state not in UNFINISHED:
        return info(_("Nothing is left to pause: everything was posted or cancelled."))
    holds.hold(send, by=by, because=PAUSED(who=by.label))
    return Said(_("Paused. Nothing more of it is posted until it is resumed."))


@service_page("cancel", WRITE, of=Send)
def send_resume(request: HttpRequest, service: Service, send: Send) -> HttpResponse:
    """Lift the hold on this send itself; a paused sender or domain is resumed where it was paused."""
    own = Hold.objects.active().filter(send=send).select_related("send__service").first()
    if own is not None and holds.lift(own, by=actor(request)):
        messages.success(request, _("Resumed."))
    else:
        messages.info(request, _("This send was not paused any more."))
    if others := [one.covers for one in holds.holds_on(send)]:
        # Translators: covers is what is paused, as "sender SHOP and short-link domain s.example.com".
        says = _("It still waits, because of a pause on %(covers)s.")
        messages.warning(request, says % {"covers": listed(others)})
    return redirect("send", service=service.slug, pk=send.pk)


@button("cancel", Send, back="send")
def send_write_on(send: Send, by: Actor) -> Said:
    """Continues with writing messages that failed, once the cause is removed."""
    if control.resume_writing(send, by=by):
        return Said(_("It goes on where it stopped. Nothing is posted before all messages are written."))
    return info(_("It has already been resumed or cancelled."))


class ControlView(ConfirmView):
    """Asks about all sends of `thing`: a sender or a short-link domain, whose relation to the service is `parts`, or the service."""

    act = "configure"
    parts = ""
    back, crumb = "catalogue", gettext_lazy("Catalogue")

    def find(self) -> Any:
        if not self.parts:
            return self.service
        return get_object_or_404(getattr(self.service, self.parts), pk=self.kwargs["pk"])

    def at_stake(self) -> control.AtStake:
        return control.at_stake(self.thing)


class PausePart(ControlView):
    form_class = ReasonForm

    def confirmation(self) -> Confirmation:
        if isinstance(self.thing, Sender):
            title = _("Pause the sender %(name)s?")
            says = _("Nothing from %(name)s is posted any more, from now on and for new sends too.")
        else:
            title = _("Pause the short-link domain %(name)s?")
            says = _("Nothing with links of %(name)s is posted any more, from now on and for new sends too.")
        return Confirmation(
            title % {"name": self.thing},
            says % {"name": self.thing},
            _("Nothing is lost: messages wait, and go out when it is resumed."),
            button=_("Pause it"),
            danger=False,
        )

    def confirmed(self, form: Any) -> Said:
        holds.hold(self.thing, by=self.by, because=form.cleaned_data["reason"])
        if isinstance(self.thing, Sender):
            says = _("Paused: nothing from %(name)s is posted until it is resumed.")
        else:
            says = _("Paused: nothing with links of %(name)s is posted until it is resumed.")
        return Said(says % {"name": self.thing})


class PauseService(ControlView):
    form_class = ReasonForm
    back, crumb = "home", gettext_lazy("Home")

    def confirmation(self) -> Confirmation:
        return Confirmation(
            _("Pause everything of %(name)s?") % {"name": self.service.name},
            _("Nothing of any send is posted any more: scheduled sends and new ones wait too."),
            _("Nothing is lost: messages go out when the service is resumed."),
            button=_("Pause everything"),
            danger=False,
        )

    def confirmed(self, form: Any) -> Said:
        because = PAUSED_BECAUSE(reason=form.cleaned_data["reason"].rstrip(" ."), who=self.by.label)
        if control.pause_everything(self.service, by=self.by, because=because[:200]):
            return Said(_("%(name)s is paused.") % {"name": self.service.name})
        return info(_("%(name)s was paused already.") % {"name": self.service.name})


class StopView(ControlView):
    def confirmation(self) -> Confirmation:
        if isinstance(self.thing, Service):
            title, button = _("Stop everything of %(name)s?"), _("Stop everything")
        elif isinstance(self.thing, Sender):
            title, button = _("Stop everything from %(name)s?"), _("Stop everything from %(name)s")
        else:
            title = _("Stop everything with links of %(name)s?")
            button = _("Stop everything with links of %(name)s")
        name = {"name": self.thing.name if isinstance(self.thing, Service) else self.thing}
        return Confirmation(
            title % name,
            _("Cancelled messages are never sent. What was posted already cannot be called back."),
            _("New sends are not affected. To keep those back as well, pause it first."),
            button=button % name,
        )

    def confirmed(self, form: Any) -> Said:
        stopped = control.stop(self.thing, by=self.by)
        if not stopped:
            return info(_("Nothing was left to cancel."))
        says = ngettext(
            "Cancelled: %(n)s message will not be sent.",
            "Cancelled: %(n)s messages will not be sent.",
            stopped,
        )
        return Said(says % {"n": number(stopped)})


def _resume(part: Sender | ShortLinkDomain, by: Actor) -> Said:
    found = holds.hold_on(part)
    if found is not None and holds.lift(found, by=by):
        if isinstance(part, Sender):
            says = _("Resumed: messages from %(name)s go out again.")
        else:
            says = _("Resumed: messages with links of %(name)s go out again.")
        return Said(says % {"name": part})
    return info(_("%(name)s was not paused any more.") % {"name": part})


sender_resume = button("configure", Sender, back="catalogue", at="")(_resume)
domain_resume = button("configure", ShortLinkDomain, back="catalogue", at="")(_resume)


@button("configure", back="home", refusals=NotAfterRestore)
def service_resume(service: Service, by: Actor) -> Said:
    """Also where the service paused itself."""
    if control.resume_service(service, by=by):
        return Said(_("%(name)s goes on sending.") % {"name": service.name})
    return info(_("%(name)s was not paused any more.") % {"name": service.name})


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
            return info(_("Nothing is unconfirmed any more: receipts came in."))
        if wanted not in [*Settlement]:
            return info(_("Choose what to do."))
        self.verdict = Settlement(wanted)
        if self.verdict == Settlement.SEND_AGAIN and not may_send_again(self.send):
            return error(_("This send was cancelled or has expired, so nothing of it is sent again."))
        return None

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"needed": self.verdict == Settlement.SEND_AGAIN}

    def confirmed(self, form: Any) -> Said:
        reason = form.cleaned_data["reason"]
        done = by_person(self.send, self.verdict, by=self.by, reason=reason, only=self.only())
        if self.verdict == Settlement.SEND_AGAIN:
            wakeups.dispatch()
        if not done:
            return info(_("Nothing was changed: their receipts have arrived."))
        words = {
            Settlement.SEND_AGAIN: ngettext(
                "%(n)s message will be sent again.", "%(n)s messages will be sent again.", done
            ),
            Settlement.TREAT_AS_SENT: ngettext(
                "%(n)s message now counts as accepted.", "%(n)s messages now count as accepted.", done
            ),
            Settlement.GIVE_UP: ngettext("%(n)s message given up.", "%(n)s messages given up.", done),
        }
        return Said(words[self.verdict] % {"n": number(done)})

    def only(self) -> list[int] | None:
        return None

    def confirmation(self) -> Confirmation:
        many = self.count
        title, button, *says = {
            Settlement.SEND_AGAIN: _send_again,
            Settlement.TREAT_AS_SENT: _treat_as_sent,
            Settlement.GIVE_UP: _give_up,
        }[self.verdict](many)
        broke = ngettext(
            "The connection broke while %(n)s message was being sent. It may have been sent.",
            "The connection broke while %(n)s messages were being sent. They may have been sent.",
            many,
        )
        n = {"n": number(many)}
        danger = self.verdict != Settlement.TREAT_AS_SENT
        return Confirmation(title % n, broke % n, *says, button=button % n, danger=danger)


def _send_again(many: int) -> tuple[str, ...]:
    """The title, the button and what follows."""
    return (
        ngettext("Send %(n)s message again?", "Send %(n)s messages again?", many),
        ngettext("Send %(n)s message again", "Send %(n)s messages again", many),
        ngettext(
            "If it was sent after all, the same text arrives twice, and is paid for twice.",
            "If they were sent after all, the same text arrives twice, and is paid for twice.",
            many,
        ),
        _("Recipients who opted out, or whose text has expired, get nothing."),
    )


def _treat_as_sent(many: int) -> tuple[str, ...]:
    return (
        ngettext("Treat %(n)s message as sent?", "Treat %(n)s messages as sent?", many),
        ngettext("Treat %(n)s message as sent", "Treat %(n)s messages as sent", many),
        ngettext(
            "From now on it counts as accepted. A receipt that arrives later still counts.",
            "From now on they count as accepted. A receipt that arrives later still counts.",
            many,
        ),
    )


def _give_up(many: int) -> tuple[str, ...]:
    return (
        ngettext("Give up on %(n)s message?", "Give up on %(n)s messages?", many),
        ngettext("Give up on %(n)s message", "Give up on %(n)s messages", many),
        ngettext(
            "From now on it counts as failed, and it will not be sent again. A receipt that says “delivered” still corrects this.",
            "From now on they count as failed, and they will not be sent again. A receipt that says “delivered” still corrects this.",
            many,
        ),
    )


class SettleMessage(SettleSend):
    back, crumb = "message", gettext_lazy("Message")

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
