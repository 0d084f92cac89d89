"""Forms of the people page and of an invitation's own page."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password

from portal.models import Role, User

WHAT_THEY_MAY = {
    Role.COMPOSER: "Composer: writes and sends, opts people out",
    Role.APPROVER: "Approver: approves or rejects what others wrote, stops sends",
    Role.ADMIN: "Admin: everything, and these settings",
    Role.AUDITOR: "Auditor: sees everything, changes nothing",
}


class RolesForm(forms.Form):
    """What a person is here for. Several roles are allowed."""

    roles = forms.MultipleChoiceField(
        choices=[(role.value, words) for role, words in WHAT_THEY_MAY.items()],
        widget=forms.CheckboxSelectMultiple,
        label="Roles",
        error_messages={"required": "Choose at least one role."},
    )


class InviteForm(RolesForm):
    """Somebody who shall belong to the service."""

    email = forms.EmailField(label="E-mail address", max_length=254)
    field_order = ("email", "roles")


class JoinForm(forms.Form):
    """The password of somebody who has no account yet."""

    password = forms.CharField(
        label="Choose a password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters.",
    )
    again = forms.CharField(
        label="Password again", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self) -> str:
        """Django's validators; one of them looks at the address."""
        password = str(self.cleaned_data["password"])
        validate_password(password, User(email=self.email))
        return password

    def clean(self) -> dict[str, Any]:
        """Twice the same."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("password") and cleaned.get("again") and cleaned["password"] != cleaned["again"]:
            self.add_error("again", "The two passwords differ.")
        return cleaned
