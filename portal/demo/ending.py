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
from sms.models import Actor, ApiKey, Service
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
    return sum(api_keys.revoke(key, by=by) for key in _keys(service))


def archive_entries(service: Service, *, by: Actor) -> int:
    """Senders, policy group, short-link domain and keyword of the demo, which no tenant has, are archived; returns how many.

    Its prices go, unless somebody wrote others.
    """
    if (
        service.slug == SLUG
        and service.prices.exists()
        and prices.read(prices.as_csv(service)) == prices.read(PRICES)
    ):
        prices.replace(service, [], by=by)  # they are in no contract
    return sum(_archive(rows, act, by) for act, rows in _entries(service).items())


def would_end(service: Service) -> tuple[int, int, int]:
    """How many people, API keys and entries of the catalogue end with the demo."""
    people = User.objects.filter(email__in=ADDRESSES, is_active=True).count()
    return people, _keys(service).count(), sum(rows.count() for rows in _entries(service).values())


def _keys(service: Service) -> "QuerySet[ApiKey]":
    return service.api_keys.filter(created_by__in=ADDRESSES, revoked_at=None)


def _entries(service: Service) -> "dict[str, QuerySet[Any]]":
    """In use, by the act that archives them."""
    if service.slug != SLUG:
        return {}
    senders = [address for address, *_ in (*SENDERS, NEW_SENDER)]
    found: dict[str, QuerySet[Any]] = {
        "sender.archived": service.senders.filter(address__in=senders),
        "policy_group.archived": service.policy_groups.filter(group_id=POLICY_GROUP),
        "domain.archived": service.link_domains.filter(host=DOMAIN),
        "keyword.archived": service.keywords.filter(keyword=KEYWORD[0]),
    }
    return {act: rows.filter(active=True) for act, rows in found.items()}


def _archive(rows: "QuerySet[Any]", act: str, by: Actor) -> int:
    used = list(rows)
    for row in used:
        row.active = False
        row.save(update_fields=["active"])
        audit(act, row, by=by)
    return len(used)
