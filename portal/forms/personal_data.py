"""Forms of the page *Personal data*: a number as people write it, and why."""

from typing import Any

from django import forms

from sms.values.msisdn import BadNumber, parse


class DiscloseForm(forms.Form):
    """Whose data, and why they are given out."""

    number = forms.CharField(
        max_length=60, label="Number", widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    reason = forms.CharField(
        max_length=300,
        label="Reason",
        help_text="For the audit, for example the number of the request. No name, no phone number.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, country: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._country = country

    def clean_number(self) -> str:
        """E.164; numbers without a country code are read as the service's."""
        try:
            return parse(str(self.cleaned_data["number"]), country=self._country).e164
        except BadNumber as problem:
            raise forms.ValidationError(str(problem)) from None


class EraseForm(DiscloseForm):
    """Whose data are erased, and that this is meant."""

    sure = forms.BooleanField(
        label="Erase it for good",
        error_messages={"required": "Tick this: what is erased cannot be brought back."},
    )
