"""A person's own details (the number that tests of their drafts go to, their time zone), another address, and a forgotten password."""

from typing import Any

from allauth.account.views import password_change as allauth_password_change
from allauth.account.views import password_reset as allauth_password_reset
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from portal import account_mail, addresses, mail_server, own_number, sessions
from portal.access import actor, services_of
from portal.forms.people import DetailsForm, NumberCodeForm
from portal.forms.texts import text_of
from portal.models import User
from portal.views.form_base import form_page, refused_beside, typed
from sms.models.audit import audit
from sms.values.msisdn import mask


@require_http_methods(["GET", "HEAD", "POST"])
def details(request: HttpRequest) -> HttpResponse:
    viewer: Any = request.user
    user = User.objects.get(pk=viewer.pk)
    first = services_of(user).first()
    country = first.default_country if first else "GB"
    before, named = (user.own_number, user.time_zone, user.language), user.shown_name
    form = DetailsForm(
        **typed(request), instance=user, initial={"country": country, "own_number": user.own_number}
    )
    if form.is_valid():
        number = form.cleaned_data["own_number"]
        with transaction.atomic():
            user.own_number = user.own_number if number else ""
            user.save(update_fields=["first_name", "last_name", "own_number", "time_zone", "language"])
            after = (user.own_number, user.time_zone, user.language)
            if after != before or user.shown_name != named:
                said: dict[str, Any] = {"before": _said(*before), "after": _said(*after)}
                said |= {"named_anew": True} if user.shown_name != named else {}
                audit("user.details_changed", user, by=actor(request), **said)
        if number in ("", user.own_number):
            messages.success(request, _("Saved."))
            return redirect("own_details")
        with refused_beside(form, own_number.NumberError):
            own_number.send_code(user, number, by=actor(request))
            return redirect("own_number_code")
    return form_page(request, "account/details.html", {"form": form})


def _said(own_number: str, time_zone: str, language: str) -> dict[str, str]:
    number = mask(own_number) if own_number else "none"
    return {"number": number, "time_zone": time_zone, "language": language}


@require_http_methods(["GET", "HEAD", "POST"])
def number_code(request: HttpRequest) -> HttpResponse:
    """Where the code is typed that was sent to a new number."""
    user: Any = request.user
    form, asked = NumberCodeForm(**typed(request)), own_number.pending(user)
    if form.is_valid():
        with refused_beside(form, own_number.NumberError):
            own_number.prove(user, form.cleaned_data["code"], by=actor(request))
            messages.success(request, _("This is your number now. Tests of your drafts can go there."))
            return redirect("own_details")
        asked = own_number.pending(user)
        if asked is None:  # the last try, or the ten minutes are over
            messages.error(request, form.errors["code"][0])
            return redirect("own_details")
    elif asked is None:
        messages.info(request, _("No code is waited for. Type your number to get one."))
        return redirect("own_details")
    return form_page(
        request, "account/number_code.html", {"form": form, "number": asked.number if asked else ""}
    )


@require_http_methods(["GET", "HEAD", "POST"])
def own_sessions(request: HttpRequest) -> HttpResponse:
    """Where one is signed in; a POST ends one of them (`end`), or all others."""
    user: Any = request.user
    this = request.session.session_key
    if request.method == "POST":
        name = text_of(request.POST, "end", most=16)
        with transaction.atomic():
            ended = sessions.end(user, keep=this, name=name)
            if ended:
                act = "user.session_ended" if name else "user.sessions_ended"
                audit(act, user, by=actor(request), sessions=ended)
        if ended:
            account_mail.sessions_ended(user, by="")
            messages.success(request, _("Signed out there."))
        else:
            messages.info(request, _("That session had ended already."))
        return redirect("own_sessions")
    return render(request, "account/sessions.html", {"sessions": sessions.open_of(user, this=this)})


@login_not_required
def password_reset(request: HttpRequest) -> HttpResponseBase:
    """allauth's page where a link can be mailed."""
    if not mail_server.is_set_up():
        return render(request, "account/no_mail_server.html")
    return allauth_password_reset(request)


@login_not_required
@require_safe
def session(request: HttpRequest) -> HttpResponse:
    """Whose session it is, for scripts of pages before they post a form. The cookie of the forms' token comes with it, where it is gone."""
    get_token(request)
    return JsonResponse({"person": str(request.user.pk or "")})


def password_change(request: HttpRequest) -> HttpResponseBase:
    """allauth's page, for those who have one: people of single sign-on may have none."""
    viewer: Any = request.user
    if not viewer.has_usable_password():
        messages.info(request, _("You have no password here: you sign in with single sign-on."))
        return redirect("own_details")
    return allauth_password_change(request)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def address_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """What the link to a new e-mail address opens."""
    try:
        if request.method == "POST":
            addresses.confirm(token, caller=str(request.META.get("REMOTE_ADDR") or ""))
            messages.success(request, _("Your address is changed. Sign in with it from now on."))
            return redirect("services")
        user, email = addresses.asked(token)
    except addresses.LinkGone as problem:
        return render(request, "account/address.html", {"gone": str(problem)}, status=410)
    return render(request, "account/address.html", {"person": user, "email": email})
