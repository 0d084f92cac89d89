"""The check of each step of going live: what the evidence says of it now. Pure; nothing is asked over the network.

A check that passed is kept (`progress`), because its evidence is deleted in time; what it says is English. One that failed takes the tick
away again; what it says, and what is not known yet, is said in the reader's language.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from portal.going_live.evidence import Evidence
from sms.catalogue.connection import ConnectionVerdict
from sms.catalogue.tenant_probe import DOUBTS
from sms.models import AuthKind, DomainState
from sms.values.public_address import refusal
from sms.webex.hosts import is_documented
from sms.words import KeptSentence, number, retold


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"  # what is known says no
    OPEN = "open"  # nothing is known yet
    ASK = "ask"  # nothing is known yet, and a person may state it
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says, in a sentence, for `retold` on a page; `at` is when it was seen, None for now.

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
ACCEPTED = gettext_noop("Webex Connect accepted a message from here.")
CHECKED = KeptSentence(gettext_noop("%(names)s: checked."))
PUBLIC = KeptSentence(gettext_noop("PUBLIC_URL is %(address)s."))
RECEIPT = gettext_noop("A receipt of a message came in.")
ADMINS = KeptSentence(gettext_noop("%(person)s and %(others)s more."))
ANSWERS = KeptSentence(gettext_noop("%(address)s answered as Webex Connect does."))
RIGHT_GUESS = KeptSentence(
    gettext_noop("%(address)s answered as Webex Connect does. Its address was a guess, and it is right.")
)
SIGNED_IN: dict[str, str] = {
    AuthKind.KEY: gettext_noop("The Service key was accepted."),
    AuthKind.JWT: gettext_noop("The JWT was accepted."),
}
NO_DEMO = gettext_noop("No demo people, no keys of theirs, no entries of the demo.")
NOTHING_BEFORE = gettext_noop("There are no keys and callbacks of the time before.")
ONE_SENDER = gettext_noop("1 sender in the catalogue.")
SENDERS = KeptSentence(gettext_noop("%(count)s senders in the catalogue."))
DELIVERED = gettext_noop("A message was delivered.")
PROVED = KeptSentence(gettext_noop("All %(count)s answers are proved."))
LOOKED_AT = gettext_noop("Webex Connect looked at the address.")
SMS_CAME = gettext_noop("An SMS came in.")


def _passed(says: str, at: datetime | None = None) -> Finding:
    return Finding(Outcome.PASSED, says, at)


def _failed(says: str) -> Finding:
    return Finding(Outcome.FAILED, says)


def _open(says: str) -> Finding:
    return Finding(Outcome.OPEN, says)


def _ask(says: str) -> Finding:
    return Finding(Outcome.ASK, says)


def _not_tested() -> Finding:
    return Finding(Outcome.OPEN, _("The connection was not tested since it was changed."), lasts=False)


def _not_needed(says: str) -> Finding:
    return Finding(Outcome.NOT_NEEDED, says)


def _seen(at: datetime | None, yes: str, no: str, *, otherwise: Outcome = Outcome.OPEN) -> Finding:
    return _passed(yes, at) if at else Finding(otherwise, no)


def _verdict(known: Evidence) -> ConnectionVerdict | None:
    found = known.service.check_verdict
    return ConnectionVerdict(found) if found else None


def allow_list(known: Evidence) -> Finding:
    if _verdict(known) == ConnectionVerdict.ACCOUNT:
        return _failed(
            _("Webex Connect answered the last test, but does not let this service send from here.")
        )
    return _seen(known.accepted_at, ACCEPTED, _("No message was accepted yet."))


def policy_enabled(known: Evidence) -> Finding:
    if known.policy_groups:
        return _ask(_("Textdesk cannot see this. Ask Webex Connect's support."))
    return _not_needed(_("There is no policy group in the catalogue. Needed as soon as there is one."))


def links_enabled(known: Evidence) -> Finding:
    if known.domains:
        return _ask(_("Textdesk cannot see this. Ask Webex Connect's support."))
    return _not_needed(_("There is no short-link domain in the catalogue. Needed as soon as there is one."))


def cname(known: Evidence) -> Finding:
    return _domains(known, (DomainState.HEALTHY, DomainState.DEGRADED, DomainState.PENDING))


def certificate(known: Evidence) -> Finding:
    return _domains(known, (DomainState.HEALTHY,))


def _domains(known: Evidence, good: tuple[DomainState, ...]) -> Finding:
    """Every domain in use must be in one of these states. Pending means that DNS is right and the certificate is missing."""
    own = [domain for domain in known.domains if not domain.is_shared]
    if not own:
        return _not_needed(
            _("There is no short-link domain of your own in the catalogue. Needed as soon as there is one.")
        )
    if known.service.is_sandbox:
        return _open(_("The service speaks to the sandbox. Its links need no DNS, so nothing is checked."))
    for domain in own:
        if domain.state == DomainState.UNCHECKED:
            return _open(_("%(host)s was not checked yet.") % {"host": domain.host})
        if domain.state not in good:
            # Translators: host is a domain, and says a whole sentence that tells what is wrong with it.
            return _failed(_("%(host)s: %(says)s") % {"host": domain.host, "says": retold(domain.says)})
    names = ", ".join(domain.host for domain in own)
    return _passed(CHECKED(names=names), min(domain.checked_at for domain in own if domain.checked_at))


def public_address(known: Evidence) -> Finding:
    parts = urlsplit(known.public_url)
    host = parts.hostname or ""
    if parts.scheme != "https":
        says = _("PUBLIC_URL is %(address)s, which Webex Connect cannot reach.")
        return _failed(says % {"address": known.public_url})
    if host == "localhost" or _is_private(host):
        says = _("PUBLIC_URL is %(address)s, which leads to this machine or a private network.")
        return _failed(says % {"address": known.public_url})
    return _passed(PUBLIC(address=known.public_url))


def _is_private(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." not in host
    return bool(refusal(host))


def firewall(known: Evidence) -> Finding:
    return _seen(known.receipt_at, RECEIPT, _("No receipt of a message of this connection came in yet."))


def admin(known: Evidence) -> Finding:
    if not known.admins:
        return _failed(_("Only demo people can configure this service."))
    first, *others = known.admins
    return _passed(ADMINS(person=first, others=len(others)) if others else f"{first}.")


def by_person(_known: Evidence) -> Finding:
    return _ask(_("Textdesk cannot see this."))


def region(known: Evidence) -> Finding:
    service, verdict = known.service, _verdict(known)
    if service.is_sandbox:
        says = _("The service speaks to the sandbox. Its address is %(address)s.")
        return _failed(says % {"address": service.base_url})
    if verdict is None:
        return _not_tested()
    if verdict not in ANSWERED:
        return _failed(str(verdict.label))
    if service.base_url and not is_documented(service.base_url):
        says = _("%(address)s answered, but Webex Connect's documents do not name it.")
        return _ask(says % {"address": service.provider_url})
    was_guessed = not service.base_url and not service.region.host_documented
    answered = RIGHT_GUESS if was_guessed else ANSWERS
    return _passed(answered(address=service.provider_url), service.checked_at)


def credentials(known: Evidence) -> Finding:
    verdict = _verdict(known)
    if known.service.is_sandbox:
        return _open(_("The service speaks to the sandbox. Its key is not yours."))
    if verdict is None:
        return _not_tested()
    if verdict == ConnectionVerdict.WORKS:
        return _passed(SIGNED_IN[known.service.auth_kind], known.service.checked_at)
    return _failed(str(verdict.label))


def demo_ended(known: Evidence) -> Finding:
    if known.service.is_sandbox:
        return _open(_("The service speaks to the sandbox. The demo ends when you connect a real region."))
    left = (known.demo_people, known.demo_keys, known.demo_entries)
    return _failed(_left_of_demo(*left)) if any(left) else _passed(NO_DEMO)


def _left_of_demo(people: bool, keys: bool, entries: bool) -> str:
    if people and keys and entries:
        return _(
            "Demo people can sign in and api keys that demo people made can be used and entries of the demo are in the catalogue."
        )
    if people and keys:
        return _("Demo people can sign in and api keys that demo people made can be used.")
    if people and entries:
        return _("Demo people can sign in and entries of the demo are in the catalogue.")
    if keys and entries:
        return _("Api keys that demo people made can be used and entries of the demo are in the catalogue.")
    if people:
        return _("Demo people can sign in.")
    if keys:
        return _("Api keys that demo people made can be used.")
    return _("Entries of the demo are in the catalogue.")


def older_keys(known: Evidence) -> Finding:
    if known.service.is_sandbox:
        return _open(_("The service speaks to the sandbox. Keys send nothing real yet."))
    made, called = known.older_keys, known.older_callbacks
    if not made and not called:
        return _passed(NOTHING_BEFORE)
    if not called:
        return _ask(ngettext("%(n)s key to look at.", "%(n)s keys to look at.", made) % {"n": number(made)})
    if not made:
        says = ngettext("%(n)s callback to look at.", "%(n)s callbacks to look at.", called)
        return _ask(says % {"n": number(called)})
    keys = ngettext("%(n)s key", "%(n)s keys", made) % {"n": number(made)}
    callbacks = ngettext("%(n)s callback", "%(n)s callbacks", called) % {"n": number(called)}
    # Translators: keys is "2 keys", and callbacks "1 callback".
    return _ask(_("%(keys)s and %(callbacks)s to look at.") % {"keys": keys, "callbacks": callbacks})


def sender(known: Evidence) -> Finding:
    if not known.senders:
        return Finding(Outcome.OPEN, _("There is no sender in the catalogue."), lasts=False)
    return _passed(ONE_SENDER if known.senders == 1 else SENDERS(count=known.senders))


def delivered(known: Evidence) -> Finding:
    return _seen(known.delivered_at, DELIVERED, _("No message of this connection was delivered yet."))


def receipts(known: Evidence) -> Finding:
    if known.refused:
        return _failed(_("Receipts or incoming SMS were refused. They are kept: the Receipts page says why."))
    return firewall(known)


def probe(known: Evidence) -> Finding:
    if known.proved == len(DOUBTS):
        return _passed(PROVED(count=known.proved), known.proved_at)
    says = _("%(count)s of %(all)s answers are proved, the rest is assumed.")
    return _ask(says % {"count": number(known.proved), "all": number(len(DOUBTS))})


def webhook(known: Evidence) -> Finding:
    no = _("Webex Connect has not looked at the address yet.")
    return _seen(known.asked_at, LOOKED_AT, no, otherwise=Outcome.ASK)


def incoming(known: Evidence) -> Finding:
    no = _("No SMS came in through this connection yet.")
    return _seen(known.incoming_at, SMS_CAME, no, otherwise=Outcome.ASK)


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
