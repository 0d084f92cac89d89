"""Forms of the callbacks pages: an endpoint, the filter of its log, and a range to replay."""

from typing import Any

from django import forms

from portal.forms.time_zones import LocalTimeField
from sms.callbacks import AddressPolicy, BadAddress
from sms.callbacks.address import read
from sms.models import Callback
from sms.models.event_types import EVENTS
from sms.webex.limits import LONGEST_URL


class ChangeForm(forms.Form):
    """Its address cannot be changed: another address is another endpoint."""

    name = forms.CharField(max_length=80, help_text="For example the system that listens.")
    events = forms.MultipleChoiceField(
        choices=EVENTS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked means all.",
    )
    full_numbers = forms.BooleanField(
        required=False,
        label="With whole numbers",
        help_text="Otherwise numbers are masked, and the message's id says which one it is.",
    )


class EndpointForm(ChangeForm):
    url = forms.CharField(
        max_length=LONGEST_URL,
        label="Address",
        help_text="Begins with https://. It must answer the challenge that is sent to it.",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("name", "url", "events", "full_numbers")

    def __init__(self, *args: Any, policy: AddressPolicy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.policy = policy

    def clean_url(self) -> str:
        """As written; nothing of it is changed, so what is shown is what is called."""
        url: str = self.cleaned_data["url"]
        try:
            read(url, self.policy)
        except BadAddress as problem:
            raise forms.ValidationError(str(problem)) from None
        return url


class FilterForm(forms.Form):
    state = forms.ChoiceField(required=False, choices=[("", "All"), *Callback.State.choices])
    kind = forms.ChoiceField(required=False, label="Event", choices=[("", "All"), *EVENTS])
    message = forms.IntegerField(
        required=False, min_value=1, max_value=2**62, widget=forms.TextInput(attrs={"inputmode": "numeric"})
    )


class RangeForm(forms.Form):
    since = LocalTimeField(label="From")
    until = LocalTimeField(label="To")
    failed_only = forms.BooleanField(required=False, label="Only what was not delivered")

    def clean(self) -> None:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since >= until:
            self.add_error("until", "The end must be later than the beginning.")
