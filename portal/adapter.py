"""allauth's settings in code: people are invited, there is no sign-up, its links lead to PUBLIC_URL, and its secrets are encrypted."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from portal import mail_server
from portal import sign_in_limits as limits
from sms.models.fields import keyring


class ClosedSignup(DefaultAccountAdapter):
    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Within our limits; those of the library would lock the right person out with whoever guesses."""
        try:
            count = limits.count_password(
                request, str(credentials.get("email") or credentials.get("username") or "")
            )
            user = super().authenticate(request, **credentials)
            if user is not None:
                count.give_back()
        except limits.TooManyTries as problem:
            raise ValidationError(str(problem), code="too_many_login_attempts") from None
        except limits.AWAY:
            raise ValidationError(limits.CANNOT_COUNT, code="unavailable") from None
        return user

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Never to the host that the request named: whoever asks for the mail would choose where its reader goes."""
        return f"{settings.PUBLIC_URL}{urlsplit(super().get_reset_password_from_key_url(key)).path}"

    def format_email_subject(self, subject: str) -> str:
        return f"Textdesk: {subject}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Nothing is printed instead: a log is no place for a link that lets people in."""
        if mail_server.is_set_up():
            desk = {"name": "Textdesk", "domain": settings.PUBLIC_URL}
            super().send_mail(template_prefix, email, context | {"current_site": desk})


class SealedFactors(DefaultMFAAdapter):
    """Secrets of second factors, encrypted as those of services are."""

    def encrypt(self, text: str) -> str:
        return keyring.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return keyring.open(encrypted_text)
