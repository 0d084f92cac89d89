"""The page of a service's spend caps: what is taken today, and how much may be."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from portal.access import FORM, actor, service_page
from portal.forms.settings import CapsForm
from portal.views.form_base import form_page, say_kept, typed
from sms.catalogue.caps import changes, standing
from sms.catalogue.caps.rules import CapRules
from sms.catalogue.form_changes import hold_back
from sms.models import Service
from sms.models.sql.clock import corrected_now
from sms.values.often_abused import often_abused


@service_page("configure", FORM)
def spend_caps(request: HttpRequest, service: Service) -> HttpResponse:
    form = CapsForm(**typed(request), instance=Service.objects.get(pk=service.pk))
    if form.is_valid():
        with transaction.atomic():
            held = hold_back(form, by=actor(request))
            changes.set_caps(service, form.cleaned_data, by=actor(request))
        say_kept(request, form, held, says=_("Saved. It holds from the next send on."))
        return redirect("settings_caps", service=service.slug)
    day = CapRules.of(service).day_of(corrected_now())
    shown = standing.standings(service, day, keys=service.api_keys.filter(revoked_at=None))
    context = {"form": form, "standings": shown, "day": day, "abused": ", ".join(sorted(often_abused()))}
    return form_page(request, "settings/caps.html", context)
