"""The end of the demo: its people, the API keys that they made, and its entries. Nothing of it stays beside a live service.

The password of demo people is printed by the start and kept in a file.
"""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from portal.demo.entries import ADDRESSES, DOMAIN, KEYWORD, NEW_SENDER, POLICY_GROUP, PRICES, SENDERS, SLUG
from portal.models import Invitation, User
from portal.people import OPEN, record_roles, withdraw
from sms.catalogue import api_keys, prices
from sms.models import Actor, Service
from sms.models.audit import audit


def live_services() -> "QuerySet[Service]":
    """Services that are connected to Webex Connect itself. Where there is one, nothing of the demo is made or let in."""
    return Service.objects.exclude(Service.sandboxes()).defer(*Service.secrets())


@transaction.atomic
def retire_people(*, by: Actor) -> int:
    """Demo people are signed out, belong to no service and have no password; returns how many. `load` brings them back."""
    gone = list(User.objects.filter(email__in=ADDRESSES, is_active=True))
    for user in gone:
        for slug, roles in _roles(user).items():
            record_roles(slug, user, by=by, roles=(), before=roles)
        user.memberships.all().delete()
        user.is_active = user.is_staff = user.is_superuser = False
        user.set_unusable_password()
        user.save()
        audit("user.demo_ended", user, by=by)
    return len(gone)


def _roles(user: User) -> dict[str, list[str]]:
    held: dict[str, list[str]] = {}
    for slug, role in user.memberships.values_list("service__slug", "role"):
        held.setdefault(slug, []).append(role)
    return held


def withdraw_invitations(service: Service, *, by: Actor) -> int:
    """Those of demo people: whoever has the printed password can have sent them."""
    open_ones = Invitation.objects.filter(service=service, made_by__email__in=ADDRESSES, **OPEN)
    return sum(withdraw(one, by=by) for one in open_ones)


def revoke_keys(service: Service, *, by: Actor) -> int:
    """API keys that demo people made end with them."""
    usable = service.api_keys.filter(created_by__in=ADDRESSES, revoked_at=None)
    return sum(api_keys.revoke(key, by=by) for key in usable)


def archive_entries(service: Service, *, by: Actor) -> int:
    """Senders, policy group, short-link domain and keyword of the demo, which no tenant has, are archived; returns how many.

    Its prices go, unless somebody wrote others.
    """
    if service.slug != SLUG:
        return 0
    if service.prices.exists() and prices.read(prices.as_csv(service)) == prices.read(PRICES):
        prices.replace(service, [], by=by)  # they are in no contract
    return (
        _archive(
            service.senders.filter(address__in=[address for address, *_ in (*SENDERS, NEW_SENDER)]),
            "sender.archived",
            by,
        )
        + _archive(service.policy_groups.filter(group_id=POLICY_GROUP), "policy_group.archived", by)
        + _archive(service.link_domains.filter(host=DOMAIN), "domain.archived", by)
        + _archive(service.keywords.filter(keyword=KEYWORD[0]), "keyword.archived", by)
    )


def _archive(rows: "QuerySet[Any]", act: str, by: Actor) -> int:
    used = list(rows.filter(active=True))
    for row in used:
        row.active = False
        row.save(update_fields=["active"])
        audit(act, row, by=by)
    return len(used)
