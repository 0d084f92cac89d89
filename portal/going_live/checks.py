"""The check of each step of going live: what the evidence says of it now. Pure; nothing is asked over the network.

A check that passed is kept (`progress`), because its evidence is deleted in time. One that failed takes the tick away again.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from portal.going_live.evidence import Evidence
from sms.catalogue.connection import ConnectionVerdict
from sms.catalogue.tenant_probe import DOUBTS
from sms.models import DomainState
from sms.values.public_address import refusal
from sms.webex.hosts import is_documented


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"  # what is known says no
    OPEN = "open"  # nothing is known yet
    ASK = "ask"  # nothing is known yet, and a person may state it
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says, in a sentence; `at` is when it was seen, None for now.

    `lasts` is whether a pass of before still counts while nothing is known.
    """

    outcome: Outcome
    says: str
    at: datetime | None = None
    lasts: bool = True


ANSWERED = (
    ConnectionVerdict.WORKS,
    ConnectionVerdict.CREDENTIALS,
    ConnectionVerdict.ACCOUNT,
    ConnectionVerdict.BUSY,
)
IN_SANDBOX = "The service speaks to the sandbox."


def _passed(says: str, at: datetime | None = None) -> Finding:
    return Finding(Outcome.PASSED, says, at)


def _failed(says: str) -> Finding:
    return Finding(Outcome.FAILED, says)


def _open(says: str) -> Finding:
    return Finding(Outcome.OPEN, says)


def _ask(says: str) -> Finding:
    return Finding(Outcome.ASK, says)


NOT_TESTED = Finding(Outcome.OPEN, "The connection was not tested since it was changed.", lasts=False)


def _not_needed(thing: str) -> Finding:
    return Finding(
        Outcome.NOT_NEEDED, f"There is no {thing} in the catalogue. Needed as soon as there is one."
    )


def _seen(at: datetime | None, yes: str, no: str, *, otherwise: Outcome = Outcome.OPEN) -> Finding:
    return _passed(yes, at) if at else Finding(otherwise, no)


def _verdict(known: Evidence) -> ConnectionVerdict | None:
    found = known.service.check_verdict
    return ConnectionVerdict(found) if found else None


def allow_list(known: Evidence) -> Finding:
    if _verdict(known) == ConnectionVerdict.ACCOUNT:
        return _failed("Webex Connect answered the last test, but does not let this service send from here.")
    return _seen(
        known.accepted_at, "Webex Connect accepted a message from here.", "No message was accepted yet."
    )


def policy_enabled(known: Evidence) -> Finding:
    return (
        _ask("Textdesk cannot see this. Ask Webex Connect's support.")
        if known.policy_groups
        else _not_needed("policy group")
    )


def links_enabled(known: Evidence) -> Finding:
    return (
        _ask("Textdesk cannot see this. Ask Webex Connect's support.")
        if known.domains
        else _not_needed("short-link domain")
    )


def cname(known: Evidence) -> Finding:
    return _domains(known, (DomainState.HEALTHY, DomainState.DEGRADED, DomainState.PENDING))


def certificate(known: Evidence) -> Finding:
    return _domains(known, (DomainState.HEALTHY,))


def _domains(known: Evidence, good: tuple[DomainState, ...]) -> Finding:
    """Every domain in use must be in one of these states. Pending means that DNS is right and the certificate is missing."""
    own = [domain for domain in known.domains if not domain.is_shared]
    if not own:
        return _not_needed("short-link domain of your own")
    if known.service.is_sandbox:
        return _open(f"{IN_SANDBOX} Its links need no DNS, so nothing is checked.")
    for domain in own:
        if domain.state == DomainState.UNCHECKED:
            return _open(f"{domain.host} was not checked yet.")
        if domain.state not in good:
            return _failed(f"{domain.host}: {domain.says}")
    names = ", ".join(domain.host for domain in own)
    return _passed(f"{names}: checked.", min(domain.checked_at for domain in own if domain.checked_at))


def public_address(known: Evidence) -> Finding:
    parts = urlsplit(known.public_url)
    host = parts.hostname or ""
    if parts.scheme != "https":
        return _failed(f"PUBLIC_URL is {known.public_url}, which Webex Connect cannot reach.")
    if host == "localhost" or _is_private(host):
        return _failed(f"PUBLIC_URL is {known.public_url}, which leads to this machine or a private network.")
    return _passed(f"PUBLIC_URL is {known.public_url}.")


def _is_private(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." not in host
    return bool(refusal(host))


def firewall(known: Evidence) -> Finding:
    return _seen(
        known.receipt_at,
        "A receipt of a message came in.",
        "No receipt of a message of this connection came in yet.",
    )


def admin(known: Evidence) -> Finding:
    if not known.admins:
        return _failed("Only demo people can configure this service.")
    more = f" and {len(known.admins) - 1} more" if len(known.admins) > 1 else ""
    return _passed(f"{known.admins[0]}{more}.")


def by_person(_: Evidence) -> Finding:
    return _ask("Textdesk cannot see this.")


def region(known: Evidence) -> Finding:
    service, verdict = known.service, _verdict(known)
    if service.is_sandbox:
        return _failed(f"{IN_SANDBOX} Its address is {service.base_url}.")
    if verdict is None:
        return NOT_TESTED
    if verdict not in ANSWERED:
        return _failed(str(verdict.label))
    if service.base_url and not is_documented(service.base_url):
        return _ask(f"{service.provider_url} answered, but Webex Connect's documents do not name it.")
    was_guessed = not service.base_url and not service.region.host_documented
    guess = " Its address was a guess, and it is right." if was_guessed else ""
    return _passed(f"{service.provider_url} answered as Webex Connect does.{guess}", service.checked_at)


def credentials(known: Evidence) -> Finding:
    verdict = _verdict(known)
    if known.service.is_sandbox:
        return _open(f"{IN_SANDBOX} Its key is not yours.")
    if verdict is None:
        return NOT_TESTED
    if verdict == ConnectionVerdict.WORKS:
        return _passed(f"The {known.service.get_auth_kind_display()} was accepted.", known.service.checked_at)
    return _failed(str(verdict.label))


def demo_ended(known: Evidence) -> Finding:
    if known.service.is_sandbox:
        return _open(f"{IN_SANDBOX} The demo ends when you connect a real region.")
    left = [
        words
        for there, words in (
            (known.demo_people, "demo people can sign in"),
            (known.demo_keys, "API keys that demo people made can be used"),
            (known.demo_entries, "entries of the demo are in the catalogue"),
        )
        if there
    ]
    if left:
        return _failed(f"{' and '.join(left).capitalize()}.")
    return _passed("No demo people, no keys of theirs, no entries of the demo.")


def older_keys(known: Evidence) -> Finding:
    if known.service.is_sandbox:
        return _open(f"{IN_SANDBOX} Keys send nothing real yet.")
    if not known.older_keys and not known.older_callbacks:
        return _passed("There are no keys and callbacks of the time before.")
    found = (("key", known.older_keys), ("callback", known.older_callbacks))
    count = " and ".join(f"{number} {word}{'' if number == 1 else 's'}" for word, number in found if number)
    return _ask(f"{count} to look at.")


def sender(known: Evidence) -> Finding:
    if not known.senders:
        return Finding(Outcome.OPEN, "There is no sender in the catalogue.", lasts=False)
    return _passed(f"{known.senders} sender{'' if known.senders == 1 else 's'} in the catalogue.")


def delivered(known: Evidence) -> Finding:
    return _seen(
        known.delivered_at, "A message was delivered.", "No message of this connection was delivered yet."
    )


def receipts(known: Evidence) -> Finding:
    if known.refused:
        return _failed("Receipts or incoming SMS were refused. They are kept: the Receipts page says why.")
    return firewall(known)


def probe(known: Evidence) -> Finding:
    if known.proved == len(DOUBTS):
        return _passed(f"All {known.proved} answers are proved.", known.proved_at)
    return _ask(f"{known.proved} of {len(DOUBTS)} answers are proved, the rest is assumed.")


def webhook(known: Evidence) -> Finding:
    yes, no = "Webex Connect looked at the address.", "Webex Connect has not looked at the address yet."
    return _seen(known.asked_at, yes, no, otherwise=Outcome.ASK)


def incoming(known: Evidence) -> Finding:
    no = "No SMS came in through this connection yet."
    return _seen(known.incoming_at, "An SMS came in.", no, otherwise=Outcome.ASK)


_CHECKED = (
    *(allow_list, policy_enabled, links_enabled, cname, certificate, public_address, firewall, admin, region),
    *(credentials, demo_ended, older_keys, sender, delivered, probe, receipts, webhook, incoming),
)
CHECKS: dict[str, Callable[[Evidence], Finding]] = {
    **{check.__name__: check for check in _CHECKED},
    "service_live": allow_list,
    "backup": by_person,
    "team": by_person,
}
