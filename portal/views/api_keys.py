"""API keys: what partner systems sign in with. Made, shown once, revoked."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from portal.access import FORM, actor, service_page
from portal.forms.api_keys import KeyForm
from portal.views.control import Confirmation, ask
from sms.catalogue import api_keys
from sms.models import ApiKey, Service

SHOWN = 200


@service_page("configure", FORM)
def api_keys_page(request: HttpRequest, service: Service) -> HttpResponse:
    """Every key, and a form for one more, whose answer is the only place that ever shows it."""
    if request.method != "POST":
        return _page(request, service, KeyForm())
    form = KeyForm(request.POST)
    if not form.is_valid():
        return _page(request, service, form, status=422)
    try:
        key, token = api_keys.make(service, by=actor(request), **form.cleaned_data)
    except ValidationError as problem:
        form.add_error(None, problem)
        return _page(request, service, form, status=422)
    return _page(request, service, KeyForm(), made=key, token=token)


@service_page("configure", FORM)
def api_key_revoke(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Asks, then revokes."""
    key = get_object_or_404(ApiKey.objects.select_related("service"), service=service, pk=pk)
    back = reverse("api_keys", args=[service.slug])
    if key.revoked_at is not None:
        messages.info(request, f"{key} was revoked already.")
        return redirect(back)
    if request.method == "POST":
        if api_keys.revoke(key, by=actor(request)):
            messages.success(request, f"{key} opens nothing any more.")
        return redirect(back)
    used = f"{timezone.localtime(key.last_used_at):%d %b %Y, %H:%M}" if key.last_used_at else "never"
    asked = Confirmation(
        title=f"Revoke {key}?",
        says=(
            f"Last used: {used}.",
            "The next request with it is refused. That cannot be taken back; whoever needs it gets a new key.",
        ),
        button="Revoke the key",
        back=back,
        crumb="API keys",
        danger=True,
    )
    return ask(request, asked)


def _page(
    request: HttpRequest,
    service: Service,
    form: KeyForm,
    *,
    made: ApiKey | None = None,
    token: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "rows": ApiKey.objects.filter(service=service).order_by("name", "-pk")[:SHOWN],
        "form": form,
        "made": made,
        "token": token,
        "sandbox": service.reaches_sandbox,
        "now": timezone.now(),
    }
    answer = render(request, "api_keys/list.html", context, status=status)
    if token:
        answer["Cache-Control"] = "no-store"
    return answer
