"""Pages of short-link domains: the guided set-up, what the last check saw, and since when."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.timesince import timesince

from portal.access import FORM, WRITE, actor, service_page
from portal.forms.catalogue import LinkDomainForm
from portal.views import catalogue_base
from sms.catalogue import domains
from sms.models import DomainState, Service, ShortLinkDomain

DOMAIN = catalogue_base.Noun(
    "short-link domain",
    "Short-link domains",
    "With one, links are shortened under your own name and clicks are counted. Each is looked at every hour.",
    "link_domains",
    "link_domain",
    "link_domain_new",
    LinkDomainForm,
    act="domain",
)
MARKS = {  # the shapes of messages' states that say the same of a domain
    DomainState.UNCHECKED: "pending",
    DomainState.HEALTHY: "delivered",
    DomainState.DEGRADED: "unconfirmed",
    DomainState.PENDING: "queued",
    DomainState.NOT_SET_UP: "pending",
    DomainState.BROKEN: "failed",
}
SHOWN_CHANGES = 30


@service_page("see")
def domain_list(request: HttpRequest, service: Service) -> HttpResponse:
    """With the state of each."""
    now = timezone.now()

    def cells(rows: list[ShortLinkDomain]) -> dict[int, list[str]]:
        return {
            one.pk: [
                one.get_state_display(),
                one.says,
                f"{timesince(one.checked_at, now, depth=1)} ago" if one.checked_at else "Never",
            ]
            for one in rows
        }

    rows = service.link_domains.all()
    return catalogue_base.listed(request, DOMAIN, rows, ["State", "What was seen", "Checked"], cells)


@service_page("configure", FORM)
def domain_new(request: HttpRequest, service: Service) -> HttpResponse:
    """Add one."""
    return catalogue_base.edited(request, service, DOMAIN)


@service_page("configure", FORM)
def domain_edit(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Change one."""
    return catalogue_base.edited(request, service, DOMAIN, get_object_or_404(service.link_domains, pk=pk))


@service_page("see")
def domain(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """One: set-up, state, history."""
    found = get_object_or_404(service.link_domains.select_related("region"), pk=pk)
    kind, value = found.target
    context: dict[str, Any] = {
        "noun": DOMAIN,
        "thing": found,
        "mark": MARKS[DomainState(found.state)],
        "kind": kind,
        "target": value,
        "record": f"{found.host}. 3600 IN {kind} {value}{'.' if kind == 'CNAME' else ''}" if value else "",
        "done": _done(found),
        "changes": found.changes.all()[:SHOWN_CHANGES],
        "sends": found.sends.order_by("-pk")[:10],
    }
    return render(request, "catalogue/domain.html", context)


def _done(found: ShortLinkDomain) -> int:
    """How many of the four steps are behind."""
    if found.state in (DomainState.HEALTHY, DomainState.DEGRADED):
        return 4
    right = any(one["part"] == "DNS" and one["level"] == "good" for one in found.findings)
    return 2 if right else 1 if found.state == DomainState.BROKEN else 0


@service_page("configure", WRITE)
def domain_check(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Look at it now; takes five seconds at most."""
    found = get_object_or_404(service.link_domains, pk=pk)
    try:
        report = domains.check(found, by=actor(request))
    except domains.NotCheckable as why:
        messages.info(request, str(why))
    else:
        good = report.state == DomainState.HEALTHY
        (messages.success if good else messages.warning)(request, f"Checked. {report.says}")
    return redirect("link_domain", service=service.slug, pk=found.pk)


@service_page("configure", WRITE)
def domain_remove(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Delete, archive or take back."""
    return catalogue_base.removed(request, service, DOMAIN, get_object_or_404(service.link_domains, pk=pk))
