"""What becomes of messages that are not confirmed: send again, treat as sent, or give up; for a whole send or for one message."""

from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from portal.access import FORM, actor, service_page
from portal.forms.control import SettleForm
from portal.views.control import Confirmation, ask
from sms.dispatch import Settlement, by_person
from sms.ledger import wakeups
from sms.models import Message, MessageState, Send, SendState, Service


def may_send_again(send: Send) -> bool:
    """Not where nothing more of the send is posted anyway."""
    late = send.expires_at is not None and send.expires_at <= timezone.now()
    return send.state != SendState.CANCELLED and not late


@service_page("settle", FORM)
def send_settle(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """All unconfirmed messages of a send at once."""
    send = get_object_or_404(Send.objects.select_related("service"), service=service, pk=pk)
    return _settle(request, send, back=reverse("send", args=[service.slug, send.pk]), crumb=send.name)


@service_page("settle", FORM)
def message_settle(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """One message."""
    found = get_object_or_404(Message.objects.select_related("send__service"), send__service=service, pk=pk)
    back = reverse("message", args=[service.slug, found.pk])
    return _settle(request, found.send, back=back, crumb="Message", only=found)


def _settle(
    request: HttpRequest, send: Send, *, back: str, crumb: str, only: Message | None = None
) -> HttpResponse:
    if only is None:
        waiting = send.counts().get(MessageState.UNCONFIRMED, 0)
    else:
        waiting = int(only.state == MessageState.UNCONFIRMED)
    wanted = request.GET.get("verdict", "")
    if wanted not in [*Settlement] or not waiting:
        messages.info(
            request, "Choose what to do." if waiting else "Nothing is unconfirmed any more: receipts came in."
        )
        return redirect(back)
    verdict = Settlement(wanted)
    if verdict == Settlement.SEND_AGAIN and not may_send_again(send):
        messages.error(request, "This send was cancelled or has expired, so nothing of it is sent again.")
        return redirect(back)
    form = SettleForm(
        request.POST if request.method == "POST" else None, needed=verdict == Settlement.SEND_AGAIN
    )
    if request.method == "POST" and form.is_valid():
        done = by_person(
            send,
            verdict,
            by=actor(request),
            reason=form.cleaned_data["reason"],
            only=None if only is None else [only.pk],
        )
        if verdict == Settlement.SEND_AGAIN:
            wakeups.dispatch()
        _say(request, verdict, done)
        return redirect(back)
    return ask(request, _asked(verdict, waiting, back=back, crumb=crumb), form=form)


def _asked(verdict: Settlement, count: int, *, back: str, crumb: str) -> Confirmation:
    many = count != 1
    what, they, were = (f"{intcomma(count)} messages", "they", "were") if many else ("1 message", "it", "was")
    broke = f"The connection broke while {what} {were} being sent. {they.capitalize()} may have been sent."
    if verdict == Settlement.SEND_AGAIN:
        return Confirmation(
            title=f"Send {what} again?",
            says=(
                broke,
                f"If {they} {were} sent after all, the same text arrives twice, and is paid for twice.",
                "Whoever opted out, or whose text has expired, gets nothing.",
            ),
            button=f"Send {what} again",
            back=back,
            crumb=crumb,
            danger=True,
        )
    if verdict == Settlement.TREAT_AS_SENT:
        return Confirmation(
            title=f"Treat {what} as sent?",
            says=(
                broke,
                f"From now on {they} count{'' if many else 's'} as accepted. A receipt that comes later still says what became of "
                f"{'them' if many else 'it'}.",
            ),
            button=f"Treat {what} as sent",
            back=back,
            crumb=crumb,
        )
    return Confirmation(
        title=f"Give up on {what}?",
        says=(
            broke,
            f"From now on {they} count{'' if many else 's'} as failed, and {they} will not be sent again. "
            f"A receipt that says “delivered” still corrects this.",
        ),
        button=f"Give up on {what}",
        back=back,
        crumb=crumb,
        danger=True,
    )


def _say(request: HttpRequest, verdict: Settlement, done: int) -> None:
    if not done:
        messages.info(request, "Nothing was changed: receipts came in meanwhile.")
        return
    what = f"{intcomma(done)} message{'' if done == 1 else 's'}"
    said = {
        Settlement.SEND_AGAIN: f"{what} will be sent again.",
        Settlement.TREAT_AS_SENT: f"{what} now count{'s' if done == 1 else ''} as accepted.",
        Settlement.GIVE_UP: f"{what} given up.",
    }
    messages.success(request, said[verdict])
