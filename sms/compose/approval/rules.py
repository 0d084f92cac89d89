"""Which of a service's approval rules apply to an order. Nothing is stored."""

import zoneinfo
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from sms import guard
from sms.catalogue.caps.rules import named
from sms.compose.order import ComposedMessage, Order
from sms.models import (
    Actor,
    ApiKey,
    ApprovalRules,
    Draft,
    Fact,
    FactProfile,
    Message,
    MessageState,
    Purpose,
    Send,
    SendState,
    Service,
)
from sms.models.sql.clock import corrected_now
from sms.values import time_zones
from sms.values.msisdn import country_of
from sms.words import KeptSentence, retold

BEGUN = (SendState.SENDING, SendState.FINISHED)
MOST_TRANSACTIONAL = 100  # recipients: more at once is a campaign, whatever the key is for
DAY = timedelta(hours=24)  # within which sends that nobody approved count together
NAMED = 3  # new countries in one sentence
ONE_IS_LARGE = KeptSentence(
    gettext_noop("It goes to %(recipients)s recipient; from %(size)s on a send is large.")
)
MANY_ARE_LARGE = KeptSentence(
    gettext_noop("It goes to %(recipients)s recipients; from %(size)s on a send is large.")
)
SUM_IS_LARGE = KeptSentence(
    gettext_noop(
        "With %(before)s within 24 hours of it without approval it comes to %(recipients)s recipients; from %(size)s on that is large."
    )
)
NEW_SENDER = KeptSentence(gettext_noop("It is the first send from %(sender)s."))
NEW_DOMAIN = KeptSentence(gettext_noop("It is the first send with links on %(domain)s."))
# the longer ones first: the last reads like each of them
NEW_COUNTRY_AND_MORE = KeptSentence(
    gettext_noop("It is the first send to %(countries)s and %(more)s more countries.")
)
NEW_COUNTRY_AND_ONE = KeptSentence(gettext_noop("It is the first send to %(countries)s and one more."))
NEW_COUNTRY = KeptSentence(gettext_noop("It is the first send to %(countries)s."))
OUTSIDE_HOURS = KeptSentence(
    gettext_noop("It is %(time)s in %(zone)s, outside the ordinary hours %(hours)s.")
)
UNKNOWN_ZONE = KeptSentence(
    gettext_noop(
        "This machine does not know the time zone %(zone)s, so any hour is outside the ordinary ones."
    )
)


@dataclass(frozen=True, slots=True)
class ApprovalReason:
    """A rule of the service that asks for approval. `detail` is kept with the request, so it is English."""

    rule: str
    approvers: int
    detail: str


@dataclass(frozen=True, slots=True)
class Needed:
    """How many people must approve, and why; `eligible` is how many of the service's approvers are not its authors."""

    approvers: int
    reasons: tuple[ApprovalReason, ...]
    eligible: int
    valid_hours: int

    @property
    def short(self) -> str:
        """The sentence for when there are too few approvers; empty where there are enough."""
        if self.eligible >= self.approvers:
            return ""
        if self.eligible == 0 and self.approvers == 1:
            says = _("Of this service's approvers no one could approve, and one approval is needed.")
        elif self.eligible == 0:
            says = _("Of this service's approvers no one could approve, and %(needed)s approvals are needed.")
        elif self.eligible == 1:
            says = _(
                "Of this service's approvers one person could approve, and %(needed)s approvals are needed."
            )
        else:
            says = _(
                "Of this service's approvers %(there)s people could approve, and %(needed)s approvals are needed."
            )
        way_out = _(
            "An admin can add approvers under Set-up › Team › People, or ask for fewer under Set-up › Rules › Approval."
        )
        return f"{says % {'there': self.eligible, 'needed': self.approvers}} {way_out}"


NOT_NEEDED = Needed(0, (), 0, 0)


def needed_for(
    order: Order, lines: Sequence[ComposedMessage], *, by: Actor | None = None, now: datetime | None = None
) -> Needed:
    """`needed` for an order and the messages it would make; `by` is who asks."""

    def countries() -> set[str]:
        return {country_of(line.msisdn) for line in lines}

    return needed(order, recipients=len(lines), countries=countries, by=by, now=now)


def needed(
    order: Order,
    *,
    recipients: int,
    countries: Callable[[], Collection[str]],
    by: Actor | None = None,
    now: datetime | None = None,
) -> Needed:
    """What the rules of its service say now. `countries` (ISO codes) is called only where a rule asks for it.

    A service without rules costs one query by primary key.
    """
    if order.simulated:  # nobody gets it
        return NOT_NEEDED
    rules = ApprovalRules.of(order.service)
    if not rules.most:
        return NOT_NEEDED
    now = now or corrected_now()
    program = by is None or by.kind != "user"
    with override("en"):  # they are kept
        reasons = tuple(_reasons(rules, order, recipients, countries, now, program=program))
    if not reasons:
        return NOT_NEEDED
    most = max(reason.approvers for reason in reasons)
    can = eligible(order.service, without=authors_of(order.draft, by=by) | order.writers, now=now)
    return Needed(most, reasons, can, rules.valid_hours)


def behind(by: Actor | None) -> set[int]:
    """Keys of the people who act: the person, or those who made the API key or changed it."""
    if by is None:
        return set()
    if by.kind == "key":
        return set(
            ApiKey.makers.through.objects.filter(apikey__prefix=by.key).values_list("user_id", flat=True)
        )
    return {by.user.pk} if by.user is not None and by.user.pk else set()


def authors_of(draft: Draft | None, *, by: Actor | None = None) -> set[int]:
    """Keys of those who wrote it: who asks, who began the draft, and everyone who saved it."""
    found = behind(by)
    if draft is not None and draft.pk:
        found |= set(draft.editors.values_list("pk", flat=True))
        if draft.created_by_id:
            found.add(draft.created_by_id)
    return found


def eligible(service: Service, *, without: Collection[int] = (), now: datetime | None = None) -> int:
    """How many approvers are not among these people, and not made approvers by one of them lately."""
    people: Any = service.memberships.filter(role="approver", user__is_active=True)
    others = people.exclude(user__in=list(without)).exclude(guard.tied(without, now=now or corrected_now()))
    found: int = others.values("user").distinct().count()
    return found


def _reasons(
    rules: ApprovalRules,
    order: Order,
    recipients: int,
    countries: Callable[[], Collection[str]],
    now: datetime,
    *,
    program: bool,
) -> Iterator[ApprovalReason]:
    service, sender, domain = order.service, order.sender, order.options.link_domain
    # size and hours are about campaigns; what is new may be a mistake or misuse in any message
    campaign = not order.transactional or recipients > MOST_TRANSACTIONAL
    if campaign and rules.size_approvers and rules.size is not None:
        alone = recipients >= rules.size or (program and recipients == 1)
        before = 0 if alone else _unapproved(service, at=order.due_at or now)
        if recipients + before >= rules.size:
            kept = ONE_IS_LARGE if recipients == 1 else MANY_ARE_LARGE
            says = kept(recipients=f"{recipients:,}", size=f"{rules.size:,}")
            if before:
                says = _sum_in_words(before, recipients, rules.size)
            yield ApprovalReason("size", rules.size_approvers, says)
    if rules.new_sender and sender is not None and not _begun(service, sender__address=sender.address):
        yield ApprovalReason("new_sender", rules.new_sender, NEW_SENDER(sender=sender))
    if rules.new_domain and domain is not None and not _begun(service, link_domain=domain):
        yield ApprovalReason("new_domain", rules.new_domain, NEW_DOMAIN(domain=domain))
    if rules.new_country and (new := _new_countries(service, countries())):
        yield ApprovalReason("new_country", rules.new_country, _first_send_to(new))
    if campaign and rules.outside_hours and rules.hours:
        there = now.astimezone(zoneinfo.ZoneInfo(service.clock))
        says = OUTSIDE_HOURS(time=f"{there:%H:%M}", zone=service.clock, hours=rules.hours)
        if unknown := not time_zones.here(service.time_zone):
            says = UNKNOWN_ZONE(zone=service.time_zone)
        if unknown or not rules.ordinary_at(there.time()):
            yield ApprovalReason("outside_hours", rules.outside_hours, says)


def too_large_at(send: Send, due_at: datetime) -> str:
    """Why a send that nobody was asked about cannot be moved there: with others it would be large. Empty where it can."""
    rules = ApprovalRules.of(send.service)
    asked = send.approvers or not rules.size_approvers or rules.size is None
    if asked or not _campaigns(send.service).filter(pk=send.pk).exists():
        return ""
    before = _unapproved(send.service, at=due_at, without=send)
    if not before or rules.size is None or before + send.recipients < rules.size:
        return ""
    return retold(_sum_in_words(before, send.recipients, rules.size))


def _sum_in_words(before: int, recipients: int, size: int) -> str:
    return SUM_IS_LARGE(before=f"{before:,}", recipients=f"{recipients + before:,}", size=f"{size:,}")


def _campaigns(service: Service) -> "QuerySet[Send]":
    """Sends that nobody approved and that count as parts of a large one.

    A program's message to one number is no part of a campaign, and neither is what a transactional key sends, or a cancelled send of
    which nothing was posted.
    """
    keys = service.api_keys.filter(purpose=Purpose.TRANSACTIONAL).values("pk")
    gone = Message.objects.filter(send=OuterRef("pk")).exclude(state=MessageState.CANCELLED)
    return Send.objects.filter(
        Q(recipients__gt=1) | Q(created_by__isnull=False),
        ~Q(state=SendState.CANCELLED) | Exists(gone),
        service=service,
        approvers=0,
        test=False,
        simulated=False,
    ).exclude(counted_key__in=keys)


def _unapproved(service: Service, *, at: datetime, without: Send | None = None) -> int:
    """Recipients within a day of that moment whom nobody approved, so that a large send is not made of small ones.

    Two sends that are made or moved at once see each other: inside a transaction the rules are locked until it ends.
    """
    if transaction.get_connection().in_atomic_block:
        list(ApprovalRules.objects.select_for_update(no_key=True).filter(pk=service.pk).values_list("pk"))
    found = _campaigns(service).filter(due_at__gt=at - DAY, due_at__lt=at + DAY)
    if without is not None:
        found = found.exclude(pk=without.pk)
    return found.aggregate(total=Sum("recipients"))["total"] or 0


def _begun(service: Service, **what: object) -> bool:
    begun = Send.objects.filter(service=service, state__in=BEGUN, test=False, simulated=False, **what)
    return begun.exists()


def _new_countries(service: Service, codes: Collection[str]) -> list[str]:
    """Those that nothing but tests was ever posted to, by the facts, which stay when messages are deleted."""
    real = FactProfile.objects.filter(service_id=service.pk, test=False).values("pk")
    reached = Fact.objects.filter(
        service_id=service.pk,
        grain=Fact.Grain.BLOCK,  # the fewest rows
        cut=Fact.Cut.PRICED,
        profile_id__in=real,
        measure="posted",
        messages__gt=0,
    )
    return [code for code in sorted(codes) if code and not reached.filter(country=code).exists()]


def _first_send_to(codes: list[str]) -> str:
    names = [named(code) for code in codes[:NAMED]]
    more = len(codes) - len(names)
    kept = NEW_COUNTRY_AND_MORE if more > 1 else NEW_COUNTRY_AND_ONE if more else NEW_COUNTRY
    return kept(countries=", ".join(names), more=more)
