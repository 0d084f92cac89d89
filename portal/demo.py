"""The demo service of `manage.py up --demo`: a team, a catalogue and a connection to the sandbox. It can be run repeatedly."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from portal.models import Membership, Role, User
from sms.catalogue import templates
from sms.models import (
    Actor,
    AuthKind,
    ContactPolicyGroup,
    Region,
    Sender,
    SenderKind,
    Service,
    ShortLinkDomain,
)

SLUG = "demo"
PEOPLE = (Role.COMPOSER, Role.APPROVER, Role.ADMIN, Role.AUDITOR)
SENDERS = (
    ("TEXTDESK", SenderKind.ALPHANUMERIC, True),
    ("72345", SenderKind.SHORT_CODE, False),
    ("447700900000", SenderKind.LONG_CODE, False),
)
TEMPLATES = (
    ("order_shipped", "Hi $(name), order $(order) is on its way."),
    ("appointment", "Hi $(name), see you on $(date) at $(time). Reply C to cancel."),
    ("flash_sale", "Hi $(name), 20% off until midnight: https://shop.example/sale Reply STOP to opt out."),
)


@dataclass(frozen=True, slots=True)
class DemoConnection:
    """Where the demo service sends: the sandbox, or the address given with `--webex`."""

    url: str
    key: str
    is_sandbox: bool


def password_of(folder: Path) -> str:
    """The password of the demo people: made once for a state folder, so that a second run prints the same."""
    path = folder / "demo_password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(f"demo-{secrets.token_hex(5)}", encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


@transaction.atomic
def load(connection: DemoConnection, *, password: str) -> Service:
    """Create or repair the demo service; what a person changed in its catalogue stays."""
    service, created = Service.objects.get_or_create(
        slug=SLUG, defaults={"name": "Demo", "region": Region.objects.get(key="uk"), "default_country": "GB"}
    )
    service.base_url, service.auth_kind, service.api_key = connection.url, AuthKind.KEY, connection.key
    service.is_sandbox = connection.is_sandbox
    service.keep_secrets_for_address()
    service.paused_at, service.paused_because = None, ""
    service.save()
    if created:
        _catalogue(service)
    _people(service, password)
    return service


def _catalogue(service: Service) -> None:
    for address, kind, default in SENDERS:
        Sender.objects.create(service=service, address=address, kind=kind, is_default=default)
    for name, text in TEMPLATES:
        templates.create(service, name, templates.Wording(text), by=Actor.system())
    ContactPolicyGroup.objects.create(
        service=service,
        name="demo-marketing",
        group_id="demo-marketing",
        check_consent=True,
        apply_frequency_cap=True,
    )
    ShortLinkDomain.objects.create(service=service, region=service.region, host="go.demo.test")


def _people(service: Service, password: str) -> None:
    """One person per role. Hashing is slow on purpose, so an unchanged password is recognised by looking at one of them."""
    known = User.objects.filter(email=f"{PEOPLE[0]}@demo.test").first()
    unchanged = known is not None and known.check_password(password)
    for role in PEOPLE:
        user, created = User.objects.get_or_create(
            email=f"{role}@demo.test", defaults={"is_staff": role == Role.ADMIN}
        )
        if created or not unchanged:
            user.set_password(password)
            user.save()
        Membership.objects.get_or_create(user=user, service=service, role=role)
