"""A person's own details: the number that tests of their drafts go to, and their time zone."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from portal.access import actor, services_of
from portal.forms.account import DetailsForm
from portal.models import User
from sms.models.audit import audit
from sms.values.msisdn import mask


@require_http_methods(["GET", "HEAD", "POST"])
def details(request: HttpRequest) -> HttpResponse:
    viewer: Any = request.user
    user = User.objects.get(pk=viewer.pk)
    first = services_of(user).first()
    country = first.default_country if first else "GB"
    before = (user.own_number, user.time_zone)
    form = DetailsForm(request.POST if request.method == "POST" else None, instance=user, country=country)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            if (user.own_number, user.time_zone) != before:
                audit(
                    "user.details_changed",
                    user,
                    by=actor(request),
                    number=mask(user.own_number) if user.own_number else "none",
                    time_zone=user.time_zone,
                )
        messages.success(request, "Saved.")
        return redirect("own_details")
    return render(request, "account/details.html", {"form": form}, status=422 if form.errors else 200)
