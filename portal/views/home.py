"""The list of a person's services, and the home page of one."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from portal import people
from portal.access import service_page, services_of
from portal.first_run import anybody
from portal.forms.numbers import key_of
from portal.going_live.progress import progress_of
from portal.models import User
from portal.signing_in_first import session_ended, sign_in_first
from sms import guard
from sms.callbacks import log
from sms.catalogue.caps import standing
from sms.catalogue.domains import ALARMING
from sms.compliance import audit
from sms.compose import comments
from sms.compose.approval import queries
from sms.inbound import receipts, refused
from sms.models import Draft, ReceiptInbox, SendState, Service
from sms.models.sql.clock import corrected_now
from sms.operations.service_now import service_now
from sms.sends import calendar, holds
from sms.sends.progress import figures_of
from sms.sends.replies import inbox
from sms.worker import health

PLANNED, LOOKED_AT = 5, 30
NOTES_LAST = 60  # seconds


@login_not_required
@require_safe
def services(request: HttpRequest) -> HttpResponse:
    """`/`: leads to the only service, or offers the choice; visitors are sent to sign-in, or to the first run."""
    if not request.user.is_authenticated:
        if session_ended(request):
            return sign_in_first(request, "/")
        return redirect(
            "account_login" if User.objects.filter(is_active=True).exists() or anybody() else "first_run"
        )
    viewer: Any = request.user
    mine = list(services_of(viewer)[:2])
    if len(mine) == 1:
        return redirect("home", service=mine[0].slug)
    return render(request, "service_list.html", {"held_back": people.own_roles_that_wait(viewer)})


@service_page("see")
def home(request: HttpRequest, service: Service) -> HttpResponse:
    now = corrected_now()
    return render(request, "home.html", _what_moves(service, now) | _what_stands(request, service, now))


@service_page("see")
def home_live(request: HttpRequest, service: Service) -> HttpResponse:
    """The parts of the page that it asks for every few seconds; those that ask for somebody once a minute."""
    now = corrected_now()
    noted = key_of(request.GET, "noted") or 0
    context = _what_moves(service, now) | {"live": True, "noted": noted}
    if not 0 <= now.timestamp() - noted < NOTES_LAST:
        context |= _what_stands(request, service, now)
    return render(request, "home/_live.html", context)


def _what_moves(service: Service, now: datetime) -> dict[str, Any]:
    figures, at_work = figures_of(service, now=now), service_now(service, now=now)
    shown = [row.send for row in (*figures.recent, *at_work.going_out)]
    return {"now": now, "figures": figures, "at_work": at_work, "held": holds.held_among(shown)}


def _what_stands(request: HttpRequest, service: Service, now: datetime) -> dict[str, Any]:
    """What comes next, and what asks for somebody."""
    may: frozenset[str] = request.may  # type: ignore[attr-defined]
    until = now + timedelta(days=60)
    own = [service] if "compose" in may else []
    planned = calendar.entries_between([service], until=until, now=now, drafts_of=own, most=LOOKED_AT)
    unmatched = ReceiptInbox.objects.filter(receipt__service=service, receipt__simulated=False)
    drafts = Draft.objects.filter(Draft.open_ones(), service=service).select_related("changed_by")
    context: dict[str, Any] = {
        "noted": int(now.timestamp()),
        "planned": [one for one in planned.entries if one.state != SendState.SENDING][:PLANNED],
        "drafts": queries.with_last_request(drafts).order_by("-changed_at")[:PLANNED],
        "unmatched": unmatched.exclude(why=ReceiptInbox.Why.NEW).count(),
        "gaps": receipts.gaps(service, now=now),
        "refused": refused.kept_of(service),
        "replies": inbox.figures(service, user=request.user),
        "asked": queries.with_related(queries.to_answer(service, request.user))[:3]
        if "approve" in may
        else [],
        "to_look_at": [
            one
            for one in comments.waiting_for(service, request.user)[:LOOKED_AT]
            if one.comment.on_send or "compose" in may
        ][:PLANNED],
        "awaiting": queries.with_related(queries.open_requests(service))[:5],
        "audit_wrong": audit.sentence() if "audit" in may else "",
        "caps": standing.notable(service, now=now),
        "undelivered": audit.undelivered() if "audit" in may else [],
        "domains": service.link_domains.filter(active=True, state__in=ALARMING),
    }
    if "configure" in may:
        context["still"] = health.sentence()
        context["progress"] = progress_of(service)
        context["off"] = log.switched_off(service)
        context["weaker"] = guard.to_confirm(service, request.user)[:3]
    return context
