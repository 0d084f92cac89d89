"""allauth's settings in code: people are invited, there is no sign-up, its links lead to PUBLIC_URL, and its secrets are encrypted."""

from typing import Any, ClassVar
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from portal import factors, mail_server, passkeys
from portal import sign_in_limits as limits
from portal.sso import refusals, signing_in
from sms.models.fields import keyring
from sms.words import ENGLISH, in_language


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

    def get_login_stages(self) -> list[str]:
        """allauth's, with our own step for second factors."""
        theirs = "allauth.mfa.stages.AuthenticateStage"
        return [signing_in.STAGE if one == theirs else one for one in super().get_login_stages()]

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> Any:
        if signing_in.password_is_off(request, user):
            return refusals.page(request, refusals.SsoRefused("password_off", user=user))
        return super().pre_login(request, user, **kwargs)

    def format_email_subject(self, subject: str) -> str:
        return f"Textdesk: {subject}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Nothing is printed instead: a log is no place for a link that lets people in."""
        if mail_server.is_set_up():
            desk = {"name": "Textdesk", "domain": settings.PUBLIC_URL}
            reader = context.get("user")
            with in_language(reader.language if reader else ENGLISH):
                super().send_mail(template_prefix, email, context | {"current_site": desk})


class SealedFactors(DefaultMFAAdapter):
    """Secrets of second factors, encrypted as those of services are; and which of them may go."""

    error_messages: ClassVar[dict[str, Any]] = DefaultMFAAdapter.error_messages | {
        "cannot_delete_authenticator": gettext_lazy(
            "You have to have a second factor here. Set up another one before you remove this one."
        ),
        "incorrect_code": gettext_lazy(
            "That code is wrong, or it was used already. Wait for the next one, or use a recovery code."
        ),
    }

    def encrypt(self, text: str) -> str:
        return keyring.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return keyring.open(encrypted_text)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Not the last one of a person who has to have one."""
        if authenticator.type not in factors.FIRST or factors.demand_of(authenticator.user) is None:
            return True
        others = Authenticator.objects.filter(user=authenticator.user, type__in=factors.FIRST)
        return bool(others.exclude(pk=authenticator.pk).exists())

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Whichever host the request names."""
        return {"id": passkeys.host(), "name": "Textdesk"}
