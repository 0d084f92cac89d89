"""API keys: what partner systems sign in with. Made, shown once, given other policies, revoked."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from portal.access import FORM, actor, service_page
from portal.forms.api_keys import KeyForm, KeyPoliciesForm
from portal.views.button_base import Said, info
from portal.views.confirm_base import Confirmation, ConfirmView
from portal.views.form_base import form_page, typed
from sms.catalogue import api_keys
from sms.models import ApiKey, Service
from sms.models.sql.clock import corrected_now


@service_page("configure", FORM)
def api_keys_page(request: HttpRequest, service: Service) -> HttpResponse:
    """Every key, and a form for one more, whose answer is the only place that ever shows it."""
    form, made, token = KeyForm(**typed(request)), None, ""
    if form.is_valid():
        try:
            made, token = api_keys.make(service, by=actor(request), **form.cleaned_data)
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            form = KeyForm()
    context = {
        "rows": ApiKey.objects.filter(service=service).order_by("name", "-pk")[:200],
        "form": form,
        "made": made,
        "token": token,
    }
    return form_page(request, "api_keys/list.html", context)


@service_page("configure", FORM, of=ApiKey)
def api_key_policies(request: HttpRequest, service: Service, key: ApiKey) -> HttpResponse:
    """What its requests get where they do not say otherwise, from the next one on."""
    form = KeyPoliciesForm(**typed(request), instance=key)
    if form.is_valid():
        try:
            changed = api_keys.change(key, by=actor(request), **form.cleaned_data)
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            if key.waits:
                messages.warning(request, key.waits.sentence)
            if changed or not key.waits:
                messages.success(request, f"{key} was changed." if changed else "Nothing was changed.")
            return redirect("api_keys", service=service.slug)
    return form_page(request, "api_keys/policies.html", {"key": key, "form": form})


class RevokeApiKey(ConfirmView):
    act = "configure"
    model = ApiKey
    back, crumb = "api_keys", "API keys"

    def over(self) -> Said | None:
        return info(f"{self.thing} was revoked already.") if self.thing.revoked_at else None

    def confirmation(self) -> Confirmation:
        last = self.thing.last_used_at
        ending = api_keys.ends_with(self.thing, now=corrected_now()).count()
        endpoints = f"Its {ending} callback endpoints are" if ending > 1 else "Its callback endpoint is"
        also = f"{endpoints} switched off with it, and what happens is kept for them. Under Callbacks you can switch them on again."
        return Confirmation(
            f"Revoke {self.thing}?",
            f"Last used: {f'{timezone.localtime(last):%d %b %Y, %H:%M}' if last else 'never'}.",
            "The next request with it is refused. This cannot be undone; if the partner still needs access, make a new key.",
            *([also] if ending else []),
            button="Revoke the key",
        )

    def confirmed(self, form: Any) -> Said | None:
        done = api_keys.revoke(self.thing, by=self.by)
        return Said(f"{self.thing} opens nothing any more.") if done else None
