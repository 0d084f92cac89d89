"""A permanent cast for page tests: a service with one person per role, a visitor, and somebody of another service."""

from dataclasses import dataclass

from django.test import Client

from portal.models import Membership, Role, User
from sms.models import Service
from tests.domain.desk import a_service


@dataclass
class Cast:
    """Clients signed in as each person; `visitor` is nobody."""

    service: Service
    other: Service
    clients: dict[str, Client]

    def __getitem__(self, who: str) -> Client:
        return self.clients[who]


def a_cast() -> Cast:
    service, other = a_service(), a_service(slug="foreign", name="Foreign")
    clients = {"visitor": Client()}
    for role in Role.values:
        clients[role] = signed_in(f"{role}@example.test", service, role, is_staff=role == Role.ADMIN)
    clients["foreigner"] = signed_in("foreigner@example.test", other, Role.ADMIN, is_staff=True)
    return Cast(service, other, clients)


def signed_in(email: str, service: Service, role: str, **fields) -> Client:
    user = User.objects.create_user(email, "correct horse battery", **fields)
    Membership.objects.create(user=user, service=service, role=role)
    client = Client()
    client.force_login(user)
    return client
