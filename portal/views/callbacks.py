"""Callbacks: the endpoints of partners, whether they answer, the log of what was delivered, and replay."""

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access import WRITE, PageView, actor, service_page
from portal.forms.callbacks import EndpointForm, FilterForm, RangeForm, SecretForm
from portal.forms.numbers import key_of
from portal.limits import PAGE
from portal.presenters.keyset import keyset_page
from portal.views.button_base import Said, button, error, info
from portal.views.confirm_base import Confirmation, ConfirmView, asking
from portal.views.form_base import form_page, refused_beside
from sms import callbacks
from sms.callbacks.event_bodies import fill
from sms.callbacks.leases import waiting_counts
from sms.callbacks.log import log_of, overview
from sms.models import Actor, Callback, CallbackEndpoint, Message, Service
from sms.models.service import HAND_OVER
from sms.models.sql.clock import corrected_now
from sms.values.msisdn.mention import of_record
from sms.words import moment, number, retold

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

ENDPOINTS = CallbackEndpoint.objects.select_related("service")


def _policy() -> callbacks.AddressPolicy:
    return callbacks.AddressPolicy(**settings.CALLBACKS)


@service_page("configure")
def callbacks_page(request: HttpRequest, service: Service) -> HttpResponse:
    return _overview(request, service, EndpointForm(service=service, policy=_policy()))


def _overview(request: HttpRequest, service: Service, form: EndpointForm) -> HttpResponse:
    return form_page(request, "callbacks/list.html", {"rows": overview(service), "form": form})


@service_page("configure", WRITE)
def callback_add(request: HttpRequest, service: Service) -> HttpResponse:
    """The new endpoint's secret is shown in this answer only."""
    form = EndpointForm(request.POST, service=service, policy=_policy())
    if form.is_valid():
        with refused_beside(form, callbacks.BadAddress, callbacks.TooMany, field="url"):
            endpoint = callbacks.add(
                service, by=actor(request), policy=_policy(), url=form.cleaned_data["url"], **form.wants
            )
            return _page(request, service, endpoint, secret=endpoint.secret)
    return _overview(request, service, form)


@service_page("configure", of=ENDPOINTS)
def callback_endpoint(request: HttpRequest, service: Service, endpoint: CallbackEndpoint) -> HttpResponse:
    return _page(request, service, endpoint)


def _page(
    request: HttpRequest, service: Service, endpoint: CallbackEndpoint, *, secret: str = "", **shown: Any
) -> HttpResponse:
    chosen = FilterForm(request.GET)
    filters = chosen.cleaned_data if chosen.is_valid() else {}
    found = log_of(endpoint, before=key_of(request.GET, "before"), limit=PAGE + 1, **filters)
    page = keyset_page(found, PAGE)
    query = request.GET.copy()
    query.pop("before", None)
    context = {
        "endpoint": endpoint,
        "state": next(row for row in overview(service, only=endpoint.pk)),
        "secret": secret,
        "rows": page.rows,
        "next_before": page.next_key,
        "query": query.urlencode(),
        "chosen": chosen,
        "change": EndpointForm(service=service, policy=_policy(), endpoint=endpoint),
        "again": RangeForm(),
        "renew": SecretForm(kind=endpoint.kind),
        "hand_over_days": HAND_OVER.days,
    }
    return form_page(request, "callbacks/endpoint.html", context | shown)


@service_page("configure", WRITE, of=ENDPOINTS)
def callback_change(request: HttpRequest, service: Service, endpoint: CallbackEndpoint) -> HttpResponse:
    form = EndpointForm(request.POST, service=service, policy=_policy(), endpoint=endpoint)
    if form.is_valid():
        with refused_beside(form, callbacks.BadAddress, field="url"):
            url = form.cleaned_data["url"]
            callbacks.change(endpoint, by=actor(request), policy=_policy(), url=url, **form.wants)
            messages.success(request, _("Saved."))
            return redirect("callback_endpoint", service=service.slug, pk=endpoint.pk)
    endpoint.refresh_from_db()
    return _page(request, service, endpoint, change=form)


@button("configure", CallbackEndpoint, back="callback_endpoint")
def callback_verify(endpoint: CallbackEndpoint, by: Actor) -> Said:
    with closing(callbacks.ReceiverConnection(_policy())) as connection:
        why = callbacks.verify(endpoint, by=by, connection=connection)
    if why:
        return error(" ".join((_("Not verified."), retold(why))))
    return Said(_("Verified. It gets every event from now on."))


@button("configure", CallbackEndpoint, back="callback_endpoint")
def callback_test(endpoint: CallbackEndpoint, by: Actor) -> Said:
    if endpoint.kind != CallbackEndpoint.Kind.EVENTS or endpoint.verified_at is None:
        return error(_("Not sent. It gets nothing before it is verified."))
    kind = endpoint.events[0] if endpoint.events else "message.delivered"
    with closing(callbacks.ReceiverConnection(_policy())) as connection:
        reply, _event = callbacks.try_out(
            endpoint, kind=kind, by=by, connection=connection, now=corrected_now()
        )
    if reply.ok:
        # Translators: status is a status of HTTP, kind the name of an event, and ms are milliseconds.
        said = _("It answered %(status)s to %(kind)s after %(n)s ms.")
        return Said(said % {"status": reply.status, "kind": kind, "n": number(reply.milliseconds)})
    return error(" ".join((_("The test event was not taken."), retold(reply.error))))


@service_page("configure", WRITE, of=ENDPOINTS)
def callback_rotate(request: HttpRequest, service: Service, endpoint: CallbackEndpoint) -> HttpResponse:
    """A new secret, shown in this answer only."""
    form = SecretForm(request.POST, kind=endpoint.kind)
    if not form.is_valid():
        return _page(request, service, endpoint, renew=form)
    secret = callbacks.rotate(endpoint, by=actor(request), secret=form.cleaned_data["secret"])
    return _page(request, service, endpoint, secret=secret)


def _switch(switch: Callable[..., bool], words: "StrOrPromise") -> PageView:
    """A button of an endpoint's page; where there was nothing to switch, nothing is said."""

    def does(endpoint: CallbackEndpoint, by: Actor) -> Said | None:
        return Said(words) if switch(endpoint, by=by) else None

    return button("configure", CallbackEndpoint, back="callback_endpoint")(does)


def _ask_retire(endpoint: CallbackEndpoint) -> Confirmation | Said:
    until = endpoint.secret_before_until
    if until is None:
        return info(_("The previous secret has ended already."))
    still = _("%(name)s may still check signatures with it; until %(at)s both are sent.")
    return Confirmation(
        _("End the previous secret now?"),
        still % {"name": endpoint.name, "at": moment(timezone.localtime(until), "j F Y, H:i")},
        _("A program that does not know the new secret refuses every event from then on."),
        button=_("End the previous secret"),
    )


@asking(
    "configure", CallbackEndpoint, asks=_ask_retire, back="callback_endpoint", crumb=gettext_lazy("Callbacks")
)
def callback_retire(endpoint: CallbackEndpoint, by: Actor) -> Said | None:
    done = callbacks.retire(endpoint, by=by)
    return Said(_("Nothing is signed with the previous secret any more.")) if done else None


callback_pause = _switch(
    callbacks.pause, gettext_lazy("Paused. Events are kept, and delivered when it is resumed.")
)
callback_resume = _switch(callbacks.resume, gettext_lazy("On again. What waits is delivered now."))


class RemoveEndpoint(ConfirmView):
    act = "configure"
    model = CallbackEndpoint
    back, back_to_thing = "callback_endpoint", True

    def confirmation(self) -> Confirmation:
        endpoint = self.thing
        logged, waiting = endpoint.callbacks.count(), waiting_counts([endpoint.pk])[endpoint.pk]
        goes = ngettext(
            # Translators: waiting is how many of the events are still to be delivered, a number.
            "Its log goes with it: %(n)s event, of which %(waiting)s still to be delivered.",
            "Its log goes with it: %(n)s events, of which %(waiting)s still to be delivered.",
            logged,
        )
        return Confirmation(
            _("Remove %(name)s?") % {"name": endpoint.name},
            goes % {"n": number(logged), "waiting": number(waiting)},
            _("To stop it for a while, pause it instead."),
            button=_("Remove it"),
        )

    def confirmed(self, form: Any) -> Said:
        callbacks.remove(self.thing, by=self.by)
        return Said(_("%(name)s is removed.") % {"name": self.thing.name}, to="callbacks_page")


@service_page("configure", WRITE, of=ENDPOINTS)
def callback_replay(request: HttpRequest, service: Service, endpoint: CallbackEndpoint) -> HttpResponse:
    form = RangeForm(request.POST)
    if not form.is_valid():
        return _page(request, service, endpoint, again=form)
    if count := callbacks.replay(endpoint, by=actor(request), **form.cleaned_data):
        says = ngettext(
            "%(n)s callback will be delivered again, with the same ids.",
            "%(n)s callbacks will be delivered again, with the same ids.",
            count,
        )
        messages.success(request, says % {"n": number(count)})
    else:
        messages.info(request, _("Nothing was delivered in that time."))
    return redirect("callback_endpoint", service=service.slug, pk=endpoint.pk)


@service_page("configure", of=Callback.objects.select_related("endpoint"), through="endpoint__service")
def callback_entry(request: HttpRequest, _service: Service, found: Callback) -> HttpResponse:
    fill([found], numbers=found.endpoint.full_numbers, texts=found.endpoint.texts)
    msisdn = Message.objects.filter(pk=found.message_id).values_list("msisdn", flat=True).first() or ""
    # a receiver may answer with what it was sent
    tries: list[dict[str, Any]] = [
        one | {"reply": of_record(str(one.get("reply", "")), msisdn)} for one in found.log
    ]
    context = {
        "one": found,
        "endpoint": found.endpoint,
        "body": of_record(found.body, msisdn),
        "tries": tries,
    }
    return render(request, "callbacks/entry.html", context)


@button("configure", Callback, through="endpoint__service", back="callback_entry")
def callback_again(callback: Callback, by: Actor) -> Said:
    callbacks.replay(callback.endpoint, by=by, only=callback.pk)
    return Said(_("It is being delivered again, with the same id."))
