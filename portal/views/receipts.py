"""Receipts of a service: their addresses, whether they arrive, those that could not be applied, and imports of an export."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access import WRITE, actor, service_page
from portal.forms.numbers import key_of
from portal.views.button_base import Said, button, error
from portal.views.confirm_base import Confirmation, ConfirmView, asking
from sms.inbound import kept_files, receipts, refused
from sms.inbound.receipts.overview import overview_of
from sms.inbound.receipts.rotate import StillAnswered, retire, rotate
from sms.ledger import wakeups
from sms.models import Actor, CameTo, RefusedPost, Service
from sms.models.audit import audit
from sms.models.service import HAND_OVER
from sms.models.sql.clock import corrected_now
from sms.words import number

REPLAYED = 100_000  # receipts that one request puts into the inbox again


@service_page("see")
def receipts_page(request: HttpRequest, service: Service) -> HttpResponse:
    """The receipt address is a secret and shown only to those who configure."""
    return _page(request, service)


def _page(request: HttpRequest, service: Service, **shown: Any) -> HttpResponse:
    """`shown` is the result of an import, `imported`, or the `problem` with it."""
    now = corrected_now()
    context = {
        "look": overview_of(service, now=now),
        "kept_files": kept_files.count(),
        "url": f"{settings.PUBLIC_URL}/receipts/{service.receipt_token}/",
        "webhook_url": f"{settings.PUBLIC_URL}/receipts/{service.webhook_token}/",
        "inbound_url": f"{settings.PUBLIC_URL}/inbound/{service.webhook_token}/",
        "url_is_public": settings.PUBLIC_URL.startswith("https://"),
        "until": _still(service.receipt_token_before, service.receipt_token_until, now),
        "webhook_until": _still(service.webhook_token_before, service.webhook_token_until, now),
        "hand_over_days": HAND_OVER.days,
        "secrets": len(service.receipt_secrets),
        "checks": refused.checks_of(service),
        "refused": refused.kept_of(service),
        "refused_days": RefusedPost.KEPT,
        "nobodys": sum(row.count for row in refused.kept_of(None)),
    }
    return render(request, "receipts/page.html", context | shown, status=422 if "problem" in shown else 200)


def _still(before: str | None, until: datetime | None, now: datetime) -> datetime | None:
    """The end of a previous address, where it is still answered."""
    return until if before and until and until > now else None


@service_page("configure", WRITE)
def receipts_retry(request: HttpRequest, service: Service) -> HttpResponse:
    """Apply one receipt that was set aside once more, or all of them."""
    with transaction.atomic():
        count = receipts.retry(service, key_of(request.POST, "receipt"))
        if count:
            audit("receipts.retried", service, by=actor(request), receipts=count)
    if count:
        wakeups.fold()
        words = ngettext(
            "%(n)s receipt will be tried again within a minute.",
            "%(n)s receipts will be tried again within a minute.",
            count,
        )
        messages.success(request, words % {"n": number(count)})
    else:
        messages.info(request, _("Nothing was left to try again."))
    return redirect("receipts_page", service=service.slug)


@button("configure", back="receipts_page")
def receipts_take_in_kept(service: Service, by: Actor) -> Said:
    """What this host's disk kept of all services; it changes nothing that is in already."""
    taken = kept_files.take_in()
    audit(
        "receipts.kept_taken_in",
        service,
        by=by,
        receipts=taken.receipts,
        messages=taken.messages,
        left=taken.left,
    )
    return Said(str(taken))


@button("configure", back="receipts_page", refusals=StillAnswered)
def receipts_rotate(service: Service, by: Actor) -> Said:
    """A new address in messages; the previous one is accepted for some days."""
    rotate(service, by=by)
    return Said(
        ngettext(
            "Messages carry a new address from now on. The previous one is answered for %(days)s more day.",
            "Messages carry a new address from now on. The previous one is answered for %(days)s more days.",
            HAND_OVER.days,
        )
        % {"days": number(HAND_OVER.days)}
    )


@button("configure", back="receipts_page", refusals=StillAnswered)
def receipts_rotate_webhook(service: Service, by: Actor) -> Said:
    """A new address for webhooks; the previous one is accepted for some days."""
    rotate(service, by=by, came_to=CameTo.WEBHOOK)
    return Said(
        ngettext(
            "There is a new address for webhooks. The previous one is answered for %(days)s more day: "
            "change it in Webex Connect until then.",
            "There is a new address for webhooks. The previous one is answered for %(days)s more days: "
            "change it in Webex Connect until then.",
            HAND_OVER.days,
        )
        % {"days": number(HAND_OVER.days)}
    )


def _ask_retire(_service: Service) -> Confirmation:
    return Confirmation(
        _("End the previous address and secret now?"),
        _(
            "Receipts that still come to a previous address, or are signed with the previous secret, are refused from now on. "
            "They are kept under “Refused” for a while, and can be taken in there."
        ),
        _("First make sure that Webex Connect uses the present address and secret."),
        button=_("End them now"),
    )


@asking("configure", asks=_ask_retire, back="receipts_page", crumb=gettext_lazy("Receipts"))
def receipts_retire(service: Service, by: Actor) -> Said:
    """Previous addresses and the previous secret end now."""
    retire(service, by=by)
    return Said(_("Previous addresses and the previous signature secret are not accepted any more."))


class ReplayReceipts(ConfirmView):
    """The stored receipts of the last day once more; more than REPLAYED is for `manage.py replay_receipts`."""

    act = "configure"
    back, crumb = "receipts_page", gettext_lazy("Receipts")

    def over(self) -> Said | None:
        self.until = corrected_now()
        self.since = self.until - timedelta(hours=24)
        self.count = receipts.count_since(self.service, since=self.since, most=REPLAYED + 1)
        if self.count <= REPLAYED:
            return None
        command = f"manage.py replay_receipts --service {self.service.slug}"
        says = _("The last 24 hours have more than %(most)s receipts. Ask your operator for: %(command)s")
        return error(says % {"most": number(REPLAYED), "command": command})

    def confirmation(self) -> Confirmation:
        return Confirmation(
            _("Apply the last 24 hours again?"),
            _("%(n)s stored receipts are read once more, before those that come in now.")
            % {"n": number(self.count)},
            _(
                "That helps after a fix of how they are read. A message's state only moves forward, so it harms nothing."
            ),
            button=_("Apply them again"),
            danger=False,
        )

    def confirmed(self, form: Any) -> Said:
        count = sum(receipts.replay(self.service, since=self.since, until=self.until))
        audit("receipts.replayed", self.service, by=self.by, receipts=count)
        wakeups.fold()
        says = ngettext(
            "%(n)s receipt of the last 24 hours is being applied again.",
            "%(n)s receipts of the last 24 hours are being applied again.",
            count,
        )
        return Said(says % {"n": number(count)})


@service_page("configure", WRITE)
def receipts_import(request: HttpRequest, service: Service) -> HttpResponse:
    upload = request.FILES.get("file")
    if upload is None:
        return _page(request, service, problem=_("Choose a file first."))
    if (upload.size or 0) > settings.UPLOAD_MAX_BYTES:
        limit = settings.UPLOAD_MAX_BYTES // 1_000_000
        sentence = _("The file is over %(limit)s MB. Use manage.py import_receipts for it.")
        return _page(request, service, problem=sentence % {"limit": number(limit)})
    try:
        imported = receipts.import_export(service, upload.read())
    except receipts.NotAnExport as problem:
        return _page(request, service, problem=str(problem))
    audit("receipts.imported", service, by=actor(request), rows=imported.rows, new=imported.new)
    wakeups.fold()
    return _page(request, service, imported=imported)
