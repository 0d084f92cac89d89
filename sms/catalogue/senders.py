"""Senders: whether a network of a country takes one, and the outcome of its messages.

Called by `sms.compose` for every country of a send, by the sender pages, and by the test message of a connection.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import Max, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms.models import Actor, Registration, Sender, SenderKind, Service, StateCount
from sms.models.audit import audit
from sms.values import msisdn
from sms.values.country_names import country_name
from sms.words import KeptSentence

RECENT = timedelta(days=30)
SHOWN_REASONS = 5
NOT_LISTED = KeptSentence(
    gettext_noop(
        "%(sender)s is listed for %(countries)s and not for %(country)s. Choose another sender, or have an admin add it."
    )
)
INDIA = KeptSentence(
    gettext_noop("Networks in India take %(sender)s only if it is registered with DLT for your company.")
)
# Translators: home and country are names of countries.
ABROAD = KeptSentence(
    gettext_noop(
        "%(sender)s is a number of %(home)s: to %(country)s it is sent as well as networks allow, without a promise."
    )
)
NO_NAMES = {
    "US": KeptSentence(
        gettext_noop(
            "Networks in the United States refuse alphanumeric senders like %(sender)s. "
            "Choose a short code, or a registered number."
        )
    ),
    "CA": KeptSentence(
        gettext_noop(
            "Networks in Canada refuse alphanumeric senders like %(sender)s. "
            "Choose a short code, or a registered number."
        )
    ),
}
NO_FOREIGNERS = {
    "US": KeptSentence(
        gettext_noop(
            "Networks in the United States block foreign numbers like %(sender)s. "
            "Choose a short code, or a registered +1 number."
        )
    ),
    "CA": KeptSentence(
        gettext_noop(
            "Networks in Canada block foreign numbers like %(sender)s. "
            "Choose a short code, or a registered +1 number."
        )
    ),
}
NOT_REGISTERED = {
    "US": KeptSentence(
        gettext_noop(
            "%(sender)s is not noted as registered: networks in the United States block numbers without a 10DLC campaign "
            "or a toll-free verification (7281). Once it is registered, an admin notes it at the sender."
        )
    ),
    "CA": KeptSentence(
        gettext_noop(
            "%(sender)s is not noted as registered: networks in Canada block numbers without a 10DLC campaign "
            "or a toll-free verification (7281). Once it is registered, an admin notes it at the sender."
        )
    ),
}
TEN_DLC = KeptSentence(gettext_noop("%(sender)s is registered for 10DLC, which is for the United States."))
NORTH_AMERICA = frozenset(NO_NAMES)


class SenderFit(StrEnum):
    FINE = "fine"
    WARNING = "warning"
    REFUSED = "refused"


LEVELS = {
    SenderFit.FINE: gettext_noop("Fine"),
    SenderFit.WARNING: gettext_noop("Warning"),
    SenderFit.REFUSED: gettext_noop("Refused"),
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The level, and for all but `fine` a sentence with the way out, in English since it is stored with rejected rows."""

    level: SenderFit
    text: str = ""

    @property
    def label(self) -> str:
        return _(LEVELS[self.level])


FINE = Judgement(SenderFit.FINE)


def judge(sender: Sender, country: str) -> Judgement:
    """Whether messages from `sender` arrive in `country` (ISO 3166; "" for a number of no country, which nothing is known of)."""
    if not country:
        return FINE
    if sender.reaches and country not in sender.reaches:
        where = f"{country_name(country)} ({country})"
        says = NOT_LISTED(sender=sender, countries=sender.countries, country=where)
        return Judgement(SenderFit.REFUSED, says)
    if country in NORTH_AMERICA:
        return _north_america(sender, country)
    if country == "IN" and sender.kind == SenderKind.ALPHANUMERIC:
        return Judgement(SenderFit.WARNING, INDIA(sender=sender))
    if sender.kind == SenderKind.LONG_CODE and (home := _home(sender.address)) and home != country:
        says = ABROAD(sender=sender, home=country_name(home), country=country_name(country))
        return Judgement(SenderFit.WARNING, says)
    return FINE


def _north_america(sender: Sender, country: str) -> Judgement:
    if sender.kind == SenderKind.ALPHANUMERIC:
        return Judgement(SenderFit.REFUSED, NO_NAMES[country](sender=sender))
    if sender.kind == SenderKind.SHORT_CODE:
        return FINE
    if not sender.address.startswith("1"):
        return Judgement(SenderFit.REFUSED, NO_FOREIGNERS[country](sender=sender))
    if not sender.registration:
        return Judgement(SenderFit.WARNING, NOT_REGISTERED[country](sender=sender))
    if country == "CA" and sender.registration == Registration.TEN_DLC:
        return Judgement(SenderFit.WARNING, TEN_DLC(sender=sender))
    return FINE


def listed(service: Service, address: str, *, by: Actor) -> Sender:
    """The service's sender of that address; one that is not listed yet is checked and added, as on its page. Raises ValidationError."""
    found = service.senders.filter(address=address).first()
    if found is not None:
        return found
    with transaction.atomic():
        made = Sender(service=service, address=address, kind=kind_of(address))
        made.full_clean()
        made.save()
        audit("sender.added", made, by=by, address=made.address, kind=made.kind)
    return made


def kind_of(address: str) -> SenderKind:
    """Of a sender that was typed without its kind."""
    if not (address.isascii() and address.isdigit()):
        return SenderKind.ALPHANUMERIC
    return SenderKind.SHORT_CODE if len(address) <= 8 else SenderKind.LONG_CODE


def _home(address: str) -> str:
    return msisdn.country_of(f"+{address}")


def is_toll_free(address: str) -> bool:
    """A +1 number that is free to call: it needs the toll-free verification instead of 10DLC."""
    return address[:1] == "1" and address[1:4] in {"800", "833", "844", "855", "866", "877", "888"}


def country_of(e164: str, known: dict[str, str]) -> str:
    """ISO 3166 code of a number. `known` keeps countries by their first digits: no two countries share seven."""
    prefix = e164[:8]
    if prefix not in known:
        known[prefix] = _home(e164.lstrip("+"))
    return known[prefix]


@dataclass(slots=True)
class Usage:
    """Messages posted in the last 30 days, when the last one was (to five minutes), and why some failed, most first."""

    messages: int = 0
    last_at: datetime | None = None
    failures: list[tuple[str, int]] = field(default_factory=list)

    @property
    def failed(self) -> int:
        return sum(count for _, count in self.failures)


def usage(sender_ids: Iterable[int], *, now: datetime) -> dict[int, Usage]:
    """Usage by sender, in two queries over the counters however many there are."""
    ids = list(sender_ids)
    found = {one: Usage() for one in ids}
    since = int((now - RECENT).timestamp()) // StateCount.WINDOW
    rows = StateCount.objects.filter(
        window__gte=since, window__gt=0, send__sender__in=ids, send__simulated=False
    )
    recent = rows.values("send__sender")
    for row in recent.annotate(total=Sum("delta"), last=Max("window")).order_by():
        if row["total"]:
            one = found[row["send__sender"]]
            one.messages = row["total"]
            one.last_at = datetime.fromtimestamp(row["last"] * StateCount.WINDOW, UTC)
    failed = recent.filter(state="failed").values("send__sender", "code").annotate(total=Sum("delta"))
    for reason in failed.order_by("-total", "code"):
        if reason["total"]:
            found[reason["send__sender"]].failures.append((reason["code"], reason["total"]))
    return found
