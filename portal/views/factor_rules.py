"""Second factors as admins see them: who has to have one, who lacks it, and taking a colleague's away where a phone is lost."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from portal import factors
from portal.access import FORM, actor, service_page
from portal.forms.factor_rules import DeskFactorForm, ServiceFactorForm
from portal.models import User
from portal.views.button_base import Said
from portal.views.confirm_base import Confirmation, ConfirmView
from portal.views.form_base import form_page, typed
from sms.models import Service

SHOWN = 200


@service_page("configure", FORM)
def of_service(request: HttpRequest, service: Service) -> HttpResponse:
    rules = factors.rules_of(service)
    form = ServiceFactorForm(**typed(request), initial=ServiceFactorForm.shown(rules))
    if form.is_valid():
        data = form.cleaned_data
        factors.set_rules(service, data["roles"], grace_days=data["grace_days"], by=actor(request))
        messages.success(request, _("Saved. It counts from the next click of each person."))
        return redirect("settings_second_factor", service=service.slug)
    return form_page(request, "settings/second_factor.html", _lacking(service) | {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def of_desk(request: HttpRequest) -> HttpResponse:
    if not request.user.is_superuser:
        raise PermissionDenied
    form = DeskFactorForm(**typed(request), initial=DeskFactorForm.shown(factors.rules_of(None)))
    if form.is_valid():
        days = form.cleaned_data["grace_days"]
        factors.set_rules(None, form.roles, grace_days=days, by=actor(request))
        messages.success(request, _("Saved. It counts from the next click of each person."))
        return redirect("desk_second_factor")
    return form_page(request, "settings/desk_second_factor.html", _lacking(None) | {"form": form})


def _lacking(service: Service | None) -> dict[str, Any]:
    found = factors.lacking(service)
    return {"lacking": found[:SHOWN], "more": max(0, len(found) - SHOWN)}


class ResetFactors(ConfirmView):
    act = "configure"
    back, crumb = "people", gettext_lazy("People")

    def find(self) -> User:
        here = User.objects.filter(memberships__service=self.service).distinct()
        found = get_object_or_404(here, pk=self.kwargs["pk"])
        by: Any = self.request.user
        if not factors.may_reset(found, by=by):
            raise PermissionDenied
        return found

    def confirmation(self) -> Confirmation:
        return Confirmation(
            _("Reset the second factor of %(person)s?") % {"person": self.thing.email},
            _(
                "Their authenticator app, passkeys and recovery codes stop working at once. They sign in with their password alone, "
                "and get an e-mail about it."
            ),
            _("Do this only where you know that they asked for it: call them, and do not trust an e-mail."),
            button=_("Reset"),
        )

    def confirmed(self, form: Any) -> Said:
        mailed = factors.reset(self.thing, by=self.by, service=self.service)
        person = {"person": self.thing.email}
        if mailed:
            return Said(_("The second factor of %(person)s is reset. They were told by e-mail.") % person)
        says = _("The second factor of %(person)s is reset. No e-mail could be sent: tell them yourself.")
        return Said(says % person, messages.WARNING)
