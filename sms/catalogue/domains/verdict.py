"""What was seen of a short-link domain, in one state and one sentence, with what to do. Pure."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial

from django.utils.translation import gettext_noop

from sms.catalogue.domains.site import Certificate, Site
from sms.catalogue.domains.trace import Trace
from sms.models import DomainState as State
from sms.words import KeptSentence

SOON, URGENT = 21, 7  # days left of a certificate; the provider's support needs lead time
CERTIFICATE = gettext_noop("Certificate")
NO_DNS_HERE = gettext_noop(
    "DNS cannot be asked from this machine right now, so nothing was checked. Look at its network, then check again."
)
# Translators: kind is CNAME or A.
MAKE = KeptSentence(gettext_noop("Make the %(kind)s record %(host)s → %(target)s."))
ASK_SUPPORT = KeptSentence(
    gettext_noop(
        "Send the certificate of %(host)s to Webex Connect's support, who install it; that takes some days."
    )
)
# In the order in which they are recognised: what others begin with comes last. `make` is MAKE, `ask` ASK_SUPPORT.
# Translators: make is a sentence, "Make the CNAME record …".
NO_ADDRESS_MAKE = KeptSentence(gettext_noop("%(host)s has no address. %(make)s"))
NO_ADDRESS = KeptSentence(gettext_noop("%(host)s has no address."))
# Translators: make is a sentence.
PRIVATE = KeptSentence(gettext_noop("%(host)s leads to %(address)s, which no phone can reach. %(make)s"))
# Translators: make is a sentence.
NO_NAME_MAKE = KeptSentence(gettext_noop("%(host)s does not exist in DNS (NXDOMAIN). %(make)s"))
NO_NAME = KeptSentence(gettext_noop("%(host)s does not exist in DNS (NXDOMAIN)."))
# Translators: make is a sentence.
TO_NO_NAME_MAKE = KeptSentence(
    gettext_noop("%(host)s points to %(last)s, which does not exist (NXDOMAIN). %(make)s")
)
TO_NO_NAME = KeptSentence(gettext_noop("%(host)s points to %(last)s, which does not exist (NXDOMAIN)."))
# Translators: make is a sentence.
LOOP_MAKE = KeptSentence(gettext_noop("The CNAME records go in a circle: %(names)s. %(make)s"))
LOOP = KeptSentence(gettext_noop("The CNAME records go in a circle: %(names)s."))
# Translators: make is a sentence.
TOO_LONG_MAKE = KeptSentence(
    gettext_noop("More than %(n)s CNAME records follow each other, and resolvers give up. %(make)s")
)
TOO_LONG = KeptSentence(
    gettext_noop("More than %(n)s CNAME records follow each other, and resolvers give up.")
)
SERVFAIL = KeptSentence(
    gettext_noop(
        "The name servers of %(host)s answer with an error (SERVFAIL). Ask the operator of that zone; "
        "DNSSEC that does not fit is the usual cause."
    )
)
DNS_SLOW = KeptSentence(
    gettext_noop("The name servers of %(host)s do not answer in time. Ask the operator of that zone.")
)
# Translators: make is a sentence.
SAME_ADDRESSES = KeptSentence(
    gettext_noop(
        "%(host)s has the addresses of %(target)s instead of a CNAME record. It works until the provider changes "
        "them, which they do without notice. %(make)s"
    )
)
# Translators: make is a sentence.
ELSEWHERE = KeptSentence(gettext_noop("%(host)s points to %(where)s, not to %(target)s. %(make)s"))
POINTS = KeptSentence(gettext_noop("%(host)s points to %(target)s."))
# Translators: make is a sentence.
OTHER_ADDRESS = KeptSentence(gettext_noop("%(host)s has the address %(address)s, not %(target)s. %(make)s"))
ALSO = KeptSentence(
    gettext_noop(
        "%(host)s also has the address %(address)s, where some phones will end. Take that record out."
    )
)
HAS_ADDRESS = KeptSentence(gettext_noop("%(host)s has the address %(address)s."))
# Translators: ask is a sentence, "Send the certificate …".
NO_SERVER = KeptSentence(gettext_noop("No server answers at https://%(host)s. %(ask)s"))
# Translators: ask is a sentence.
NO_TLS = KeptSentence(gettext_noop("https://%(host)s does not speak TLS for this name. %(ask)s"))
# Translators: ask is a sentence.
SLOW = KeptSentence(gettext_noop("https://%(host)s did not answer in time. %(ask)s"))
# Translators: ask is a sentence.
EXPIRED = KeptSentence(gettext_noop("The certificate expired on %(day)s. %(ask)s"))
# Translators: ask is a sentence.
OTHER_NAME = KeptSentence(gettext_noop("The certificate is for %(names)s, not for %(host)s. %(ask)s"))
# Translators: ask is a sentence.
UNTRUSTED = KeptSentence(gettext_noop("Browsers do not trust the certificate (issuer: %(issuer)s). %(ask)s"))
# Translators: ask is a sentence.
IN_A_DAY = KeptSentence(gettext_noop("The certificate expires in %(n)s day, on %(day)s. %(ask)s"))
# Translators: ask is a sentence.
IN_DAYS = KeptSentence(gettext_noop("The certificate expires in %(n)s days, on %(day)s. %(ask)s"))
LASTING = KeptSentence(gettext_noop("The certificate of %(issuer)s is good for %(n)s days, until %(day)s."))
SILENT = KeptSentence(
    gettext_noop(
        "https://%(host)s says nothing that a browser understands. If it stays so, ask Webex Connect's support."
    )
)
FAILING = KeptSentence(
    gettext_noop(
        "https://%(host)s answers with error %(status)s. If it stays so, ask Webex Connect's support."
    )
)
ANSWERING = KeptSentence(gettext_noop("https://%(host)s answers (%(status)s)."))


class CheckLevel(StrEnum):
    GOOD = "good"
    NOTE = "note"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of a check: `part` is DNS, Certificate or HTTPS. All of it is stored, so in English."""

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
    trace = seen.trace
    make = MAKE(kind=target.kind, host=trace.host, target=target.value)
    if trace.trouble in ("servfail", "timeout") and not seen.control:
        return DomainVerdict(None, NO_DNS_HERE, (CheckResult(CheckLevel.NOTE, "DNS", NO_DNS_HERE),))
    if trace.trouble:
        return _dns_trouble(trace, make if target.value else "", worked)
    if not trace.addresses:
        state = State.BROKEN if worked else State.NOT_SET_UP
        return _bad(state, (NO_ADDRESS_MAKE if target.value else NO_ADDRESS)(host=trace.last, make=make))
    if seen.private:
        return _bad(State.BROKEN, PRIVATE(host=trace.host, address=seen.private, make=make))
    if not target.value:
        return _good(gettext_noop("The provider's own domain: nothing has to be set up."))
    return _right_place(seen, target, make)


def _dns_trouble(trace: Trace, make: str, worked: bool) -> DomainVerdict:
    match trace.trouble:
        case "no_name" if not trace.chain:
            says = (NO_NAME_MAKE if make else NO_NAME)(host=trace.host, make=make)
            return _bad(State.BROKEN if worked else State.NOT_SET_UP, says)
        case "no_name":
            text = (TO_NO_NAME_MAKE if make else TO_NO_NAME)(host=trace.host, last=trace.last, make=make)
        case "loop":
            names = " → ".join((trace.host, *trace.chain))
            text = (LOOP_MAKE if make else LOOP)(names=names, make=make)
        case "too_long":
            text = (TOO_LONG_MAKE if make else TOO_LONG)(n=len(trace.chain) - 1, make=make)
        case "servfail":
            text = SERVFAIL(host=trace.last)
        case _:
            text = DNS_SLOW(host=trace.last)
            return _bad(State.DEGRADED if worked else State.PENDING, text, level=CheckLevel.WARN)
    return _bad(State.BROKEN, text)


def _right_place(seen: DomainObservation, target: Target, make: str) -> DomainVerdict:
    trace = seen.trace
    if target.kind == "CNAME":
        if target.value.lower() in trace.chain:
            return _good(POINTS(host=trace.host, target=target.value))
        if set(trace.addresses) <= set(seen.target_addresses):
            return _bad(
                State.DEGRADED,
                SAME_ADDRESSES(host=trace.host, target=target.value, make=make),
                level=CheckLevel.WARN,
            )
        where = trace.chain[-1] if trace.chain else ", ".join(trace.addresses[:3])
        return _bad(State.BROKEN, ELSEWHERE(host=trace.host, where=where, target=target.value, make=make))
    if target.value not in trace.addresses:
        where = ", ".join(trace.addresses[:3])
        says = OTHER_ADDRESS(host=trace.host, address=where, target=target.value, make=make)
        return _bad(State.BROKEN, says)
    others = [one for one in trace.addresses if one != target.value]
    if others:
        says = ALSO(host=trace.host, address=", ".join(others[:3]))
        return _bad(State.DEGRADED, says, level=CheckLevel.WARN)
    return _good(HAS_ADDRESS(host=trace.host, address=target.value))


def _good(text: str) -> DomainVerdict:
    return DomainVerdict(State.HEALTHY, text, (CheckResult(CheckLevel.GOOD, "DNS", text),))


def _bad(state: State, text: str, *, part: str = "DNS", level: CheckLevel = CheckLevel.BAD) -> DomainVerdict:
    return DomainVerdict(state, text, (CheckResult(level, part, text),))


def _site(host: str, site: Site, worked: bool, now: datetime) -> DomainVerdict:
    missing, bad = State.BROKEN if worked else State.PENDING, partial(_bad, part=CERTIFICATE)
    ask = ASK_SUPPORT(host=host)
    shown = site.certificate
    if shown is None:
        said = {"no_answer": NO_SERVER, "no_tls": NO_TLS}.get(site.trouble, SLOW)
        return bad(missing, said(host=host, ask=ask))
    if shown.fault == "expired":
        return bad(State.BROKEN, EXPIRED(day=_day(shown.expires_at), ask=ask))
    if shown.fault == "other_name":
        names = ", ".join(shown.names[:3]) or gettext_noop("no name at all")
        return bad(missing, OTHER_NAME(names=names, host=host, ask=ask))
    if shown.fault:
        return bad(missing, UNTRUSTED(issuer=shown.issuer or gettext_noop("none"), ask=ask))
    return _answers(host, site, _lasting(shown, ask, now))


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"


def _lasting(shown: Certificate, ask: str, now: datetime) -> DomainVerdict:
    days = (shown.expires_at - now).days
    if days < SOON:
        level = CheckLevel.BAD if days < URGENT else CheckLevel.WARN
        text = (IN_A_DAY if days == 1 else IN_DAYS)(n=days, day=_day(shown.expires_at), ask=ask)
        return _bad(State.DEGRADED, text, part=CERTIFICATE, level=level)
    issuer = shown.issuer or gettext_noop("its issuer")
    text = LASTING(issuer=issuer, n=days, day=_day(shown.expires_at))
    good = CheckResult(CheckLevel.GOOD, CERTIFICATE, text)
    return DomainVerdict(
        State.HEALTHY, gettext_noop("DNS and certificate are right, and links work."), (good,)
    )


def _answers(host: str, site: Site, so_far: DomainVerdict) -> DomainVerdict:
    findings = list(so_far.findings)
    state, says = so_far.state, so_far.says
    if site.status is None or site.status >= 500:
        text = FAILING(host=host, status=site.status) if site.status else SILENT(host=host)
        findings.append(CheckResult(CheckLevel.WARN, "HTTPS", text))
        state, says = State.DEGRADED, text if so_far.state == State.HEALTHY else says
    else:
        findings.append(CheckResult(CheckLevel.GOOD, "HTTPS", ANSWERING(host=host, status=site.status)))
    if site.secured is False:
        text = gettext_noop(
            "Plain http does not lead to https. Links of messages begin with https, so this matters only to people who type one."
        )
        findings.append(CheckResult(CheckLevel.NOTE, "HTTPS", text))
    return DomainVerdict(state, says, tuple(findings))
