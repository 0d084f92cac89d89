"""Forms of people: their roles, an invitation, a new password, and what they say about themselves."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.forms.msisdn import countries
from portal.forms.time_zones import is_zone
from portal.languages import LANGUAGES
from portal.models import Role, User
from sms.values.msisdn import BadNumber, certain
from sms.words import retold

WHAT_THEY_MAY = {
    Role.COMPOSER: gettext_lazy("Composer: writes and sends, opts people out"),
    Role.APPROVER: gettext_lazy("Approver: approves or rejects what others wrote, stops sends"),
    Role.ADMIN: gettext_lazy("Admin: everything, and these settings"),
    Role.AUDITOR: gettext_lazy("Auditor: sees everything, changes nothing"),
}


class RolesForm(forms.Form):
    roles = forms.MultipleChoiceField(
        choices=[(role.value, words) for role, words in WHAT_THEY_MAY.items()],
        label=gettext_lazy("Roles"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one role.")},
    )


class InviteForm(RolesForm):
    email = forms.EmailField(label=gettext_lazy("E-mail address"), max_length=254)
    field_order = ("email", "roles")


class NewPasswordForm(forms.Form):
    """One of Django's validators looks at the address: set `email` where it is known before."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("At least 12 characters."),
    )
    again = forms.CharField(
        label=gettext_lazy("Password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    email_known: str = ""

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        validate_password(password, User(email=self.email_known) if self.email_known else None)
        return password

    def clean(self) -> None:
        password, again = self.cleaned_data.get("password"), self.cleaned_data.get("again")
        if password and again and password != again:
            self.add_error("again", _("The two passwords differ."))


class JoinForm(NewPasswordForm):
    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email_known = email
        self.fields["password"].label = _("Choose a password")


class DetailsForm(forms.ModelForm):
    # a number may be typed with spaces and brackets, so it is measured once it is read
    own_number = forms.CharField(
        required=False,
        max_length=40,
        label=gettext_lazy("Your number"),
        help_text=gettext_lazy(
            "Tests of your drafts can go there, once you typed the code that is sent to it. Empty: none."
        ),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
    )
    country = forms.ChoiceField(
        choices=countries,
        required=False,
        label=gettext_lazy("Country of the number"),
        help_text=gettext_lazy("Where it has no country code."),
    )

    language = forms.ChoiceField(
        choices=[("", gettext_lazy("As your browser asks")), *LANGUAGES],
        required=False,
        label=gettext_lazy("Language"),
        help_text=gettext_lazy(
            "Of pages and of mails to you. Deutsch and العربية are begun: what they lack is in English."
        ),
    )

    class Meta:
        model = User
        fields = ("first_name", "last_name", "time_zone", "language")
        labels = {  # noqa: RUF012 - Django's own spelling
            "time_zone": gettext_lazy("Your time zone"),
            "first_name": gettext_lazy("First name"),
            "last_name": gettext_lazy("Last name"),
        }
        help_texts = {  # noqa: RUF012
            "first_name": gettext_lazy(
                "Colleagues see your name. Approvals and the audit name your e-mail address too."
            ),
            "time_zone": gettext_lazy(
                "In which times are shown to you, like Europe/London. Empty: that of each service."
            ),
        }

    field_order = ("first_name", "last_name", "own_number", "country", "time_zone", "language")

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"]
        if zone and not is_zone(zone):
            words = _("“%(zone)s” is no time zone. Write one like Europe/London, or leave it empty.")
            raise forms.ValidationError(words % {"zone": zone})
        return zone

    def clean(self) -> None:
        """The number in E.164, read as one of the country that was chosen beside it."""
        super().clean()
        typed = self.cleaned_data
        if written := typed.get("own_number"):
            try:
                typed["own_number"] = certain(written, country=typed.get("country") or "")
            except BadNumber as problem:
                self.add_error("own_number", retold(str(problem)))


class NumberCodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=12,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
        help_text=gettext_lazy("Six digits."),
    )
