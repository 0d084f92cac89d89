"""The form for a new API key."""

from typing import Any

from django import forms

from portal.forms.local_time import LocalTimeField
from sms.models import ApiKey
from sms.models.api_key import SCOPES, valid_networks


class KeyForm(forms.Form):
    name = forms.CharField(
        max_length=60,
        help_text="Who uses it, for example the shop's order system. Two keys may share a name while they change over.",
    )
    scopes = forms.MultipleChoiceField(
        choices=SCOPES, label="What it may do", widget=forms.CheckboxSelectMultiple, initial=["send", "read"]
    )
    networks = forms.CharField(
        required=False,
        label="Only from these addresses",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="One address or network a line, like 192.0.2.7 or 192.0.2.0/24. Empty means from everywhere.",
    )
    per_minute = forms.IntegerField(
        min_value=1,
        max_value=1_000_000,
        initial=ApiKey._meta.get_field("per_minute").default,
        label="Requests a minute",
    )
    expires_at = LocalTimeField(required=False, label="Expires", help_text="Empty means never.")
    is_test = forms.BooleanField(
        required=False,
        label="Test key",
        help_text="Sends only while this service is connected to a sandbox, and is refused otherwise.",
    )

    def clean_networks(self) -> list[str]:
        networks: list[Any] = self.cleaned_data["networks"].replace(",", " ").split()
        valid_networks(networks)
        return networks
