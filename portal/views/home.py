"""The list of a person's services, and the home page of one."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from portal import people
from portal.access import service_page, services_of
from portal.first_run import anybody
from portal.going_live.progress import progress_of
from portal.models import User
from sms import guard
from sms.callbacks import log
from sms.catalogue.caps import standing
from sms.catalogue.domains import ALARMING
from sms.compliance import audit
from sms.compose import comments
from sms.compose.approval import queries
from sms.inbound import receipts, refused
from sms.models import SendState, Service
from sms.models.sql.clock import corrected_now
from sms.operations.service_now import service_now
from sms.sends import calendar, holds
from sms.sends.progress import overview_of
from sms.sends.replies import inbox
from sms.worker import health

PLANNED, LOOKED_AT = 5, 30


@login_not_required
@require_safe
def services(request: HttpRequest) -> HttpResponse:
    """`/`: leads to the only service, or offers the choice; visitors are sent to sign-in, or to the first run."""
    if not request.user.is_authenticated:
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
    return render(request, "home.html", _context(request, service))


@service_page("see")
def home_live(request: HttpRequest, service: Service) -> HttpResponse:
    """All of the page below its heading, which it asks for every few seconds."""
    return render(request, "home_live.html", _context(request, service))


def _context(request: HttpRequest, service: Service) -> dict[str, Any]:
    now = corrected_now()
    overview = overview_of(service, now=now)
    own = [service] if "compose" in request.may else []  # type: ignore[attr-defined]
    until = now + timedelta(days=60)
    planned = calendar.entries_between([service], until=until, now=now, drafts_of=own, most=LOOKED_AT)
    looked_at = {one.send.pk: one.state == "held" for one in planned.entries if one.send is not None}
    at_work = service_now(service, now=now)
    shown = [row.send for row in (*overview.recent, *at_work.going_out)]
    others = [one for one in shown if one.pk not in looked_at]
    context: dict[str, Any] = {
        "now": now,
        "at_work": at_work,
        "glance": overview,
        "planned": [one for one in planned.entries if one.state != SendState.SENDING][:PLANNED],
        "held": {pk for pk, is_held in looked_at.items() if is_held} | holds.held_among(others),
        "gaps": receipts.gaps(service, now=now),
        "refused": refused.kept_of(service),
        "replies": inbox.figures(service, user=request.user),
        "asked": queries.with_related(queries.to_answer(service, request.user))[:3]
        if "approve" in request.may  # type: ignore[attr-defined]
        else [],
        "to_look_at": [
            one
            for one in comments.waiting_for(service, request.user)[:LOOKED_AT]
            if one.comment.on_send or "compose" in request.may  # type: ignore[attr-defined]
        ][:PLANNED],
        "awaiting": queries.with_related(queries.open_requests(service))[:5],
        "audit_wrong": audit.sentence() if "audit" in request.may else "",  # type: ignore[attr-defined]
        "caps": standing.notable(service, now=now),
        "undelivered": audit.undelivered() if "audit" in request.may else [],  # type: ignore[attr-defined]
        "domains": service.link_domains.filter(active=True, state__in=ALARMING),
    }
    if "configure" in request.may:  # type: ignore[attr-defined]
        context["still"] = health.sentence()
        context["progress"] = progress_of(service)
        context["off"] = log.switched_off(service)
        context["weaker"] = guard.to_confirm(service, request.user)[:3]
    return context
