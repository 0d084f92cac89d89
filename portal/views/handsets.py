"""The handset wall, only where the sandbox is connected: pretend phones with what each person sees, whose links open and who answer."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access import WRITE, service_page
from portal.forms.handsets import OpenLinkForm, PhoneReplyForm
from portal.forms.numbers import key_of
from portal.forms.texts import text_of
from portal.presenters.handset_wall import Asked, messages_of, numbers_of, short_link, wall_of
from portal.sandbox_phones import SandboxAway, open_link, write_from
from sms.models import Send, Service
from sms.sends.person.identity import person_of
from sms.values.msisdn import mask

NOT_A_PHONE = gettext_lazy("That phone or text is not on the wall any more. Look again.")


@service_page("see")
def handsets(request: HttpRequest, service: Service) -> HttpResponse:
    asked = _asked(request.GET, service)
    of_send = get_object_or_404(Send, pk=asked.send, service=service) if asked.send else None
    return render(
        request, "handsets/wall.html", {"wall": wall_of(service, asked), "asked": asked, "of_send": of_send}
    )


@service_page("see")
def handsets_news(request: HttpRequest, service: Service) -> HttpResponse:
    """What the phones show now; each is put in its place, and what somebody writes on one stays."""
    return render(request, "handsets/_news.html", {"wall": wall_of(service, _asked(request.GET, service))})


@service_page("compose", WRITE)
def handset_open(request: HttpRequest, service: Service) -> HttpResponse:
    form = OpenLinkForm(request.POST)
    if not form.is_valid() or not service.is_sandbox:
        messages.error(request, NOT_A_PHONE)
        return _back(request, service)
    pk, number = form.named
    message = get_object_or_404(messages_of(service), pk=pk)
    try:
        path = short_link(service, message, number)
        leads_to = open_link(service, path) if path else ""
    except SandboxAway as problem:
        messages.error(request, str(problem))
    else:
        if leads_to:
            says = _(
                "Opened on the phone. It leads to %(address)s. The click comes back as a receipt in a moment."
            )
            messages.success(request, says % {"address": leads_to})
        else:
            messages.error(request, _("The link leads nowhere: the sandbox knows it no longer."))
    return _back(request, service)


@service_page("compose", WRITE)
def handset_reply(request: HttpRequest, service: Service) -> HttpResponse:
    form = PhoneReplyForm(request.POST, numbers=numbers_of(service))
    if not form.is_valid() or not service.is_sandbox:
        messages.error(request, _("Write something first.") if "text" in form.errors else NOT_A_PHONE)
        return _back(request, service)
    given = form.cleaned_data
    person = person_of(service, given["person"])
    if person is None or not person.number or not messages_of(service).filter(msisdn=person.number).exists():
        raise Http404
    inbound = f"{settings.PUBLIC_URL}/inbound/{service.receipt_token}/"
    try:
        write_from(service, person.number, to=given["to"], text=given["text"], inbound_url=inbound)
    except SandboxAway as problem:
        messages.error(request, str(problem))
    else:
        says = _("%(number)s wrote to %(sender)s. It comes in like any other SMS.")
        messages.success(request, says % {"number": mask(person.number), "sender": given["to"]})
    return _back(request, service)


def _asked(given: QueryDict, service: Service) -> Asked:
    """Raises Http404 where no sandbox is connected."""
    if not service.is_sandbox:
        raise Http404
    return Asked(
        send=key_of(given, "send") or 0,
        message=key_of(given, "message") or 0,
        person=text_of(given, "person", most=200),
    )


def _back(request: HttpRequest, service: Service) -> HttpResponse:
    """To the wall as it was asked for."""
    if not service.is_sandbox:
        return redirect("home", service=service.slug)
    asked = _asked(QueryDict(text_of(request.POST, "wall", most=300)), service)
    here = reverse("handsets", args=[service.slug])
    return redirect(f"{here}?{urlencode(asked.query)}" if asked.query else here)
