"""The form that sets an authenticator app up. Its secret waits in the session for the first code, sealed like a stored one."""

from typing import Any

from allauth.core import context
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, generate_totp_secret
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from sms.models.fields import keyring

WRONG = gettext_lazy(
    "That is not the code of this app. Type the next one that it shows; if that is wrong too, set the clock of your phone to automatic."
)


class NewAuthenticatorApp(ActivateTOTPForm):
    code = forms.CharField(
        label=gettext_lazy("Code that the app shows"),
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.user = kwargs.pop("user")
        super(ActivateTOTPForm, self).__init__(*args, **kwargs)
        session: Any = context.request.session
        if not self.is_bound or SECRET_SESSION_KEY not in session:
            session[SECRET_SESSION_KEY] = keyring.seal(generate_totp_secret())
        self.secret = keyring.open(session[SECRET_SESSION_KEY])

    def clean_code(self) -> str:
        try:
            code: str = super().clean_code()
        except ValidationError:  # the library's words are about signing in, with recovery codes
            raise ValidationError(WRONG, code="incorrect_code") from None
        return code
