"""A permanent cast for page tests: a service with one person per role, a visitor, and a person of another service."""

from dataclasses import dataclass, field

from django.test import Client

from portal.models import Membership, Role, User
from sms.models import Service
from tests.support.sends import a_service


@dataclass
class Cast:
    """Clients signed in as each person, when they are first asked for; `visitor` is nobody."""

    service: Service
    other: Service
    users: dict[str, User]
    clients: dict[str, Client] = field(default_factory=dict)

    def __getitem__(self, who: str) -> Client:
        if who not in self.clients:
            self.clients[who] = Client()
            if who != "visitor":
                self.clients[who].force_login(self.users[who])
        return self.clients[who]


def a_cast(*, waiting: bool = False) -> Cast:
    """Everybody signed in; with `waiting` they sign in when they are asked for, where most of them never are."""
    service, other = a_service(), a_service(slug="foreign", name="Foreign")
    users = {
        role: a_person(f"{role}@example.test", service, role, is_staff=role == Role.ADMIN)
        for role in Role.values
    }
    users["foreigner"] = a_person("foreigner@example.test", other, Role.ADMIN, is_staff=True)
    cast = Cast(service, other, users)
    if not waiting:
        for who in ("visitor", *users):
            cast[who]
    return cast


def a_person(email: str, service: Service, role: str, **fields) -> User:
    user = User.objects.create_user(email, "correct horse battery", **fields)
    Membership.objects.create(user=user, service=service, role=role)
    return user


def signed_in(email: str, service: Service, role: str, **fields) -> Client:
    client = Client()
    client.force_login(a_person(email, service, role, **fields))
    return client
