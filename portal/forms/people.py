"""Forms of the people page and of an invitation's own page."""

from typing import Any

from django import forms

from portal.forms.passwords import NewPasswordForm
from portal.models import Role

WHAT_THEY_MAY = {
    Role.COMPOSER: "Composer: writes and sends, opts people out",
    Role.APPROVER: "Approver: approves or rejects what others wrote, stops sends",
    Role.ADMIN: "Admin: everything, and these settings",
    Role.AUDITOR: "Auditor: sees everything, changes nothing",
}


class RolesForm(forms.Form):
    roles = forms.MultipleChoiceField(
        choices=[(role.value, words) for role, words in WHAT_THEY_MAY.items()],
        widget=forms.CheckboxSelectMultiple,
        label="Roles",
        error_messages={"required": "Choose at least one role."},
    )


class InviteForm(RolesForm):
    email = forms.EmailField(label="E-mail address", max_length=254)
    field_order = ("email", "roles")


class JoinForm(NewPasswordForm):
    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email_known = email
        self.fields["password"].label = "Choose a password"
