"""A service's receipts: where they come to, whether they come, what could not be applied, and filling gaps from an export."""

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.access import actor, may, service_page
from portal.views.control import Confirmation, ask
from sms.inbound import receipts
from sms.inbound.receipts.overview import overview_of
from sms.inbound.receipts.rotate import HAND_OVER, retire, rotate
from sms.ledger import wakeups
from sms.models import Service
from sms.models.audit import audit

REPLAYED = 100_000  # receipts that one request puts into the inbox again


@service_page("see")
@require_safe
def receipts_page(request: HttpRequest, service: Service) -> HttpResponse:
    """Everything about receipts; the address itself, which is a secret, only for those who configure."""
    return _page(request, service)


def _page(
    request: HttpRequest,
    service: Service,
    *,
    imported: receipts.ImportResult | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    before = service.receipt_token_before
    context = {
        "look": overview_of(service, now=now),
        "url": f"{settings.PUBLIC_URL}/receipts/{service.receipt_token}/",
        "url_is_public": settings.PUBLIC_URL.startswith("https://"),
        "until": service.receipt_token_until
        if before and service.receipt_token_until and service.receipt_token_until > now
        else None,
        "hand_over_days": HAND_OVER.days,
        "imported": imported,
        "problem": problem,
    }
    if "configure" in may(request.user, service):  # type: ignore[arg-type]
        context |= {"secrets": len(service.receipt_secrets)}
    return render(request, "receipts/page.html", context, status=status)


@service_page("configure")
@require_POST
def receipts_retry(request: HttpRequest, service: Service) -> HttpResponse:
    """One receipt that was set aside, or all of them, once more."""
    one = request.POST.get("receipt", "")
    with transaction.atomic():
        count = receipts.retry(service, int(one) if one.isdecimal() and len(one) < 19 else None)
        if count:
            audit("receipts.retried", service, by=actor(request), receipts=count)
    if count:
        wakeups.fold()
        messages.success(
            request, f"{count} receipt{'s' if count != 1 else ''} will be tried again within a minute."
        )
    else:
        messages.info(request, "Nothing was left to try again.")
    return redirect("receipts_page", service=service.slug)


@service_page("configure")
@require_POST
def receipts_rotate(request: HttpRequest, service: Service) -> HttpResponse:
    """A new address, beside the present one for a while."""
    rotate(service, by=actor(request))
    messages.success(
        request,
        f"There is a new address. The previous one is answered for {HAND_OVER.days} more days: "
        "change it in your webhook until then.",
    )
    return redirect("receipts_page", service=service.slug)


@service_page("configure")
@require_POST
def receipts_retire(request: HttpRequest, service: Service) -> HttpResponse:
    """The previous address and secret end now."""
    retire(service, by=actor(request))
    messages.success(request, "The previous address and signature secret are not accepted any more.")
    return redirect("receipts_page", service=service.slug)


@service_page("configure")
@require_http_methods(["GET", "HEAD", "POST"])
def receipts_replay(request: HttpRequest, service: Service) -> HttpResponse:
    """The stored receipts of the last day once more, after a question; more than REPLAYED is for `manage.py replay_receipts`."""
    now = timezone.now()
    many = receipts.count_since(service, since=now - timedelta(hours=24), most=REPLAYED + 1)
    if many > REPLAYED:
        command = f"manage.py replay_receipts --service {service.slug}"
        messages.error(
            request,
            f"The last 24 hours have more than {REPLAYED:,} receipts. Ask your operator for: {command}",
        )
        return redirect("receipts_page", service=service.slug)
    if request.method != "POST":
        asked = Confirmation(
            title="Apply the last 24 hours again?",
            says=(
                f"{many:,} stored receipts are read once more, before those that come in now.",
                "That helps after a fix of how they are read. A message's state only moves forward, so it harms nothing.",
            ),
            button="Apply them again",
            back=reverse("receipts_page", args=[service.slug]),
            crumb="Receipts",
        )
        return ask(request, asked)
    count = sum(receipts.replay(service, since=now - timedelta(hours=24), until=now))
    audit("receipts.replayed", service, by=actor(request), receipts=count)
    wakeups.fold()
    messages.success(request, f"{count:,} receipts of the last 24 hours are being applied again.")
    return redirect("receipts_page", service=service.slug)


@service_page("configure")
@require_POST
def receipts_import(request: HttpRequest, service: Service) -> HttpResponse:
    """Fill a gap from the provider's export."""
    upload = request.FILES.get("file")
    if upload is None:
        return _page(request, service, problem="Choose a file first.", status=422)
    if (upload.size or 0) > settings.UPLOAD_MAX_BYTES:
        limit = settings.UPLOAD_MAX_BYTES // 1_000_000
        sentence = f"The file is over {limit} MB. Use manage.py import_receipts for it."
        return _page(request, service, problem=sentence, status=422)
    try:
        imported = receipts.import_export(service, upload.read())
    except receipts.NotAnExport as problem:
        return _page(request, service, problem=str(problem), status=422)
    audit("receipts.imported", service, by=actor(request), rows=imported.rows, new=imported.new)
    wakeups.fold()
    return _page(request, service, imported=imported)
