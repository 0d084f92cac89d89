"""People and rules for the tests of approval: a service whose every send needs a yes, its approvers, and a request to answer."""

from portal.models import Membership, Role, User
from sms.models import Actor, ApprovalRequest, ApprovalRules, Send, Service
from tests.support.sends import a_service


def a_careful_service(approvers: int = 1, **changes) -> Service:
    """Where a send to one recipient is large."""
    service = a_service(**changes)
    ApprovalRules.objects.create(service=service, size=1, size_approvers=approvers)
    return service


def a_person(name: str, service: Service, *roles: str, **fields) -> User:
    """With these roles, or an approver."""
    user = User.objects.create_user(f"{name}@example.test", **fields)
    for role in roles or (Role.APPROVER,):
        Membership.objects.create(user=user, service=service, role=role)
    return user


def acting(user: User) -> Actor:
    return Actor(kind="user", key=str(user.pk), label=user.email, door="page", user=user)


def request_of(send: Send) -> ApprovalRequest:
    return ApprovalRequest.objects.filter(send=send).latest("pk")
