"""Checks short-link domains, many at once, and stores what changed: state, history, audit, notice.

`check` at the press of a button, `check_due` every hour. The network is asked first and the database written after, so that no transaction
waits for a name server.
"""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

import dns.asyncresolver
import dns.exception
import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms import notices
from sms.catalogue.domains.expiry import tell_of_domain
from sms.catalogue.domains.site import Open, Site, open_wire, visit
from sms.catalogue.domains.trace import Ask, NoAnswer, Trace, asking, follow
from sms.catalogue.domains.verdict import DomainObservation, DomainVerdict, Target, judge
from sms.models import Actor, DomainChange, DomainState, NoticeKind, Service, ShortLinkDomain
from sms.models.audit import audit
from sms.models.sql.session import database_now
from sms.values.public_address import refusal
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)
PATIENCE = 5.0  # seconds for one domain, whatever its servers do
CONCURRENT = 25
UNSURE = ("servfail", "timeout")
DOMAINS_PER_RUN = 50  # of the hourly check; the others follow a minute later
WORKS = (DomainState.HEALTHY, DomainState.DEGRADED)

ALARMING = (DomainState.BROKEN, DomainState.DEGRADED)
BROKEN = KeptSentence(gettext_noop("The short-link domain %(host)s is broken."))
DEGRADED = KeptSentence(gettext_noop("The short-link domain %(host)s is degraded."))
HEALTHY_AGAIN = KeptSentence(gettext_noop("The short-link domain %(host)s is healthy again."))
REFUSED = gettext_noop("Sends that shorten links on it are refused until then.")
EVERY_HOUR = gettext_noop(
    "It is looked at every hour. The page shows what was seen, with a button to look now."
)


@dataclass(frozen=True, slots=True)
class NetworkAccess:
    """How name servers and sites are asked. Tests give their own; `loopback` allows this machine's addresses, for them alone."""

    ask: Ask
    opened: Open = open_wire
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    loopback: bool = False
    patience: float = PATIENCE


class NotCheckable(Exception):
    """There is nothing to check; the text says why."""


def check(
    domain: ShortLinkDomain, *, by: Actor, network: NetworkAccess | None = None, now: datetime | None = None
) -> DomainVerdict:
    """Check one domain now and store the result. Raises `NotCheckable` for one of the sandbox."""
    found = ShortLinkDomain.objects.select_related("service", "region").get(pk=domain.pk)
    if found.service.is_sandbox:
        raise NotCheckable(_("This service speaks to the sandbox, whose short links need no DNS."))
    now = now or database_now()
    [report] = asyncio.run(_observe([found], network, now))
    _store(domain.pk, report, by=by, now=now)
    domain.refresh_from_db()
    return report


def check_due(*, network: NetworkAccess | None = None) -> int:
    """Check every domain in use that was not checked for an hour, at most DOMAINS_PER_RUN; returns how many."""
    now = database_now()
    due = _due(now).select_related("region", "service").order_by("checked_at", "pk")
    domains = list(due[:DOMAINS_PER_RUN])
    reports = asyncio.run(_observe(domains, network, now)) if domains else []
    for domain, report in zip(domains, reports, strict=True):
        _store(domain.pk, report, by=Actor.system(), now=now)
    return len(domains)


def anything_due() -> bool:
    return _due(database_now()).exists()


def _due(now: datetime) -> "QuerySet[ShortLinkDomain]":
    old = Q(checked_at=None) | Q(checked_at__lte=now - EVERY)
    return ShortLinkDomain.objects.filter(old, active=True).exclude(Service.sandboxes("service__"))


async def _observe(
    domains: Sequence[ShortLinkDomain], network: NetworkAccess | None, now: datetime
) -> list[DomainVerdict]:
    given = network or _own_network()
    room = asyncio.Semaphore(CONCURRENT)

    async def one(domain: ShortLinkDomain) -> DomainObservation:
        async with room:
            return await _observe_one(domain, given)

    seen = await asyncio.gather(*map(one, domains))
    if any(one.trace.trouble in UNSURE for one in seen) and not await _dns_works(domains[0], given):
        seen = [replace(one, control=False) for one in seen]
    return [
        judge(one, target=Target(*domain.target), worked=domain.worked, now=now)
        for domain, one in zip(domains, seen, strict=True)
    ]


def _own_network() -> NetworkAccess:
    try:
        return NetworkAccess(ask=asking(dns.asyncresolver.Resolver()))
    except dns.exception.DNSException:  # this machine has no name server at all

        async def unavailable(_name: str, _kind: str) -> list[str]:
            raise NoAnswer("timeout")

        return NetworkAccess(ask=unavailable)


async def _observe_one(domain: ShortLinkDomain, network: NetworkAccess) -> DomainObservation:
    """At most `patience` seconds; what was found until then counts."""
    kind, value = domain.target
    trace, site = Trace(domain.host, trouble="timeout"), None
    others: tuple[str, ...] = ()
    try:
        async with asyncio.timeout(network.patience):
            trace = await follow(domain.host, network.ask)
            refused = (refusal(one, loopback=network.loopback) for one in trace.addresses)
            why = next(filter(None, refused), "")
            if trace.trouble or not trace.addresses or why:
                return DomainObservation(trace, private=why)
            if kind == "CNAME" and value and value.lower() not in trace.chain:
                others = (await follow(value, network.ask)).addresses
            site = Site(trouble="timeout")
            site = await visit(domain.host, trace.addresses[0], opened=network.opened, trust=network.trust)
    except TimeoutError:
        pass
    return DomainObservation(trace, others, site)


async def _dns_works(domain: ShortLinkDomain, network: NetworkAccess) -> bool:
    """Whether DNS works here at all, by the provider's own name, which surely exists."""
    try:
        async with asyncio.timeout(network.patience):
            await network.ask(domain.region.host, "A")
    except NoAnswer as problem:
        return problem.trouble == "no_name"
    except TimeoutError:
        return False
    return True


def _store(pk: int, report: DomainVerdict, *, by: Actor, now: datetime) -> None:
    with transaction.atomic():
        rows = ShortLinkDomain.objects.select_for_update(of=("self",)).select_related("service")
        domain = rows.filter(pk=pk).first()
        if domain is None or (domain.checked_at is not None and domain.checked_at > now):
            return  # removed from the catalogue, or checked by another process since
        old = DomainState(domain.state)
        domain.checked_at = now
        domain.findings = [asdict(one) for one in report.findings]
        if report.state is not None:
            domain.state, domain.says = report.state, report.says
            domain.worked = domain.worked or report.state in WORKS
        if domain.state != old or domain.since is None:
            domain.since = now
        domain.save(update_fields=["checked_at", "findings", "state", "says", "worked", "since"])
        if report.expires_at is not None and not domain.is_shared:
            tell_of_domain(domain, report.expires_at, now=now)
        if domain.state == old:
            return
        change = DomainChange.objects.create(
            domain=domain, at=now, old=old, new=domain.state, says=domain.says
        )
        audit("domain.state_changed", domain, by=by, old=old.value, new=str(domain.state))
        _tell_admins(domain, old, event=f"domain:{change.pk}")
    log.info("link_domain_changed", domain=pk, old=old.value, new=str(domain.state))


def _tell_admins(domain: ShortLinkDomain, old: DomainState, *, event: str) -> None:
    """Of the worse, and of health again."""
    recovered = domain.state == DomainState.HEALTHY and old in ALARMING
    if domain.state not in ALARMING and not recovered:
        return
    broken = domain.state == DomainState.BROKEN
    told = HEALTHY_AGAIN if recovered else BROKEN if broken else DEGRADED
    notices.tell(
        NoticeKind.DOMAIN,
        notices.holding(domain.service, "admin"),
        event=event,
        says=told(host=domain.host),
        more="\n\n".join([domain.says, *([REFUSED] if broken else []), EVERY_HOUR]),
        service=domain.service,
        page="link_domain",
        page_id=domain.pk,
    )
