"""Forms of a service's settings, page by page, and the first-run form that makes the first admin.

Each writes its own columns only, so that two admins on two pages, or a service that pauses itself, do not undo each other.
"""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from portal.forms.people import NewPasswordForm
from sms.catalogue import senders
from sms.catalogue.caps import changes
from sms.models import ApprovalRules, Sender, Service
from sms.models.spend_cap import read_countries
from sms.webex.addresses import bare_sender
from sms.words import retold


class OwnColumns(forms.ModelForm):
    """Saves the columns that it shows and no other."""

    def save(self, commit: bool = True) -> Any:
        if commit and self.instance.pk and not self.instance._state.adding:
            self.instance.save(update_fields=list(self.fields))
            return self.instance
        return super().save(commit)


class LimitsForm(OwnColumns):
    """Pace, texts, numbers, hours, and when a send holds itself."""

    class Meta:
        model = Service
        fields = (
            *("rate", "batch_size", "burst", "text_limit", "e164_plus", "default_country", "time_zone"),
            *("quiet_hours", "hold_failures", "hold_silence", "hold_opt_outs"),
            "unconfirmed_hours",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("batch_size", "unconfirmed_hours"):
            self.fields[name].required = False

    def clean_batch_size(self) -> int:
        """Empty means one message in each request."""
        typed = self.cleaned_data.get("batch_size")
        return 1 if typed is None else int(typed)

    def clean_unconfirmed_hours(self) -> int:
        """Empty means the usual time."""
        typed = self.cleaned_data.get("unconfirmed_hours")
        return int(Service._meta.get_field("unconfirmed_hours").get_default() if typed is None else typed)


class CapsForm(forms.ModelForm):
    """Checks what was typed; `sms.catalogue.caps.changes` stores it."""

    class Meta:
        model = Service
        fields = changes.COLUMNS

    def clean_cap_currency(self) -> str:
        return str(self.cleaned_data["cap_currency"]).strip().upper()

    def clean_countries(self) -> str:
        """As one writes them: capitals, a comma between."""
        try:
            read = read_countries(self.cleaned_data["countries"])
        except ValueError as problem:
            raise forms.ValidationError(retold(str(problem))) from None
        return ", ".join(one if cap is None else f"{one} {cap}" for one, cap in read.items())


class RetentionForm(OwnColumns):
    class Meta:
        model = Service
        fields = ("keep_bodies", "keep_numbers", "keep_receipts", "keep_messages")


class ApprovalForm(OwnColumns):
    class Meta:
        model = ApprovalRules
        fields = (
            *("size_approvers", "size", "new_sender", "new_domain", "new_country"),
            *("outside_hours", "hours", "valid_hours"),
        )


class TestMessageForm(forms.Form):
    """One message to a number of one's own, to see that the connection works."""

    sender = forms.CharField(
        max_length=16,
        label=gettext_lazy("Sender"),
        help_text=gettext_lazy("A sender that is provisioned for your tenant."),
    )
    number = forms.CharField(max_length=40, label=gettext_lazy("Your number"))

    def clean_sender(self) -> str:
        address = bare_sender(self.cleaned_data["sender"])
        try:
            Sender(address=address, kind=senders.kind_of(address)).clean()
        except forms.ValidationError as problem:
            raise forms.ValidationError(problem.messages) from None
        return address


class FirstRunForm(NewPasswordForm):
    email = forms.EmailField(label=gettext_lazy("E-mail address"))
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Printed by the start: by manage.py up, or manage.py prepare."),
    )
    field_order = ("code", "email", "password", "again")
