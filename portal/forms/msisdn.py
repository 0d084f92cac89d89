"""A recipient's number as people write it, in any way."""

from typing import Any

from django import forms

from sms.values.msisdn import BadNumber, parse


class MsisdnField(forms.CharField):
    """Cleaned it is E.164. Without a country code it is read as one of `country`, which the form sets."""

    country = ""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"inputmode": "tel", "autocomplete": "off", "spellcheck": "false"}
        super().__init__(max_length=60, label="Number", widget=forms.TextInput(attrs=attrs), **kwargs)

    def clean(self, value: Any) -> str:
        try:
            return parse(super().clean(value), country=self.country).e164
        except BadNumber as problem:
            raise forms.ValidationError(str(problem)) from None
