"""Receipts of a service: their addresses, whether they arrive, those that could not be applied, and imports of an export."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from portal.access import WRITE, actor, may, service_page
from portal.forms.numbers import key_of
from portal.views.confirm_base import Confirmation, ConfirmView
from sms.inbound import receipts
from sms.inbound.receipts.overview import overview_of
from sms.inbound.receipts.rotate import HAND_OVER, retire, rotate
from sms.ledger import wakeups
from sms.models import Service
from sms.models.audit import audit

REPLAYED = 100_000  # receipts that one request puts into the inbox again


@service_page("see")
def receipts_page(request: HttpRequest, service: Service) -> HttpResponse:
    """The receipt address is a secret and shown only to those who configure."""
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


@service_page("configure", WRITE)
def receipts_retry(request: HttpRequest, service: Service) -> HttpResponse:
    """Apply one receipt that was set aside once more, or all of them."""
    with transaction.atomic():
        count = receipts.retry(service, key_of(request.POST, "receipt"))
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


@service_page("configure", WRITE)
def receipts_rotate(request: HttpRequest, service: Service) -> HttpResponse:
    """A new address; the previous one is accepted for some days."""
    rotate(service, by=actor(request))
    messages.success(
        request,
        f"There is a new address. The previous one is answered for {HAND_OVER.days} more days: "
        "change it in your webhook until then.",
    )
    return redirect("receipts_page", service=service.slug)


@service_page("configure", WRITE)
def receipts_retire(request: HttpRequest, service: Service) -> HttpResponse:
    """The previous address and secret end now."""
    retire(service, by=actor(request))
    messages.success(request, "The previous address and signature secret are not accepted any more.")
    return redirect("receipts_page", service=service.slug)


class ReplayReceipts(ConfirmView):
    """The stored receipts of the last day once more; more than REPLAYED is for `manage.py replay_receipts`."""

    act = "configure"
    back, crumb = "receipts_page", "Receipts"

    def is_over(self) -> bool:
        self.until = timezone.now()
        self.since = self.until - timedelta(hours=24)
        self.count = receipts.count_since(self.service, since=self.since, most=REPLAYED + 1)
        if self.count > REPLAYED:
            command = f"manage.py replay_receipts --service {self.service.slug}"
            words = (
                f"The last 24 hours have more than {REPLAYED:,} receipts. Ask your operator for: {command}"
            )
            messages.error(self.request, words)
        return self.count > REPLAYED

    def confirmation(self) -> Confirmation:
        return Confirmation(
            title="Apply the last 24 hours again?",
            says=(
                f"{self.count:,} stored receipts are read once more, before those that come in now.",
                "That helps after a fix of how they are read. A message's state only moves forward, so it harms nothing.",
            ),
            button="Apply them again",
            danger=False,
        )

    def confirmed(self, form: Any) -> None:
        count = sum(receipts.replay(self.service, since=self.since, until=self.until))
        audit("receipts.replayed", self.service, by=actor(self.request), receipts=count)
        wakeups.fold()
        messages.success(self.request, f"{count:,} receipts of the last 24 hours are being applied again.")


@service_page("configure", WRITE)
def receipts_import(request: HttpRequest, service: Service) -> HttpResponse:
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
