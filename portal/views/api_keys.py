"""API keys: what partner systems sign in with. Made, shown once, revoked."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from portal.access import FORM, actor, service_page
from portal.forms.api_keys import KeyForm
from portal.views.confirm_base import Confirmation, ConfirmView
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


class RevokeApiKey(ConfirmView):
    act = "configure"
    model = ApiKey
    back, crumb = "api_keys", "API keys"

    def is_over(self) -> bool:
        if self.thing.revoked_at is not None:
            messages.info(self.request, f"{self.thing} was revoked already.")
        return self.thing.revoked_at is not None

    def confirmation(self) -> Confirmation:
        last = self.thing.last_used_at
        return Confirmation(
            title=f"Revoke {self.thing}?",
            says=(
                f"Last used: {f'{timezone.localtime(last):%d %b %Y, %H:%M}' if last else 'never'}.",
                "The next request with it is refused. This cannot be undone; if the partner still needs access, make a new key.",
            ),
            button="Revoke the key",
        )

    def confirmed(self, form: Any) -> None:
        if api_keys.revoke(self.thing, by=actor(self.request)):
            messages.success(self.request, f"{self.thing} opens nothing any more.")


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
