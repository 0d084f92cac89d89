"""Whom an answer of the issuer stands for, and the roles that their groups give. Bound once to (issuer, subject), then for good.

An unbound answer is matched by its e-mail address, if the issuer vouches for it: with a person, or with an open invitation. Nobody
else gets in, unless a group of theirs gives a role here. A role that a group gave goes with the group, at the next sign-in.
"""

from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from portal import people
from portal.models import GroupRole, Invitation, Membership, User
from portal.sso.refusals import SsoRefused
from sms import guard
from sms.models import Actor, Service
from sms.models.audit import audit

BY = gettext_noop("Single sign-on")
OVERAGE = "_claim_names"  # how Entra ID says that it left a claim out, because it was too long
LONGEST = 200


def person_of(account: SocialAccount, claims: dict[str, Any], *, address: str) -> tuple[User, SocialAccount]:
    """The person, with today's roles, and what binds them. Raises SsoRefused; then nothing was changed."""
    by = Actor("issuer", "", BY, "page", address[:45])
    gives = list(GroupRole.objects.all())
    groups = _groups_of(claims) if gives else frozenset()
    given = [one for one in gives if one.group in groups]
    try:
        with transaction.atomic():
            bound = account if account.pk else _bind(account, claims, given, by=by)
            user = User.objects.select_for_update().get(pk=bound.user_id)
            if not user.is_active:
                raise SsoRefused("inactive", user=user)
            if gives or user.superuser_by_group or user.memberships.filter(by_group=True).exists():
                with guard.watching(on=False):  # what a group gives was guarded when that was decided
                    _apply(user, given, by=by)
    except IntegrityError:  # two answers for one new person at once
        raise SsoRefused("state_lost") from None
    return user, bound


def _groups_of(claims: dict[str, Any]) -> frozenset[str]:
    """A list, as Keycloak, Okta and Entra ID send it, or words in one text."""
    name = settings.OIDC_ROLE_CLAIM
    found: Any = claims.get(name)
    if found is None and name in (claims.get(OVERAGE) or {}):
        raise SsoRefused("groups_cut")
    if isinstance(found, str):
        found = found.replace(",", " ").split()
    return frozenset(one for one in found or () if isinstance(one, str) and len(one) <= LONGEST)


def verified_email(claims: dict[str, Any]) -> str:
    """Empty where the issuer does not vouch for it. Entra ID says `xms_edov` for a domain that its tenant owns."""
    said = claims.get("email_verified", claims.get("xms_edov"))
    vouched = said is True or said == "true" or ("email_verified" not in claims and said in (1, "1"))
    email = claims.get("email")
    return (
        User.objects.normalize_email(email).lower()
        if vouched and isinstance(email, str) and "@" in email
        else ""
    )


def _bind(
    account: SocialAccount, claims: dict[str, Any], given: list[GroupRole], *, by: Actor
) -> SocialAccount:
    email = verified_email(claims)
    if not email:
        raise SsoRefused("not_verified")
    user = User.objects.select_for_update().filter(email__iexact=email).first()
    if user is not None and user.email.lower() != email:  # PostgreSQL takes “ſ” for an “s”: another mailbox
        raise SsoRefused("not_invited", email=email)
    if user is None:
        user = _new(email, given, by=by)
    elif SocialAccount.objects.filter(user=user, provider=account.provider).exists():
        raise SsoRefused("bound_elsewhere", email=email, user=user)
    elif user.is_superuser and not any(one.service_id is None for one in given):
        raise SsoRefused("superuser", email=email, user=user)
    if not user.is_active:
        raise SsoRefused("inactive", user=user)
    bound = SocialAccount.objects.create(
        user=user, provider=account.provider, uid=account.uid, extra_data=account.extra_data
    )
    audit("user.sso_bound", user, by=by)
    return bound


def _new(email: str, given: list[GroupRole], *, by: Actor) -> User:
    """Whoever is invited, or has a group that gives something here. Their password is none."""
    now = timezone.now()
    invitations = list(
        Invitation.objects.select_related("service").filter(
            email__iexact=email, expires_at__gt=now, **people.OPEN
        )
    )
    if not invitations and not given:
        raise SsoRefused("not_invited", email=email)
    user = User.objects.create_user(email)
    for one in invitations:
        people.accept(one, user, by=Actor.person(user, address=by.address))
    return user


def _apply(user: User, given: list[GroupRole], *, by: Actor) -> None:
    """What groups gave is what groups give now; what admins gave by hand stays."""
    wanted = {(one.service_id, one.role) for one in given if one.service_id is not None}
    held = list(user.memberships.all())
    by_hand = {(one.service_id, one.role) for one in held if not one.by_group}
    by_group = {(one.service_id, one.role) for one in held if one.by_group}
    gone, new = by_group - wanted, wanted - by_group - by_hand
    for service in {key[0] for key in gone | new}:
        before = sorted({role for at, role in by_hand | by_group if at == service})
        for _, role in [key for key in gone if key[0] == service]:
            Membership.objects.filter(user=user, service=service, role=role, by_group=True).delete()
        for _, role in [key for key in new if key[0] == service]:
            Membership.objects.create(user=user, service_id=service, role=role, by_group=True)
        after = user.memberships.filter(service=service).order_by("role").values_list("role", flat=True)
        slug = Service.objects.values_list("slug", flat=True).get(pk=service)
        people.record_roles(slug, user, by=by, roles=list(after), before=before)
    chief = any(one.service_id is None for one in given)
    by_hand_too = chief and user.is_superuser  # and stays one
    if chief != user.superuser_by_group and not by_hand_too:
        user.is_superuser = user.is_staff = user.superuser_by_group = chief
        user.save(update_fields=["is_superuser", "is_staff", "superuser_by_group"])
        audit("user.superuser_by_group", user, by=by, superuser=chief)
