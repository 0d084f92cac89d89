"""Forms about a person's number, written in any way: a search, opting out and in again, erasure and disclosure; and the countries that
a form offers for numbers without a country code.
"""

from typing import Any

import phonenumbers
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.forms.control import ReasonForm
from portal.forms.reading import FileReadingForm
from portal.forms.uploads import UploadField
from sms.models import Service
from sms.values.country_names import country_here
from sms.values.msisdn import BadNumber, certain
from sms.words import retold


def countries() -> list[tuple[str, str]]:
    """ISO codes, and by name with their calling codes, as a select offers them."""
    calling = phonenumbers.country_code_for_region
    named = [(code, f"{country_here(code)} (+{calling(code)})") for code in phonenumbers.SUPPORTED_REGIONS]
    return sorted(named, key=lambda one: one[1])


class MsisdnField(forms.CharField):
    """Cleaned it is E.164. Without a country code it is read as one of `country`, which the form sets."""

    country = ""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"inputmode": "tel", "autocomplete": "off", "spellcheck": "false"}
        super().__init__(
            max_length=60, label=gettext_lazy("Number"), widget=forms.TextInput(attrs=attrs), **kwargs
        )

    def clean(self, value: Any) -> str:
        try:
            return certain(super().clean(value), country=self.country)
        except BadNumber as problem:
            raise forms.ValidationError(retold(str(problem)), code=problem.code) from None


class NumberForm(forms.Form):
    number = MsisdnField()

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].country = service.default_country  # type: ignore[attr-defined]


class AddForm(NumberForm):
    evidence = forms.CharField(
        max_length=200,
        label=gettext_lazy("How you know"),
        help_text=gettext_lazy("For example: called on 3 March and asked us to stop."),
    )


class FileForm(FileReadingForm):
    file = UploadField(
        required=False,
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "CSV or a workbook (XLSX, XLS, ODS) with a column of numbers, as for an audience."
        ),
        advice=gettext_lazy("Split it."),
    )
    evidence = forms.CharField(max_length=200, label=gettext_lazy("Where the list comes from"))

    def clean(self) -> None:
        if not self.cleaned_data.get("file") and not self.upload and "file" not in self.errors:
            self.add_error("file", forms.ValidationError(_("Choose a file."), code="required"))


class LiftForm(ReasonForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = _("For example: asked for messages again by phone. It stays in the record.")
        self.fields["reason"].help_text = words


class DiscloseForm(NumberForm):
    reason = forms.CharField(
        max_length=300,
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy(
            "For the audit, for example the number of the request. No name, no phone number."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class EraseForm(DiscloseForm):
    sure = forms.BooleanField(
        label=gettext_lazy("Erase it for good"),
        error_messages={"required": gettext_lazy("Tick this: what is erased cannot be brought back.")},
    )
