"""Who belongs to a service: inviting, accepting, changing roles, removing. Pages and the Django admin both come here.

Membership is read from the database at every request (`portal.access`), so a removed person is out at once. A service that has an
admin always keeps one: the check runs under a lock on the service. Each act writes its audit row in its own transaction.
"""

import secrets
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.models import Invitation, Membership, Role, User
from sms.models import Actor, Service
from sms.models.audit import audit

HOLDS_FOR = timedelta(days=7)
_signer = signing.Signer(salt="portal.invitation")


class PeopleError(ValueError):
    """It cannot be done; nothing was. `field` is the form's."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class InvitationGone(ValueError):
    """An invitation's link that leads nowhere (any more), with what to do."""


# --- invitations --------------------------------------------------------------------------------------------------------


def invite(
    service: Service, email: str, roles: Collection[str], *, by: Actor, now: datetime | None = None
) -> Invitation:
    """A fresh invitation; one that was open for the address is renewed, and its old link dies."""
    now = now or timezone.now()
    email, roles = User.objects.normalize_email(email).lower(), _known(roles)
    with transaction.atomic():
        _lock(service)
        if Membership.objects.filter(service=service, user__email__iexact=email).exists():
            raise PeopleError("email", f"{email} is here already. Change their roles in the list.")
        found, made = Invitation.objects.update_or_create(
            service=service,
            email=email,
            accepted_at=None,
            withdrawn_at=None,
            defaults={
                "roles": roles,
                "nonce": secrets.token_urlsafe(32),
                "expires_at": now + HOLDS_FOR,
                "made_by": by.user,
            },
        )
        audit(
            "person.invited" if made else "person.invited_again",
            by=by,
            service=service.slug,
            noun="person",
            key=found.pk,
            email=email,
            roles=roles,
        )
    return found


def withdraw(invitation: Invitation, *, by: Actor) -> bool:
    with transaction.atomic():
        rows = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, withdrawn_at=None)
        if not rows.update(withdrawn_at=timezone.now()):
            return False
        audit(
            "person.invitation_withdrawn",
            by=by,
            service=invitation.service.slug,
            noun="person",
            key=invitation.pk,
            email=invitation.email,
        )
    return True


def token_of(invitation: Invitation) -> str:
    return _signer.sign_object([invitation.pk, invitation.nonce])


def invitation_of(token: str, *, now: datetime | None = None) -> Invitation:
    """The open invitation that a link stands for; raises InvitationGone."""
    try:
        pk, nonce = _signer.unsign_object(token)
        found = Invitation.objects.select_related("service", "made_by").filter(pk=int(pk)).first()
    except (signing.BadSignature, ValueError, TypeError):
        found = None
    if found is None or not secrets.compare_digest(found.nonce, str(nonce)):
        raise InvitationGone(
            "This link is not complete, or a newer one was sent. Use the link of the latest e-mail."
        )
    if found.accepted_at:
        raise InvitationGone("This invitation was used already. Sign in with your e-mail address.")
    if found.withdrawn_at:
        raise InvitationGone("This invitation was withdrawn. Ask the person who sent it.")
    if found.expires_at <= (now or timezone.now()):
        raise InvitationGone("This invitation has expired. Ask the person who sent it for a new one.")
    return found


def accept(invitation: Invitation, user: User, *, by: Actor, now: datetime | None = None) -> None:
    """Once: the roles become the user's. Raises InvitationGone where it was used, withdrawn or renewed."""
    now = now or timezone.now()
    if user.email.lower() != invitation.email.lower():
        raise PermissionDenied
    with transaction.atomic():
        open_ones = Invitation.objects.filter(
            pk=invitation.pk, nonce=invitation.nonce, accepted_at=None, withdrawn_at=None, expires_at__gt=now
        )
        if not open_ones.update(accepted_at=now, accepted_by=user):
            raise InvitationGone("This invitation has just been used or withdrawn.")
        for role in _known(invitation.roles):
            Membership.objects.get_or_create(user=user, service=invitation.service, role=role)
        audit(
            "person.joined",
            by=by,
            service=invitation.service.slug,
            noun="person",
            key=user.pk,
            email=user.email,
            roles=invitation.roles,
        )


def join_again(invitation: Invitation, *, password: str, now: datetime | None = None) -> User:
    """Accept and create the account that the person does not have yet. Raises InvitationGone."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(invitation.email, password)
            accept(invitation, user, by=Actor("user", str(user.pk), user.email, "page"), now=now)
    except IntegrityError:
        raise InvitationGone(
            "There is an account for this address now. Sign in, and open the link again."
        ) from None
    return user


# --- members ------------------------------------------------------------------------------------------------------------


def set_roles(service: Service, user: User, roles: Collection[str], *, by: Actor) -> bool:
    """Exactly these roles from now on; none removes the person. False where nothing changed."""
    wanted = set(_known(roles)) if roles else set()
    with transaction.atomic():
        _lock(service)
        mine = Membership.objects.filter(service=service, user=user)
        before = set(mine.values_list("role", flat=True))
        if wanted == before:
            return False
        mine.exclude(role__in=wanted).delete()
        Membership.objects.bulk_create(
            Membership(service=service, user=user, role=role) for role in wanted - before
        )
        if Role.ADMIN in before:
            keep_an_admin([service])
        audit(
            "person.roles_changed" if wanted else "person.removed",
            by=by,
            service=service.slug,
            noun="person",
            key=user.pk,
            email=user.email,
            roles=sorted(wanted),
            before=sorted(before),
        )
    return True


def keep_an_admin(services: Iterable[Service]) -> None:
    """Raise PeopleError where one of these has no active admin (any more); call it after the change, in its transaction."""
    wanted = list(services)
    have = set(
        Membership.objects.filter(service__in=wanted, role=Role.ADMIN, user__is_active=True).values_list(
            "service_id", flat=True
        )
    )
    alone = [service.name for service in wanted if service.pk not in have]
    if alone:
        raise PeopleError(
            "roles",
            f"{' and '.join(alone)} would be left without an admin. Make another person admin there first.",
        )


def only_admin_of(user: User) -> list[Service]:
    """Services whose only active admin is this person."""
    mine = Service.objects.filter(memberships__user=user, memberships__role=Role.ADMIN).defer(
        *Service.secrets()
    )
    others = Membership.objects.filter(role=Role.ADMIN, user__is_active=True).exclude(user=user)
    return list(mine.exclude(pk__in=others.values("service_id")).distinct())


def _lock(service: Service) -> None:
    """Until the transaction ends no other process changes who belongs to this service."""
    list(Service.objects.order_by().select_for_update(of=("self",)).filter(pk=service.pk).values_list("pk"))


def _known(roles: Collection[str]) -> list[str]:
    known = [role for role in Role.values if role in roles]
    if not known:
        raise PeopleError("roles", "Choose at least one role.")
    return known
