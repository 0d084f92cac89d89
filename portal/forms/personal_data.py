"""Forms of the page *Personal data*: a number as people write it, and why."""

from typing import Any

from django import forms

from portal.forms.msisdn import MsisdnField


class DiscloseForm(forms.Form):
    number = MsisdnField()
    reason = forms.CharField(
        max_length=300,
        label="Reason",
        help_text="For the audit, for example the number of the request. No name, no phone number.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, country: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].country = country  # type: ignore[attr-defined]


class EraseForm(DiscloseForm):
    sure = forms.BooleanField(
        label="Erase it for good",
        error_messages={"required": "Tick this: what is erased cannot be brought back."},
    )
