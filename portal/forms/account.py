"""allauth's forms about passwords, with labels in the words of the product and without a second label within each field."""

from typing import TYPE_CHECKING, Any, ClassVar

from allauth.account import forms
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class _InOurWords:
    words: ClassVar[dict[str, "StrOrPromise"]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():  # type: ignore[attr-defined]
            field.label = self.words.get(name, field.label)
            field.widget.attrs.pop("placeholder", None)


class LoginForm(_InOurWords, forms.LoginForm):
    words: ClassVar = {
        "login": gettext_lazy("E-mail address"),
        "password": gettext_lazy("Password"),
        "remember": gettext_lazy("Stay signed in on this device"),
    }


class ChangePasswordForm(_InOurWords, forms.ChangePasswordForm):
    words: ClassVar = {
        "oldpassword": gettext_lazy("Your password now"),
        "password1": gettext_lazy("New password"),
        "password2": gettext_lazy("New password, once more"),
    }


class ResetPasswordForm(_InOurWords, forms.ResetPasswordForm):
    words: ClassVar = {"email": gettext_lazy("E-mail address")}


class ResetPasswordFromKeyForm(_InOurWords, forms.ResetPasswordKeyForm):
    words: ClassVar = {
        "password1": gettext_lazy("New password"),
        "password2": gettext_lazy("New password, once more"),
    }


class ReauthenticateForm(_InOurWords, forms.ReauthenticateForm):
    words: ClassVar = {"password": gettext_lazy("Your password")}
