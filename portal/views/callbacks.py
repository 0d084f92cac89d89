"""Callbacks: the endpoints of partners, whether they answer, the log of what was delivered, and replay."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render

from portal.access import WRITE, actor, service_page
from portal.forms.callbacks import ChangeForm, EndpointForm, FilterForm, RangeForm
from portal.forms.numbers import key_of
from portal.presenters.keyset import keyset_page
from portal.views.confirm_base import Confirmation, ConfirmView
from sms import callbacks
from sms.callbacks.log import log_of, overview
from sms.models import Callback, CallbackEndpoint, Service

PAGE = 50


def _policy() -> callbacks.AddressPolicy:
    return callbacks.AddressPolicy(**settings.CALLBACKS)


def _find(service: Service, pk: int) -> CallbackEndpoint:
    return get_object_or_404(CallbackEndpoint.objects.select_related("service"), service=service, pk=pk)


@service_page("configure")
def callbacks_page(request: HttpRequest, service: Service) -> HttpResponse:
    return _overview(request, service)


def _overview(
    request: HttpRequest, service: Service, *, form: EndpointForm | None = None, status: int = 200
) -> HttpResponse:
    context = {"rows": overview(service), "form": form or EndpointForm(policy=_policy())}
    return render(request, "callbacks/list.html", context, status=status)


@service_page("configure", WRITE)
def callback_add(request: HttpRequest, service: Service) -> HttpResponse:
    """The new endpoint's secret is shown in this answer only."""
    form = EndpointForm(request.POST, policy=_policy())
    if not form.is_valid():
        return _overview(request, service, form=form, status=422)
    try:
        endpoint = callbacks.add(service, by=actor(request), policy=_policy(), **form.cleaned_data)
    except (callbacks.BadAddress, callbacks.TooMany) as problem:
        form.add_error("url", str(problem))
        return _overview(request, service, form=form, status=422)
    return _page(request, service, endpoint, secret=endpoint.secret)


@service_page("configure")
def callback_endpoint(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    return _page(request, service, _find(service, pk))


def _page(
    request: HttpRequest,
    service: Service,
    endpoint: CallbackEndpoint,
    *,
    secret: str = "",
    change: ChangeForm | None = None,
    again: RangeForm | None = None,
    status: int = 200,
) -> HttpResponse:
    chosen = FilterForm(request.GET)
    page = keyset_page(
        log_of(
            endpoint,
            before=key_of(request.GET, "before"),
            limit=PAGE + 1,
            **(chosen.cleaned_data if chosen.is_valid() else {}),
        ),
        PAGE,
    )
    query = request.GET.copy()
    query.pop("before", None)
    context: dict[str, Any] = {
        "endpoint": endpoint,
        "state": next(row for row in overview(service, only=endpoint.pk)),
        "secret": secret,
        "rows": page.rows,
        "next_before": page.next_key,
        "query": query.urlencode(),
        "chosen": chosen,
        "change": change or ChangeForm.of(endpoint),
        "again": again or RangeForm(),
        "hand_over_days": callbacks.HAND_OVER.days,
    }
    answer = render(request, "callbacks/endpoint.html", context, status=status)
    if secret:
        answer["Cache-Control"] = "no-store"
    return answer


@service_page("configure", WRITE)
def callback_change(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    endpoint = _find(service, pk)
    form = ChangeForm(request.POST)
    if not form.is_valid():
        return _page(request, service, endpoint, change=form, status=422)
    callbacks.change(endpoint, by=actor(request), **form.cleaned_data)
    messages.success(request, "Saved.")
    return _back(service, endpoint)


@service_page("configure", WRITE)
def callback_verify(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    endpoint = _find(service, pk)
    connection = callbacks.ReceiverConnection(_policy())
    try:
        why = callbacks.verify(endpoint, by=actor(request), connection=connection)
    finally:
        connection.close()
    if why:
        messages.error(request, f"Not verified. {why}")
    else:
        messages.success(request, "Verified. It gets every event from now on.")
    return _back(service, endpoint)


@service_page("configure", WRITE)
def callback_rotate(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """A new secret, shown in this answer only."""
    endpoint = _find(service, pk)
    return _page(request, service, endpoint, secret=callbacks.rotate(endpoint, by=actor(request)))


def _switch(switch: Callable[..., bool], says: str) -> Callable[..., HttpResponseBase]:
    """A button of an endpoint's page; where there was nothing to switch, nothing is said."""

    @service_page("configure", WRITE)
    def view(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
        endpoint = _find(service, pk)
        if switch(endpoint, by=actor(request)):
            messages.success(request, says)
        return _back(service, endpoint)

    return view


callback_retire = _switch(callbacks.retire, "Nothing is signed with the previous secret any more.")
callback_pause = _switch(callbacks.pause, "Paused. Events are kept, and delivered when it is resumed.")
callback_resume = _switch(callbacks.resume, "On again. What waits is delivered now.")


class RemoveEndpoint(ConfirmView):
    act = "configure"
    model = CallbackEndpoint
    back, back_to_thing = "callback_endpoint", True

    def confirmation(self) -> Confirmation:
        return Confirmation(
            title=f"Remove {self.thing.name}?",
            says=(
                "Its log goes with it, and so does what still waits to be delivered.",
                "To stop it for a while, pause it instead.",
            ),
            button="Remove it",
        )

    def confirmed(self, form: Any) -> HttpResponse:
        callbacks.remove(self.thing, by=actor(self.request))
        messages.success(self.request, f"{self.thing.name} is removed.")
        return redirect("callbacks_page", self.service.slug)


@service_page("configure", WRITE)
def callback_replay(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    endpoint = _find(service, pk)
    form = RangeForm(request.POST)
    if not form.is_valid():
        return _page(request, service, endpoint, again=form, status=422)
    count = callbacks.replay(endpoint, by=actor(request), **form.cleaned_data)
    if count:
        messages.success(
            request,
            f"{count:,} callback{'s' if count != 1 else ''} will be delivered again, with the same ids.",
        )
    else:
        messages.info(request, "Nothing was delivered in that time.")
    return _back(service, endpoint)


@service_page("configure")
def callback_entry(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    found = get_object_or_404(Callback.objects.select_related("endpoint"), endpoint__service=service, pk=pk)
    return render(request, "callbacks/entry.html", {"one": found, "endpoint": found.endpoint})


@service_page("configure", WRITE)
def callback_again(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    found = get_object_or_404(
        Callback.objects.select_related("endpoint__service"), endpoint__service=service, pk=pk
    )
    callbacks.replay(found.endpoint, by=actor(request), only=found.pk)
    messages.success(request, "It is being delivered again, with the same id.")
    return redirect("callback_entry", service=service.slug, pk=found.pk)


def _back(service: Service, endpoint: CallbackEndpoint) -> HttpResponse:
    return redirect("callback_endpoint", service=service.slug, pk=endpoint.pk)
