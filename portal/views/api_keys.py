"""API keys: what partner systems sign in with. Made, shown once, given other policies, revoked."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access import FORM, actor, service_page
from portal.forms.api_keys import KeyForm, KeyPoliciesForm
from portal.views.button_base import Said, info
from portal.views.confirm_base import Confirmation, ConfirmView
from portal.views.form_base import form_page, typed
from sms.catalogue import api_keys
from sms.models import ApiKey, Service
from sms.models.sql.clock import corrected_now
from sms.words import moment, number


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
                said = _("%(key)s was changed.") % {"key": key} if changed else _("Nothing was changed.")
                messages.success(request, said)
            return redirect("api_keys", service=service.slug)
    return form_page(request, "api_keys/policies.html", {"key": key, "form": form})


class RevokeApiKey(ConfirmView):
    act = "configure"
    model = ApiKey
    back, crumb = "api_keys", gettext_lazy("API keys")

    def over(self) -> Said | None:
        if self.thing.revoked_at is None:
            return None
        return info(_("%(key)s was revoked already.") % {"key": self.thing})

    def confirmation(self) -> Confirmation:
        last = self.thing.last_used_at
        ending = api_keys.ends_with(self.thing, now=corrected_now()).count()
        also = ngettext(
            "Its callback endpoint is switched off with it, and what happens is kept for them. "
            "Under Callbacks you can switch them on again.",
            "Its %(n)s callback endpoints are switched off with it, and what happens is kept for them. "
            "Under Callbacks you can switch them on again.",
            ending,
        ) % {"n": number(ending)}
        return Confirmation(
            _("Revoke %(key)s?") % {"key": self.thing},
            _("Last used: %(at)s.") % {"at": moment(timezone.localtime(last), "d M Y, H:i")}
            if last
            else _("Last used: never."),
            _(
                "The next request with it is refused. This cannot be undone; if the partner still needs access, make a new key."
            ),
            *([also] if ending else []),
            button=_("Revoke the key"),
        )

    def confirmed(self, form: Any) -> Said | None:
        done = api_keys.revoke(self.thing, by=self.by)
        return Said(_("%(key)s opens nothing any more.") % {"key": self.thing}) if done else None
