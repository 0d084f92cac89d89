"""Second factors of people in tests, and rules that ask for them."""

import time
from datetime import timedelta

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client
from django.utils import timezone

from portal.models import FactorRule, Membership, User

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PASSWORD = "correct horse battery"


def with_app(user: User) -> list[str]:
    """An authenticator app, and the recovery codes that come with it."""
    TOTP.activate(user, SECRET)
    return RecoveryCodes.activate(user).generate_codes()


def a_code(secret: str = SECRET) -> str:
    """The code of now; near the end of its half minute that of the next, so that it is still good where it is typed."""
    left = 30 - time.time() % 30
    if left < 5:
        time.sleep(left)
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def asked(service=None, *, role: str = "", days_ago: int = 0, grace_days: int = 0) -> FactorRule:
    """A rule that stands since some days, and people who were there before."""
    then = timezone.now() - timedelta(days=days_ago)
    long_ago = then - timedelta(days=400)
    User.objects.update(date_joined=long_ago)
    Membership.objects.update(since=long_ago)
    return FactorRule.objects.create(service=service, role=role, grace_days=grace_days, since=then)


def reauthenticated(client: Client) -> Client:
    """The password was typed a moment ago."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def has_any(user: User) -> bool:
    return Authenticator.objects.filter(user=user).exists()
