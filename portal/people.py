"""Who belongs to a service: inviting, accepting, changing roles, removing. Pages and the Django admin both come here.

Membership is read from the database at every request (`portal.access`), so a removed person is out at once. A service that has an
admin always keeps one: the check runs under a lock on the service. Each act writes its audit row in its own transaction.
"""

import secrets
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from portal import account_mail, sessions
from portal.models import GUARDING_ROLES, Invitation, Membership, Role, User
from sms import guard
from sms.models import Actor, ChangeState, Service, WaitingChange
from sms.models.audit import audit
from sms.values.problems import ProblemCode, ProblemError
from sms.words import KeptSentence, listed

HOLDS_FOR = timedelta(days=7)
OPEN: dict[str, Any] = {"accepted_at": None, "withdrawn_at": None}
ROLE_WAITS: dict[str, Any] = {  # what such a change touches ends with role, service and person
    "state": ChangeState.WAITING,
    "touches__startswith": "portal.Membership:",
}
# stored with the change that waits
ROLE_OF = KeptSentence(gettext_noop("role of %(email)s"))
NOT_YET: dict[str, str] = {
    Role.APPROVER: gettext_noop("not approver"),
    Role.ADMIN: gettext_noop("not admin"),
}
NEW_ROLE: dict[str, KeptSentence] = {
    Role.APPROVER: KeptSentence(gettext_noop("Role Approver for %(email)s")),
    Role.ADMIN: KeptSentence(gettext_noop("Role Admin for %(email)s")),
}
REMOVED = KeptSentence(gettext_noop("%(email)s was removed from the service since."))
_signer = signing.Signer(salt="portal.invitation")


class PeopleError(ProblemError):
    """It cannot be done; nothing was. `field` is the form's."""


class InvitationGone(ValueError):
    """An invitation's link that leads nowhere (any more), with what to do."""


def invite(service: Service, email: str, roles: Collection[str], *, by: Actor) -> Invitation:
    """A fresh invitation; one that was open for the address is renewed, and its old link dies."""
    email, roles = User.objects.normalize_email(email).lower(), _known(roles)
    with transaction.atomic():
        _lock(service)
        if Membership.objects.filter(service=service, user__email__iexact=email).exists():
            says = _("%(email)s is here already. Change their roles in the list.") % {"email": email}
            raise PeopleError(ProblemCode.TAKEN, says, field="email")
        fresh = {
            "nonce": secrets.token_urlsafe(32),
            "expires_at": timezone.now() + HOLDS_FOR,
            "made_by": by.user,
        }
        fresh["roles"] = roles
        found, made = Invitation.objects.update_or_create(fresh, service=service, email=email, **OPEN)
        _record("person.invited" if made else "person.invited_again", service.slug, found, by=by, roles=roles)
    return found


def withdraw(invitation: Invitation, *, by: Actor) -> bool:
    with transaction.atomic():
        rows = Invitation.objects.filter(pk=invitation.pk, **OPEN)
        if not rows.update(withdrawn_at=timezone.now()):
            return False
        _record("person.invitation_withdrawn", invitation.service.slug, invitation, by=by)
    return True


def token_of(invitation: Invitation) -> str:
    return _signer.sign_object([invitation.pk, invitation.nonce])


def invitation_of(token: str) -> Invitation:
    """The open invitation that a link stands for; raises InvitationGone."""
    try:
        pk, nonce = _signer.unsign_object(token)
        found = Invitation.objects.select_related("service", "made_by").filter(pk=int(pk)).first()
    except (signing.BadSignature, ValueError, TypeError):
        found = None
    if found is None or not secrets.compare_digest(found.nonce, str(nonce)):
        says = _("This link is not complete, or a newer one was sent. Use the link of the latest e-mail.")
        raise InvitationGone(says)
    if found.accepted_at:
        raise InvitationGone(_("This invitation was used already. Sign in with your e-mail address."))
    if found.withdrawn_at:
        raise InvitationGone(_("This invitation was withdrawn. Ask the person who sent it."))
    if found.expires_at <= timezone.now():
        raise InvitationGone(_("This invitation has expired. Ask the person who sent it for a new one."))
    return found


def accept(invitation: Invitation, user: User, *, by: Actor) -> None:
    """Once: the roles become the user's. Raises InvitationGone where it was used, withdrawn or renewed."""
    now = timezone.now()
    if user.email.lower() != invitation.email.lower():
        raise PermissionDenied
    with transaction.atomic():
        rows = Invitation.objects.filter(pk=invitation.pk, nonce=invitation.nonce, expires_at__gt=now, **OPEN)
        if not rows.update(accepted_at=now, accepted_by=user):
            raise InvitationGone(_("This invitation has just been used or withdrawn."))
        inviter = invitation.made_by
        given = Actor.person(inviter) if inviter is not None else by
        roles = [
            role for role in _known(invitation.roles) if not _waits(invitation.service, user, role, by=given)
        ]
        for role in roles:
            fresh = {"given_by": inviter}
            Membership.objects.get_or_create(fresh, user=user, service=invitation.service, role=role)
        _record("person.joined", invitation.service.slug, user, by=by, roles=roles)


def join(invitation: Invitation, *, password: str) -> User:
    """Accept and create the account that the person does not have yet. Raises InvitationGone."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(invitation.email, password)
            accept(invitation, user, by=Actor.person(user))
    except IntegrityError:
        says = _("There is an account for this address now. Sign in, and open the link again.")
        raise InvitationGone(says) from None
    return user


def set_roles(service: Service, user: User, roles: Collection[str], *, by: Actor) -> bool:
    """Exactly these roles from now on; none removes the person. False where nothing changed.

    While approval is on, the roles that answer for others wait for another admin, and are not held until then.
    """
    wanted = set(_known(roles)) if roles else set()
    with transaction.atomic():
        _lock(service)
        mine = Membership.objects.filter(service=service, user=user)
        before = set(mine.values_list("role", flat=True))
        if not wanted:
            call_off_roles(service.pk, user, by=by)
        wanted -= {role for role in wanted - before if _waits(service, user, role, by=by)}
        if wanted == before:
            return False
        mine.exclude(role__in=wanted).delete()
        added = (
            Membership(service=service, user=user, role=role, given_by=by.user) for role in wanted - before
        )
        Membership.objects.bulk_create(added)
        admins = Membership.objects.filter(service=service, role=Role.ADMIN, user__is_active=True)
        if Role.ADMIN in before and not admins.exists():
            raise PeopleError(ProblemCode.REQUIRED, left_alone([service]), field="roles")
        record_roles(service.slug, user, by=by, roles=sorted(wanted), before=sorted(before))
        if before - wanted and by.user != user:
            sessions.end(user)
    return True


def _waits(service: Service, user: User, role: str, *, by: Actor) -> bool:
    """Whether this new role waits for another admin, who is asked then."""
    return role in GUARDING_ROLES and hold_role(service, user, role, by=by) is not None


def hold_role(service: Service, user: User, role: str, *, by: Actor) -> WaitingChange | None:
    """The change that waits where this person is to get the role; None where they may have it at once."""
    if not guard.on_guard(service.pk):
        return None
    adding = _giving(service.pk, user, role, by=by)
    says = [
        {
            "name": ROLE_OF(email=user.email),
            "before": NOT_YET[role],
            "after": Role(role).in_english.capitalize(),
        }
    ]
    change = guard.ask(service.pk, NEW_ROLE[role](email=user.email)[:200], adding, by=by, says=says)
    return change if change.state == ChangeState.WAITING else None


def roles_that_wait(service: Service) -> "QuerySet[WaitingChange]":
    """Roles of people of this service that another admin has not confirmed yet."""
    return WaitingChange.objects.filter(service=service, **ROLE_WAITS)


def own_roles_that_wait(user: User) -> "QuerySet[WaitingChange]":
    """Of this person, at every service."""
    mine = WaitingChange.objects.filter(touches__endswith=f",{user.pk}", **ROLE_WAITS)
    return mine.select_related("service")


def _giving(service_id: int, user: User, role: str, *, by: Actor) -> guard.Operation:
    held = {
        "user_id": user.pk,
        "service_id": service_id,
        "role": str(role),
        "given_by_id": by.user and by.user.pk,
    }
    return guard.Operation("portal.Membership", None, {name: (None, one) for name, one in held.items()})


def call_off_roles(service_id: int, user: User, *, by: Actor) -> None:
    """Of somebody who was removed: no wish from before brings them back."""
    for role in GUARDING_ROLES:
        doing = _giving(service_id, user, role, by=by)
        guard.call_off(doing, by=by, because=REMOVED(email=user.email))


def sign_out(user: User, *, by: Actor, service: str = "") -> int:
    """Wherever they are signed in; returns in how many places that was."""
    with transaction.atomic():
        ended = sessions.end(user)
        audit("user.sessions_ended", user, by=by, noun="user", service=service, sessions=ended)
    account_mail.sessions_ended(user, by=by.label)
    return ended


def left_alone(services: Collection[Service]) -> str:
    # Translators: services are names, one or several.
    says = _("%(services)s would be left without an admin. Make another person admin there first.")
    return says % {"services": listed(service.name for service in services)}


def only_admin_of(user: User) -> list[Service]:
    """Services whose only active admin is this person."""
    mine = Service.objects.filter(memberships__user=user, memberships__role=Role.ADMIN)
    others = Membership.objects.filter(role=Role.ADMIN, user__is_active=True).exclude(user=user)
    alone = mine.exclude(pk__in=others.values("service_id")).distinct()
    return list(alone.defer(*Service.secrets()))


def _lock(service: Service) -> None:
    """Until the transaction ends no other process changes who belongs to this service."""
    list(Service.objects.order_by().select_for_update(of=("self",)).filter(pk=service.pk).values_list("pk"))


def _known(roles: Collection[str]) -> list[str]:
    known = [role for role in Role.values if role in roles]
    if not known:
        raise PeopleError(ProblemCode.REQUIRED, _("Choose at least one role."), field="roles")
    return known


def record_roles(
    slug: str, user: User, *, by: Actor, roles: Collection[str], before: Collection[str]
) -> None:
    act = "person.roles_changed" if roles else "person.removed"
    _record(act, slug, user, by=by, roles=roles, before=before)


def _record(act: str, slug: str, who: User | Invitation, *, by: Actor, **details: Any) -> None:
    audit(act, by=by, service=slug, noun="person", key=who.pk, email=who.email, **details)
