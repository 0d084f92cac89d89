"""Second factors: who has to have one and from when, who lacks it, and taking a colleague's away.

A rule of the desk or of a service gives people days of grace; afterwards only the page that sets one up opens for them
(`portal.factor_gate`). Where single sign-on has seen a second factor itself, that one counts (`portal.sso`).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from portal import admin_mail, mail_server, sessions
from portal.models import FactorRule, Membership, Role, User
from sms.models import Actor, Service
from sms.models.audit import audit
from sms.words import in_language

# recovery codes stand in for one of these; alone they are none
FIRST = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
SEEN_BY_ISSUER = "second_factor"  # in the session, and in what is kept of a person's single sign-on
FEW_CODES = 3
MANY = 10_000  # days: for good
HAS_ONE = Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=FIRST))


@dataclass(frozen=True, slots=True)
class Demand:
    """A second factor is asked of a person: by which rule, since when, and until when the desk opens without one."""

    rule: FactorRule
    since: datetime
    until: datetime

    @property
    def is_over(self) -> bool:
        return self.until <= timezone.now()


@dataclass(frozen=True, slots=True)
class Lacking:
    """A person who is asked for a second factor and has none."""

    user: User
    demand: Demand


def has_one(user: User) -> bool:
    return Authenticator.objects.filter(user=user, type__in=FIRST).exists()


def demand_of(user: User) -> Demand | None:
    """What is asked of a person, whether or not they have one already. One query where there is no rule."""
    rules = list(FactorRule.objects.select_related("service").defer(*Service.secrets("service")))
    return _strictest(user, list(user.memberships.all()), rules) if rules else None


def lacking(service: Service | None = None) -> list[Lacking]:
    """Who is asked and has none, the first to be shut out first: of a service, or of the whole desk."""
    rules = list(FactorRule.objects.select_related("service").defer(*Service.secrets("service")))
    if not rules:
        return []
    seen = SocialAccount.objects.filter(**{f"extra_data__{SEEN_BY_ISSUER}": True}).values("user")
    have = Authenticator.objects.filter(type__in=FIRST).values("user")
    people = User.objects.filter(is_active=True).exclude(pk__in=have).exclude(pk__in=seen)
    if service is not None:
        people = people.filter(memberships__service=service).distinct()
    found = (
        Lacking(one, demand)
        for one in people.prefetch_related("memberships")
        if (demand := _strictest(one, list(one.memberships.all()), rules))
    )
    return sorted(found, key=lambda one: (one.demand.until, one.user.email))


def _strictest(user: User, held: list[Membership], rules: Iterable[FactorRule]) -> Demand | None:
    demands = []
    for rule in rules:
        if begins := _under(rule, user, held):
            since = max(rule.since, begins)
            demands.append(Demand(rule, since, since + timedelta(days=rule.grace_days)))
    return min(demands, key=lambda one: one.until, default=None)


def _under(rule: FactorRule, user: User, held: list[Membership]) -> datetime | None:
    """Since when a person is one of those whom a rule is about. A superuser counts as an admin of the desk."""
    if not rule.role:
        return user.date_joined
    mine = [one.since for one in held if one.role == rule.role and rule.service_id in (None, one.service_id)]
    if user.is_superuser and rule.service_id is None and rule.role == Role.ADMIN:
        mine.append(user.date_joined)
    return min(mine, default=None)


def rules_of(service: Service | None) -> list[FactorRule]:
    return list(FactorRule.objects.filter(service=service))


def set_rules(service: Service | None, roles: Collection[str], *, grace_days: int, by: Actor) -> bool:
    """Exactly these roles are asked from now on ("" is everybody), each of them since it first was. False where nothing changed."""
    with transaction.atomic():
        if service is not None:  # two who save at once wait for each other
            list(
                Service.objects.order_by()
                .select_for_update(of=("self",))
                .filter(pk=service.pk)
                .values_list("pk")
            )
        before = rules_of(service)
        wanted = {(role, grace_days) for role in roles}
        if wanted == {(one.role, one.grace_days) for one in before}:
            return False
        FactorRule.objects.filter(service=service).exclude(role__in=roles).delete()
        for role in roles:
            FactorRule.objects.update_or_create({"grace_days": grace_days}, service=service, role=role)
        after = rules_of(service)
        audit(
            "factor_rule.changed",
            by=by,
            noun="factor_rule",
            service=service.slug if service else "",
            before=_said(before),
            after=_said(after),
        )
        if _is_looser(before, after):
            tell = partial(admin_mail.factor_rules_loosened, service, by=by.label, before=before, after=after)
            transaction.on_commit(tell, robust=True)
    return True


def _is_looser(before: Iterable[FactorRule], after: Iterable[FactorRule]) -> bool:
    """Somebody who had to have one does not any more, or has longer."""
    now = {one.role: one.grace_days for one in after}
    return any(now.get(one.role, now.get("", MANY)) > one.grace_days for one in before)


def _said(rules: Iterable[FactorRule]) -> list[dict[str, Any]]:
    return [{"role": one.role or "everybody", "grace_days": one.grace_days} for one in rules]


def may_reset(user: User, *, by: User) -> bool:
    """A superuser resets anybody's; an admin only of people who belong to none but services that they are an admin of."""
    if user == by:
        return False
    if by.is_superuser:
        return True
    mine = by.memberships.filter(role=Role.ADMIN).values("service")
    return not user.is_superuser and not user.memberships.exclude(service__in=mine).exists()


def reset(user: User, *, by: Actor, service: Service) -> bool:
    """Take all factors of a person away, as where a phone is lost. Whether a mail about it could be sent."""
    if not may_reset(user, by=by.user):
        raise PermissionDenied
    with transaction.atomic():
        mine = Authenticator.objects.select_for_update().filter(user=user)
        kinds = sorted(one.type for one in mine)
        mine.delete()
        sessions.end(user)
        audit("user.second_factor_reset", user, by=by, service=service.slug, kinds=kinds)
    with in_language(user.language):
        words = _(
            "%(admin)s has taken away the second factors of your account, as is done where a phone or a key is lost. Sign in with your "
            "password, and set up a new one under Two-factor authentication.\n\nIf you did not ask for this, tell an admin of your desk at "
            "once: another person may be trying to use your account.\n"
        )
        subject = _("Your second factor on Textdesk was reset")
        return mail_server.send(subject, words % {"admin": by.label}, user.email)
