"""What becomes of messages that are not confirmed: send again, treat as sent, or give up; for a whole send or for one message."""

from typing import Any

from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.shortcuts import get_object_or_404

from portal.access import actor
from portal.forms.control import SettleForm
from portal.presenters.send_state import may_send_again
from portal.views.confirm_base import Confirmation, ConfirmView
from sms.dispatch import Settlement, by_person
from sms.ledger import wakeups
from sms.models import Message, MessageState, Send


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

    def is_over(self) -> bool:
        self.count, wanted = self.unconfirmed(), self.request.GET.get("verdict", "")
        if wanted not in [*Settlement] or not self.count:
            says = (
                "Choose what to do." if self.count else "Nothing is unconfirmed any more: receipts came in."
            )
            messages.info(self.request, says)
            return True
        self.verdict = Settlement(wanted)
        if self.verdict == Settlement.SEND_AGAIN and not may_send_again(self.send):
            says = "This send was cancelled or has expired, so nothing of it is sent again."
            messages.error(self.request, says)
            return True
        return False

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"needed": self.verdict == Settlement.SEND_AGAIN}

    def confirmed(self, form: Any) -> None:
        by, reason = actor(self.request), form.cleaned_data["reason"]
        done = by_person(self.send, self.verdict, by=by, reason=reason, only=self.only())
        if self.verdict == Settlement.SEND_AGAIN:
            wakeups.dispatch()
        if done:
            messages.success(self.request, _done(self.verdict, done))
        else:
            messages.info(self.request, "Nothing was changed: their receipts have arrived.")

    def only(self) -> list[int] | None:
        return None

    def confirmation(self) -> Confirmation:
        many = self.count != 1
        what = f"{intcomma(self.count)} messages" if many else "1 message"
        they, were, s = ("they", "were", "") if many else ("it", "was", "s")
        title, button, says = {
            Settlement.SEND_AGAIN: (
                f"Send {what} again?",
                f"Send {what} again",
                (
                    f"If {they} {were} sent after all, the same text arrives twice, and is paid for twice.",
                    "Recipients who opted out, or whose text has expired, get nothing.",
                ),
            ),
            Settlement.TREAT_AS_SENT: (
                f"Treat {what} as sent?",
                f"Treat {what} as sent",
                (f"From now on {they} count{s} as accepted. A receipt that arrives later still counts.",),
            ),
            Settlement.GIVE_UP: (
                f"Give up on {what}?",
                f"Give up on {what}",
                (
                    f"From now on {they} count{s} as failed, and {they} will not be sent again. "
                    "A receipt that says “delivered” still corrects this.",
                ),
            ),
        }[self.verdict]
        broke = (
            f"The connection broke while {what} {were} being sent. {they.capitalize()} may have been sent."
        )
        return Confirmation(
            title=title,
            says=(broke, *says),
            button=button,
            danger=self.verdict != Settlement.TREAT_AS_SENT,
        )


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


def _done(verdict: Settlement, done: int) -> str:
    what = f"{intcomma(done)} message{'' if done == 1 else 's'}"
    return {
        Settlement.SEND_AGAIN: f"{what} will be sent again.",
        Settlement.TREAT_AS_SENT: f"{what} now count{'s' if done == 1 else ''} as accepted.",
        Settlement.GIVE_UP: f"{what} given up.",
    }[verdict]
