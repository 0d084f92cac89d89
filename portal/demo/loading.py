"""Loading the demo service of `manage.py up --demo`. It can be done repeatedly, and does nothing where a service is live."""

import secrets
from pathlib import Path

from django.db import transaction

from portal.demo.ending import live_services, retire_people
from portal.demo.entries import (
    ADDRESSES,
    CAP_NUMBER,
    DOMAIN,
    KEYWORD,
    NAMES,
    PEOPLE,
    POLICY_GROUP,
    SENDERS,
    SLUG,
    TEMPLATES,
)
from portal.going_live.connection import follow
from portal.models import Membership, Role, User
from sms.catalogue import templates
from sms.inbound.optouts.own_keywords import folded
from sms.models import (
    Actor,
    AuthKind,
    ContactPolicyGroup,
    KeywordRule,
    Label,
    Region,
    Sender,
    Service,
    ShortLinkDomain,
)


def password_of(folder: Path) -> str:
    """The password of the demo people: made once for a state folder, so that a second run prints the same."""
    path = folder / "demo_password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(f"demo-{secrets.token_hex(5)}", encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


@transaction.atomic
def load(url: str, key: str, *, password: str) -> Service | None:
    """Create or repair the demo service, which sends to that address; what a person changed in its catalogue stays.

    None where nothing was done, because a service is live: its connection is its own, and demo people have no place beside it.
    """
    by = Actor.system("cli")
    found = Service.objects.select_for_update(of=("self",)).filter(slug=SLUG)
    before, service = found.first(), found.first()  # locked, so that nobody connects it meanwhile
    if live_services().exists():
        retire_people(by=by)
        return None
    if service is None:
        service = Service(slug=SLUG, name="Demo", region=Region.objects.get(key="uk"), default_country="GB")
        service.cap_number = CAP_NUMBER
    service.base_url, service.auth_kind, service.api_key = url, AuthKind.KEY, key
    service.keep_secrets_for_address()
    service.save()  # a pause stays: a start is no word of whoever paused it, nor that a restored copy is settled
    if before is None:
        _catalogue(service)
    if service.is_sandbox:
        _people(service, password)
    follow(before, service, by=by)
    return service


def _catalogue(service: Service) -> None:
    for address, kind, default in SENDERS:
        Sender.objects.create(service=service, address=address, kind=kind, is_default=default)
    for name, text in TEMPLATES:
        templates.create(service, name, templates.Wording(text), by=Actor.system())
    ContactPolicyGroup.objects.create(
        service=service, name=POLICY_GROUP, group_id=POLICY_GROUP, apply_frequency_cap=True
    )
    ShortLinkDomain.objects.create(service=service, region=service.region, host=DOMAIN)
    word, label, answer = KEYWORD
    KeywordRule.objects.create(
        service=service,
        keyword=word,
        folded=folded(word),
        label=Label.objects.create(service=service, word=label),
        text=answer,
    )


def _people(service: Service, password: str) -> None:
    """One person per role. Hashing is slow on purpose, so an unchanged password is recognised by looking at one of them."""
    known = User.objects.filter(email=ADDRESSES[0]).first()
    unchanged = known is not None and known.is_active and known.check_password(password)
    for role, address, name in zip(PEOPLE, ADDRESSES, NAMES, strict=True):
        first, _, last = name.partition(" ")
        named = {"first_name": first, "last_name": last}
        user, created = User.objects.get_or_create(email=address, defaults=named)
        if created or not unchanged:
            user.is_active, user.is_staff = True, role == Role.ADMIN
            user.set_password(password)
            user.save()
        Membership.objects.get_or_create(user=user, service=service, role=role)
