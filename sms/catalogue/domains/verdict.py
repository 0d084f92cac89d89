"""What was seen of a short-link domain, in one state and one sentence, with what to do. Pure."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial

from sms.catalogue.domains.site import Certificate, Site
from sms.catalogue.domains.trace import Trace
from sms.models import DomainState as State

SOON, URGENT = 21, 7  # days left of a certificate; the provider's support needs lead time


class CheckLevel(StrEnum):
    GOOD = "good"
    NOTE = "note"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of a check: `part` is DNS, Certificate or HTTPS."""

    level: CheckLevel
    part: str
    text: str


@dataclass(frozen=True, slots=True)
class Target:
    """The record that the domain needs: CNAME to a name or A to an address. `value` is empty for the provider's own domains."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class DomainObservation:
    """What a check saw. `target_addresses` are of a CNAME's target; `control` False where nothing could be looked up at all.

    `private` is why an address is not visited.
    """

    trace: Trace
    target_addresses: tuple[str, ...] = ()
    site: Site | None = None
    private: str = ""
    control: bool = True


@dataclass(frozen=True, slots=True)
class DomainVerdict:
    """`state` None: nothing can be said this time, what was known stays. `expires_at` is of the certificate, where it is the domain's."""

    state: State | None
    says: str
    findings: tuple[CheckResult, ...] = field(default=())
    expires_at: datetime | None = None


def judge(seen: DomainObservation, *, target: Target, worked: bool, now: datetime) -> DomainVerdict:
    """`worked`: it was healthy or degraded before, so what is missing now is broken rather than not there yet."""
    dns = _dns(seen, target, worked)
    if dns.state is not None and dns.state not in (State.HEALTHY, State.DEGRADED):
        return dns
    if dns.state is None or seen.site is None:
        return dns
    found = _together(dns, _site(seen.trace.host, seen.site, worked, now))
    shown = seen.site.certificate
    return found if shown is None or shown.fault else replace(found, expires_at=shown.expires_at)


def _together(dns: DomainVerdict, site: DomainVerdict) -> DomainVerdict:
    """The worse state with its sentence; findings of both."""
    order = list(State)
    worse = max(dns, site, key=lambda one: (order.index(one.state or State.HEALTHY), one is site))
    return DomainVerdict(worse.state, worse.says, (*dns.findings, *site.findings))


def _dns(seen: DomainObservation, target: Target, worked: bool) -> DomainVerdict:
    trace, record = seen.trace, f"{target.kind} record {seen.trace.host} → {target.value}"
    if trace.trouble in ("servfail", "timeout") and not seen.control:
        text = "DNS cannot be asked from this machine right now, so nothing was checked. Look at its network, then check again."
        return DomainVerdict(None, text, (CheckResult(CheckLevel.NOTE, "DNS", text),))
    if trace.trouble:
        return _dns_trouble(trace, record if target.value else "", worked)
    if not trace.addresses:
        state = State.BROKEN if worked else State.NOT_SET_UP
        make = f" Make the {record}." if target.value else ""
        return _bad(state, f"{trace.last} has no address.{make}")
    if seen.private:
        says = f"{trace.host} leads to {seen.private}, which no phone can reach. Make the {record}."
        return _bad(State.BROKEN, says)
    if not target.value:
        return _good("The provider's own domain: nothing has to be set up.")
    return _right_place(seen, target, record)


def _dns_trouble(trace: Trace, record: str, worked: bool) -> DomainVerdict:
    make = f" Make the {record}." if record else ""
    match trace.trouble:
        case "no_name" if not trace.chain:
            says = f"{trace.host} does not exist in DNS (NXDOMAIN).{make}"
            return _bad(State.BROKEN if worked else State.NOT_SET_UP, says)
        case "no_name":
            text = f"{trace.host} points to {trace.last}, which does not exist (NXDOMAIN).{make}"
        case "loop":
            text = f"The CNAME records go in a circle: {' → '.join((trace.host, *trace.chain))}.{make}"
        case "too_long":
            text = f"More than {len(trace.chain) - 1} CNAME records follow each other, and resolvers give up.{make}"
        case "servfail":
            text = (
                f"The name servers of {trace.last} answer with an error (SERVFAIL). Ask the operator of that zone; "
                "DNSSEC that does not fit is the usual cause."
            )
        case _:
            text = f"The name servers of {trace.last} do not answer in time. Ask the operator of that zone."
            return _bad(State.DEGRADED if worked else State.PENDING, text, level=CheckLevel.WARN)
    return _bad(State.BROKEN, text)


def _right_place(seen: DomainObservation, target: Target, record: str) -> DomainVerdict:
    trace = seen.trace
    if target.kind == "CNAME":
        if target.value.lower() in trace.chain:
            return _good(f"{trace.host} points to {target.value}.")
        if set(trace.addresses) <= set(seen.target_addresses):
            return _bad(
                State.DEGRADED,
                f"{trace.host} has the addresses of {target.value} instead of a CNAME record. It works until the provider changes "
                f"them, which they do without notice. Make the {record}.",
                level=CheckLevel.WARN,
            )
        where = trace.chain[-1] if trace.chain else ", ".join(trace.addresses[:3])
        says = f"{trace.host} points to {where}, not to {target.value}. Make the {record}."
        return _bad(State.BROKEN, says)
    if target.value not in trace.addresses:
        where = ", ".join(trace.addresses[:3])
        says = f"{trace.host} has the address {where}, not {target.value}. Make the {record}."
        return _bad(State.BROKEN, says)
    others = [one for one in trace.addresses if one != target.value]
    if others:
        says = f"{trace.host} also has the address {', '.join(others[:3])}, where some phones will end. Take that record out."
        return _bad(State.DEGRADED, says, level=CheckLevel.WARN)
    return _good(f"{trace.host} has the address {target.value}.")


def _good(text: str) -> DomainVerdict:
    return DomainVerdict(State.HEALTHY, text, (CheckResult(CheckLevel.GOOD, "DNS", text),))


def _bad(state: State, text: str, *, part: str = "DNS", level: CheckLevel = CheckLevel.BAD) -> DomainVerdict:
    return DomainVerdict(state, text, (CheckResult(level, part, text),))


def _site(host: str, site: Site, worked: bool, now: datetime) -> DomainVerdict:
    missing, bad = State.BROKEN if worked else State.PENDING, partial(_bad, part="Certificate")
    ask = f"Send the certificate of {host} to Webex Connect's support, who install it; that takes some days."
    shown = site.certificate
    if shown is None:
        said = {
            "no_answer": f"No server answers at https://{host}.",
            "no_tls": f"https://{host} does not speak TLS for this name.",
        }.get(site.trouble, f"https://{host} did not answer in time.")
        return bad(missing, f"{said} {ask}")
    if shown.fault == "expired":
        return bad(State.BROKEN, f"The certificate expired on {_day(shown.expires_at)}. {ask}")
    if shown.fault == "other_name":
        names = ", ".join(shown.names[:3]) or "no name at all"
        return bad(missing, f"The certificate is for {names}, not for {host}. {ask}")
    if shown.fault:
        issuer = shown.issuer or "none"
        return bad(missing, f"Browsers do not trust the certificate (issuer: {issuer}). {ask}")
    return _answers(host, site, _lasting(shown, ask, now))


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"


def _lasting(shown: Certificate, ask: str, now: datetime) -> DomainVerdict:
    days = (shown.expires_at - now).days
    if days < SOON:
        level = CheckLevel.BAD if days < URGENT else CheckLevel.WARN
        text = f"The certificate expires in {days} day{'' if days == 1 else 's'}, on {_day(shown.expires_at)}. {ask}"
        return _bad(State.DEGRADED, text, part="Certificate", level=level)
    text = f"The certificate of {shown.issuer or 'its issuer'} is good for {days} days, until {_day(shown.expires_at)}."
    good = CheckResult(CheckLevel.GOOD, "Certificate", text)
    return DomainVerdict(State.HEALTHY, "DNS and certificate are right, and links work.", (good,))


def _answers(host: str, site: Site, so_far: DomainVerdict) -> DomainVerdict:
    findings = list(so_far.findings)
    state, says = so_far.state, so_far.says
    if site.status is None or site.status >= 500:
        nothing = "says nothing that a browser understands"
        what = f"answers with error {site.status}" if site.status else nothing
        text = f"https://{host} {what}. If it stays so, ask Webex Connect's support."
        findings.append(CheckResult(CheckLevel.WARN, "HTTPS", text))
        state, says = State.DEGRADED, text if so_far.state == State.HEALTHY else says
    else:
        findings.append(CheckResult(CheckLevel.GOOD, "HTTPS", f"https://{host} answers ({site.status})."))
    if site.secured is False:
        text = "Plain http does not lead to https. Links of messages begin with https, so this matters only to people who type one."
        findings.append(CheckResult(CheckLevel.NOTE, "HTTPS", text))
    return DomainVerdict(state, says, tuple(findings))
