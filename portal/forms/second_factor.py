"""Codes of second factors: tries are counted, and a code works once, the one that set the app up included. `MFA_FORMS` names these."""

from typing import Any

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from portal import sign_in_limits as limits
from portal.forms.authenticator_app import NewAuthenticatorApp

USED = gettext_lazy("This code was used already. Wait for the next one in your app.")


class _CodeWithinLimits:
    """The code as the library checks it, within our limits."""

    user: Any

    def clean_code(self) -> str:
        try:
            count = limits.count_code(context.request, self.user)
            code: str = super().clean_code()  # type: ignore[misc]
            if not limits.use_code(self.user, code):
                raise ValidationError(USED, code="used_code")
            count.give_back()
        except limits.TooManyTries as problem:
            raise ValidationError(str(problem), code="too_many_login_attempts") from None
        except limits.AWAY:
            raise ValidationError(limits.CANNOT_COUNT, code="unavailable") from None
        return code


class CountedSignInCode(_CodeWithinLimits, AuthenticateForm):
    pass


class CountedConfirmingCode(_CodeWithinLimits, ReauthenticateForm):
    pass


class CountedFirstCode(_CodeWithinLimits, NewAuthenticatorApp):
    pass
