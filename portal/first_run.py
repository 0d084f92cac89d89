"""The first admin of an empty desk, made with a one-time code that `manage.py prepare` or `manage.py up` printed.

Without the code the first stranger at a public address would own the desk. Called by these commands and by the first-run page.
"""

import hashlib
import hmac
import secrets

from django.db import transaction

from portal.demo.entries import ADDRESSES
from portal.models import FirstRunCode, User


class WrongCode(ValueError):
    """Not the code that was printed last."""


class DeskTaken(Exception):
    """There is an account already."""


def anybody() -> bool:
    """Whether there is an account of a real person: those of the demo own nothing."""
    return User.objects.exclude(email__in=ADDRESSES).exists()


def issue() -> str:
    """A fresh code, which replaces the one before; empty where there is anybody."""
    if anybody():
        FirstRunCode.objects.all().delete()
        return ""
    code = secrets.token_urlsafe(16)
    FirstRunCode.objects.update_or_create(pk=FirstRunCode.ONLY, defaults={"digest": _digest(code)})
    return code


@transaction.atomic
def make_admin(code: str, *, email: str, password: str) -> User:
    """The first admin; the code is used up. Raises WrongCode or DeskTaken.

    All claims wait for the one row: the second one finds the desk taken.
    """
    row = FirstRunCode.objects.select_for_update().first()
    if anybody():
        raise DeskTaken
    if row is None or not hmac.compare_digest(row.digest, _digest(code.strip())):
        raise WrongCode
    user = User.objects.create_superuser(email, password)
    row.delete()
    return user


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
