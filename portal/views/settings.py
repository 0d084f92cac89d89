"""The first-run page, and a service's settings, a page each: connection with its tests, limits, approval."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from portal.access import FORM, WRITE, actor, service_page
from portal.first_run import DeskTaken, WrongCode, make_admin
from portal.forms.connection import ConnectionForm, NewServiceForm
from portal.forms.settings import ApprovalForm, FirstRunForm, LimitsForm, TestMessageForm
from portal.limits import upload_limits
from portal.models import Membership, Role, User
from portal.presenters.burst import burst_of
from portal.presenters.checklist import open_steps
from portal.presenters.form_changes import changes
from sms.audiences.files import AudienceError, read_pasted
from sms.catalogue import connection as connecting
from sms.compose.create import create
from sms.compose.errors import ComposeError
from sms.compose.order import Order
from sms.models import (
    ApprovalRules,
    Receipt,
    ReceiptInbox,
    Sender,
    SenderKind,
    Service,
)
from sms.models.audit import audit
from sms.sends import control

TEST_TEXT = "This is a test message from Textdesk. If you can read it, the connection works."


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def first_run(request: HttpRequest) -> HttpResponse:
    """Make the first admin, with the code that the start printed. The page is gone as soon as there is anybody."""
    if User.objects.exists():
        raise Http404
    form = FirstRunForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            user = make_admin(typed["code"], email=typed["email"], password=typed["password"])
        except DeskTaken:
            raise Http404 from None
        except WrongCode:
            form.add_error(
                "code",
                "That is not the code. The latest start printed it; `manage.py prepare` prints a new one.",
            )
        else:
            login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
            audit("user.first_admin", user, by=actor(request))
            return redirect("service_new")
    return render(request, "settings/first_run.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def service_new(request: HttpRequest) -> HttpResponse:
    user = request.user
    if not user.is_superuser:
        raise PermissionDenied
    form = NewServiceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            service = form.save()
            Membership.objects.create(user=user, service=service, role=Role.ADMIN)
            audit("service.connected", service, by=actor(request))
        messages.success(
            request,
            f"{service.name} is connected. Two steps are left: the receipt address, and a test message.",
        )
        return redirect("settings", service=service.slug)
    return render(request, "settings/new.html", {"form": form})


@service_page("configure", FORM)
def connection(request: HttpRequest, service: Service) -> HttpResponse:
    form = ConnectionForm(
        request.POST if request.method == "POST" else None, instance=Service.objects.get(pk=service.pk)
    )
    if request.method == "POST" and form.is_valid():
        held = 0
        with transaction.atomic():
            if service.reaches_sandbox and not form.instance.reaches_sandbox:
                held = control.leave_sandbox(service, by=actor(request))
            _keep(request, service, form, "service.changed")
        if held:
            messages.warning(
                request,
                f"{held:,} send{' that was' if held == 1 else 's that were'} made for the sandbox "
                f"{'is' if held == 1 else 'are'} paused, so that nothing of it reaches people unseen.",
            )
        return redirect("settings", service=service.slug)
    return _page(request, service, form=form, status=422 if form.errors else 200)


@service_page("configure", FORM)
def limits(request: HttpRequest, service: Service) -> HttpResponse:
    form = LimitsForm(
        request.POST if request.method == "POST" else None, instance=Service.objects.get(pk=service.pk)
    )
    context = {"burst": burst_of(service)}
    return _form_page(request, service, form, "settings/limits.html", "settings_limits", context)


@service_page("configure", FORM)
def approval(request: HttpRequest, service: Service) -> HttpResponse:
    rules = ApprovalRules.of(service)
    form = ApprovalForm(request.POST if request.method == "POST" else None, instance=rules)
    approvers = (
        Membership.objects.filter(service=service, role=Role.APPROVER, user__is_active=True)
        .values("user")
        .distinct()
        .count()
    )
    context = {"approvers": approvers, "too_few": rules.pk and approvers < rules.most}
    return _form_page(
        request, service, form, "settings/approval.html", "settings_approval", context, act="approval.changed"
    )


def _form_page(
    request: HttpRequest,
    service: Service,
    form: Any,
    template: str,
    name: str,
    context: dict[str, Any],
    *,
    act: str = "service.changed",
) -> HttpResponse:
    """A page that is one form: saved with its audit row, or shown with its mistakes."""
    if request.method == "POST" and form.is_valid():
        _keep(request, service, form, act)
        return redirect(name, service=service.slug)
    status = 422 if form.errors else 200
    return render(request, template, context | {"form": form}, status=status)


def _keep(request: HttpRequest, service: Service, form: Any, act: str) -> None:
    with transaction.atomic():
        form.save()
        if form.changed_data:
            audit(act, service, by=actor(request), **changes(form))
    messages.success(request, "Saved.")


@service_page("configure", WRITE)
def connection_test(request: HttpRequest, service: Service) -> HttpResponse:
    """One click: do the address and the credentials work? Nobody is written to."""
    verdict, words = connecting.check_connection(service, by=actor(request))
    said = f" It says: “{words}”" if words and verdict != connecting.ConnectionVerdict.WORKS else ""
    say = messages.success if verdict == connecting.ConnectionVerdict.WORKS else messages.error
    say(request, f"{verdict.label}{said}")
    return redirect("settings", service=service.slug)


def _page(
    request: HttpRequest,
    service: Service,
    *,
    form: ConnectionForm | None = None,
    test_form: TestMessageForm | None = None,
    status: int = 200,
) -> HttpResponse:
    first = service.senders.filter(active=True).first()
    context = {
        "form": form or ConnectionForm(instance=service),
        "steps": open_steps(service),
        "verdict": connecting.ConnectionVerdict(service.check_verdict) if service.check_verdict else None,
        "works": service.check_verdict == connecting.ConnectionVerdict.WORKS,
        "test_form": test_form or TestMessageForm(initial={"sender": first.address if first else ""}),
        "receipt_url": f"{settings.PUBLIC_URL}/receipts/{service.receipt_token}/",
        "receipt_url_is_public": settings.PUBLIC_URL.startswith("https://"),
        "public_url": settings.PUBLIC_URL,
        "last_receipt": Receipt.objects.filter(service=service).order_by("-id").first(),
        "unmatched": ReceiptInbox.objects.filter(receipt__service=service)
        .exclude(why=ReceiptInbox.Why.NEW)
        .count(),
    }
    return render(request, "settings/connection.html", context, status=status)


@service_page("configure", WRITE)
def test_message(request: HttpRequest, service: Service) -> HttpResponse:
    """Send one message to a number of one's own, as an ordinary send with its ordinary page."""
    form = TestMessageForm(request.POST)
    if not form.is_valid():
        return _page(request, service, test_form=form, status=422)
    address = form.cleaned_data["sender"].strip().lstrip("+")
    sender, _ = Sender.objects.get_or_create(
        service=service, address=address, defaults={"kind": _kind_of(address)}
    )
    try:
        audience = read_pasted(
            form.cleaned_data["number"], country=service.default_country, limits=upload_limits()
        )
        order = Order(
            service=service,
            audience=audience,
            sender=sender,
            content=TEST_TEXT,
            name="Test message",
            source="test",
        )
        send = create(order, by=actor(request))
    except (AudienceError, ComposeError) as problem:
        form.add_error("number", str(problem))
        return _page(request, service, test_form=form, status=422)
    return redirect("send", service=service.slug, pk=send.pk)


def _kind_of(address: str) -> str:
    if not address.isdigit():
        return SenderKind.ALPHANUMERIC
    return SenderKind.SHORT_CODE if len(address) <= 8 else SenderKind.LONG_CODE
