"""allauth's forms about passwords, with labels in the words of the product and without a second label within each field."""

from typing import Any, ClassVar

from allauth.account import forms


class _InOurWords:
    words: ClassVar[dict[str, str]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():  # type: ignore[attr-defined]
            field.label = self.words.get(name, field.label)
            field.widget.attrs.pop("placeholder", None)


class LoginForm(_InOurWords, forms.LoginForm):
    words: ClassVar = {
        "login": "E-mail address",
        "password": "Password",
        "remember": "Stay signed in on this device",
    }


class ChangePasswordForm(_InOurWords, forms.ChangePasswordForm):
    words: ClassVar = {
        "oldpassword": "Your password now",
        "password1": "New password",
        "password2": "New password, once more",
    }


class ResetPasswordForm(_InOurWords, forms.ResetPasswordForm):
    words: ClassVar = {"email": "E-mail address"}


class ResetPasswordFromKeyForm(_InOurWords, forms.ResetPasswordKeyForm):
    words: ClassVar = {"password1": "New password", "password2": "New password, once more"}


class ReauthenticateForm(_InOurWords, forms.ReauthenticateForm):
    words: ClassVar = {"password": "Your password"}
