"""Callbacks: who is told what becomes of messages, whether they take it, what exactly they were told, and telling it again."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.access import actor, service_page
from portal.forms.callbacks import ChangeForm, EndpointForm, FilterForm, RangeForm
from portal.views.control import Confirmation, ask
from sms import callbacks
from sms.callbacks.log import log_of, overview
from sms.models import Callback, CallbackEndpoint, Service

PAGE = 50


def _policy() -> callbacks.AddressPolicy:
    return callbacks.AddressPolicy(**settings.CALLBACKS)


def _find(service: Service, pk: int) -> CallbackEndpoint:
    return get_object_or_404(CallbackEndpoint.objects.select_related("service"), service=service, pk=pk)


@service_page("configure")
@require_safe
def callbacks_page(request: HttpRequest, service: Service) -> HttpResponse:
    """Every endpoint, and a form for one more."""
    return _overview(request, service)


def _overview(
    request: HttpRequest, service: Service, *, form: EndpointForm | None = None, status: int = 200
) -> HttpResponse:
    context = {"rows": overview(service), "form": form or EndpointForm(policy=_policy())}
    return render(request, "callbacks/list.html", context, status=status)


@service_page("configure")
@require_POST
def callback_add(request: HttpRequest, service: Service) -> HttpResponse:
    """One more; its secret is in the answer, and nowhere else ever again."""
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
@require_safe
def callback_endpoint(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """One endpoint and its log."""
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
    before = request.GET.get("before", "")
    found = log_of(
        endpoint,
        before=int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None,
        limit=PAGE + 1,
        **(chosen.cleaned_data if chosen.is_valid() else {}),
    )
    query = request.GET.copy()
    query.pop("before", None)
    context: dict[str, Any] = {
        "endpoint": endpoint,
        "state": next(row for row in overview(service, only=endpoint.pk)),
        "secret": secret,
        "rows": found[:PAGE],
        "next_before": found[PAGE - 1].pk if len(found) > PAGE else None,
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


@service_page("configure")
@require_POST
def callback_change(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Name, events, numbers."""
    endpoint = _find(service, pk)
    form = ChangeForm(request.POST)
    if not form.is_valid():
        return _page(request, service, endpoint, change=form, status=422)
    callbacks.change(endpoint, by=actor(request), **form.cleaned_data)
    messages.success(request, "Saved.")
    return _back(service, endpoint)


@service_page("configure")
@require_POST
def callback_verify(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Send the challenge now."""
    endpoint = _find(service, pk)
    connection = callbacks.ReceiverConnection(_policy())
    try:
        why = callbacks.verify(endpoint, by=actor(request), connection=connection)
    finally:
        connection.close()
    if why:
        messages.error(request, f"Not verified. {why}")
    else:
        messages.success(request, "Verified. It is told everything from now on.")
    return _back(service, endpoint)


@service_page("configure")
@require_POST
def callback_rotate(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """A new secret, shown in this answer only."""
    endpoint = _find(service, pk)
    return _page(request, service, endpoint, secret=callbacks.rotate(endpoint, by=actor(request)))


@service_page("configure")
@require_POST
def callback_retire(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """The previous secret ends now."""
    endpoint = _find(service, pk)
    if callbacks.retire(endpoint, by=actor(request)):
        messages.success(request, "Nothing is signed with the previous secret any more.")
    return _back(service, endpoint)


@service_page("configure")
@require_POST
def callback_pause(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Deliver nothing for a while."""
    endpoint = _find(service, pk)
    if callbacks.pause(endpoint, by=actor(request)):
        messages.success(request, "Paused. What happens meanwhile is kept and told when it is resumed.")
    return _back(service, endpoint)


@service_page("configure")
@require_POST
def callback_resume(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Go on, also after it was switched off by itself."""
    endpoint = _find(service, pk)
    if callbacks.resume(endpoint, by=actor(request)):
        messages.success(request, "On again. What waits is delivered now.")
    return _back(service, endpoint)


@service_page("configure")
@require_http_methods(["GET", "HEAD", "POST"])
def callback_remove(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Asks, then removes it with its log."""
    endpoint = _find(service, pk)
    if request.method == "POST":
        callbacks.remove(endpoint, by=actor(request))
        messages.success(request, f"{endpoint.name} is removed.")
        return redirect("callbacks_page", service=service.slug)
    asked = Confirmation(
        title=f"Remove {endpoint.name}?",
        says=(
            "Its log goes with it, and so does what still waits to be delivered.",
            "To stop it for a while, pause it instead.",
        ),
        button="Remove it",
        back=reverse("callback_endpoint", args=[service.slug, endpoint.pk]),
        crumb=endpoint.name,
        danger=True,
    )
    return ask(request, asked)


@service_page("configure")
@require_POST
def callback_replay(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """What was told in a range, once more."""
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
        messages.info(request, "Nothing was told in that time.")
    return _back(service, endpoint)


@service_page("configure")
@require_safe
def callback_entry(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """One callback: its body as it is sent, and every try."""
    found = get_object_or_404(Callback.objects.select_related("endpoint"), endpoint__service=service, pk=pk)
    return render(request, "callbacks/entry.html", {"one": found, "endpoint": found.endpoint})


@service_page("configure")
@require_POST
def callback_again(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """One callback once more."""
    found = get_object_or_404(
        Callback.objects.select_related("endpoint__service"), endpoint__service=service, pk=pk
    )
    callbacks.replay(found.endpoint, by=actor(request), only=found.pk)
    messages.success(request, "It is being delivered again, with the same id.")
    return redirect("callback_entry", service=service.slug, pk=found.pk)


def _back(service: Service, endpoint: CallbackEndpoint) -> HttpResponse:
    return redirect("callback_endpoint", service=service.slug, pk=endpoint.pk)
