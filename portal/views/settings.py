"""The first-run page, and a service's settings, a page each: connection with its tests, limits, approval."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from portal.access import FORM, WRITE, actor, service_page
from portal.first_run import DeskTaken, WrongCode, anybody, make_admin
from portal.forms.connection import ConnectionForm, NewServiceForm
from portal.forms.settings import ApprovalForm, FirstRunForm, LimitsForm, TestMessageForm
from portal.going_live.connection import Followed, follow, refusal
from portal.going_live.progress import progress_of
from portal.limits import upload_limits
from portal.models import Membership, Role
from portal.views.button_base import Said, button, error
from portal.views.form_base import form_page, keep, refused_beside, typed
from sms.audiences.files import AudienceError, read_pasted
from sms.catalogue import connection as connecting
from sms.catalogue import key_policies, senders
from sms.catalogue.form_changes import changes
from sms.compose.approval.rules import MOST_TRANSACTIONAL
from sms.compose.create import create
from sms.compose.errors import ComposeError
from sms.compose.order import Order
from sms.dispatch.rate import BURST_DAY, BURST_MONTH, burst_used
from sms.models import Actor, ApprovalRules, Receipt, ReceiptInbox, Service
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.words import number

TEST_TEXT = "This is a test message from Textdesk. If you can read it, the connection works."


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def first_run(request: HttpRequest) -> HttpResponse:
    """Make the first admin, with the code that the start printed. The page is gone as soon as there is anybody."""
    if anybody():
        raise Http404
    form = FirstRunForm(**typed(request))
    if form.is_valid():
        data = form.cleaned_data
        try:
            user = make_admin(data["code"], email=data["email"], password=data["password"])
        except DeskTaken:
            raise Http404 from None
        except WrongCode:
            form.add_error(
                "code",
                _("That is not the code. The latest start printed it; manage.py prepare prints a new one."),
            )
        else:
            login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
            audit("user.first_admin", user, by=actor(request))
            return redirect("service_new")
    return form_page(request, "settings/first_run.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def service_new(request: HttpRequest) -> HttpResponse:
    user = request.user
    if not user.is_superuser:
        raise PermissionDenied
    form = NewServiceForm(**typed(request))
    if form.is_valid():
        with transaction.atomic():
            service = form.save()
            Membership.objects.create(user=user, service=service, role=Role.ADMIN)
            audit("service.connected", service, by=actor(request), **changes(form))
            followed = follow(None, service, by=actor(request))
        says = _("%(service)s is connected. These steps lead to the first message.")
        messages.success(request, says % {"service": service.name})
        _say_followed(request, followed)
        return redirect("going_live", service=service.slug)
    return form_page(request, "settings/new.html", {"form": form})


@service_page("configure", FORM)
def connection(request: HttpRequest, service: Service) -> HttpResponse:
    user: Any = request.user
    form = ConnectionForm(**typed(request), instance=Service.objects.get(pk=service.pk))
    if form.is_valid():
        if why := refusal(service, form.instance, by=user):
            form.add_error("region", why)
            return _page(request, service, form=form)
        with transaction.atomic():
            keep(request, service, form)
            followed = follow(service, form.instance, by=actor(request))
        _say_followed(request, followed)
        moved = service.secrets_origin != form.instance.secrets_origin
        return redirect("going_live" if moved else "settings", service=service.slug)
    return _page(request, service, form=form)


def _say_followed(request: HttpRequest, followed: Followed) -> None:
    """What ended or waits because the service is live now, or in the sandbox again."""
    if held := followed.held:
        says = ngettext(
            "%(n)s send that was made for the connection before is paused. Look at each before you resume it.",
            "%(n)s sends that were made for the connection before are paused. Look at each before you resume it.",
            held,
        )
        messages.warning(request, says % {"n": number(held)})
    if switches := followed.switches:
        says = ngettext(
            "%(n)s setting is at the default again, because the tenant probe had found out the other value at the address before.",
            "%(n)s settings are at the default again, because the tenant probe had found out the other value at the address before.",
            switches,
        )
        messages.info(request, says % {"n": number(switches)})
    if followed.people:
        messages.info(
            request,
            _("The demo has ended: its people can no longer sign in, and their API keys are revoked."),
        )


@service_page("configure", FORM)
def limits(request: HttpRequest, service: Service) -> HttpResponse:
    form = LimitsForm(**typed(request), instance=Service.objects.get(pk=service.pk))
    if form.is_valid():
        keep(request, service, form)
        return redirect("settings_limits", service=service.slug)
    today, month = burst_used([service.pk]).get(service.pk, (0.0, 0.0))
    burst = {
        "minutes_today": round(min(today, BURST_DAY) / 60, 1),
        "hours_this_month": round(min(month, BURST_MONTH) / 3600, 1),
        "minutes_a_day": int(BURST_DAY // 60),
        "hours_a_month": int(BURST_MONTH // 3600),
    }
    return form_page(request, "settings/limits.html", {"form": form, "burst": burst})


@service_page("configure", FORM)
def approval(request: HttpRequest, service: Service) -> HttpResponse:
    rules = ApprovalRules.of(service)
    form = ApprovalForm(**typed(request), instance=rules)
    if form.is_valid():
        keep(request, service, form, act="approval.changed")
        return redirect("settings_approval", service=service.slug)
    members = Membership.objects.filter(service=service, role=Role.APPROVER, user__is_active=True)
    approvers = members.values("user").distinct().count()
    keys = key_policies.transactional_keys(service, now=corrected_now())
    context = {
        "form": form,
        "approvers": approvers,
        "too_few": rules.pk and approvers < rules.most,
        "transactional": sorted({key.name for key in keys}),
        "most": MOST_TRANSACTIONAL,
    }
    return form_page(request, "settings/approval.html", context)


@button("configure", back="settings")
def connection_test(service: Service, by: Actor) -> Said:
    """One click: do the address and the credentials work? Nobody is written to."""
    verdict, words = connecting.check_connection(service, by=by)
    if verdict == connecting.ConnectionVerdict.WORKS:
        return Said(str(verdict.label))
    said = [str(verdict.label), *([_("It says: “%(words)s”") % {"words": words}] if words else [])]
    return error(" ".join(said))


def _page(request: HttpRequest, service: Service, **shown: Any) -> HttpResponse:
    first = service.senders.filter(active=True).first()
    unmatched = ReceiptInbox.objects.filter(receipt__service=service).exclude(why=ReceiptInbox.Why.NEW)
    context = {
        "form": ConnectionForm(instance=service),
        "progress": progress_of(service),
        "verdict": connecting.ConnectionVerdict(service.check_verdict) if service.check_verdict else None,
        "works": service.check_verdict == connecting.ConnectionVerdict.WORKS,
        "test_form": TestMessageForm(initial={"sender": first.address if first else ""}),
        "receipt_url": f"{settings.PUBLIC_URL}/receipts/{service.receipt_token}/",
        "webhook_url": f"{settings.PUBLIC_URL}/receipts/{service.webhook_token}/",
        "receipt_url_is_public": settings.PUBLIC_URL.startswith("https://"),
        "public_url": settings.PUBLIC_URL,
        "last_receipt": Receipt.objects.filter(service=service, simulated=False).order_by("-id").first(),
        "unmatched": unmatched.count(),
    }
    return form_page(request, "settings/connection.html", context | shown)


@service_page("configure", WRITE)
def test_message(request: HttpRequest, service: Service) -> HttpResponse:
    """Send one message to a number of one's own, as an ordinary send with its ordinary page."""
    form = TestMessageForm(request.POST)
    if not form.is_valid():
        return _page(request, service, test_form=form)
    address, number = form.cleaned_data["sender"], form.cleaned_data["number"]
    with refused_beside(form, AudienceError, ComposeError, field="number"), transaction.atomic():
        audience = read_pasted(number, country=service.default_country, limits=upload_limits())
        order = Order(
            service=service,
            audience=audience,
            sender=senders.listed(service, address, by=actor(request)),
            content=TEST_TEXT,
            name="Test message",
            source="test",
        )
        send = create(order, by=actor(request))
        return redirect("send", service=service.slug, pk=send.pk)
    return _page(request, service, test_form=form)
