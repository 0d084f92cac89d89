"""Whom to tell."""

from django.contrib.auth import get_user_model

from sms.models import Service


def holding(service: Service, *roles: str) -> set[int]:
    """People with one of these roles in a service."""
    found = service.memberships.filter(role__in=roles, user__is_active=True)
    return set(found.values_list("user", flat=True))


def superusers() -> set[int]:
    found = get_user_model()._default_manager.filter(is_superuser=True, is_active=True)
    return set(found.values_list("pk", flat=True))
