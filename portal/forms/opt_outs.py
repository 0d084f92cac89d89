"""Forms of the opt-outs page: one number, a file of numbers, a search, and the reason for lifting."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from portal.forms.control import ReasonForm
from sms.models import Service
from sms.values.msisdn import BadNumber, parse


class NumberForm(forms.Form):
    """A number, written in any way; cleaned it is E.164."""

    number = forms.CharField(
        max_length=60,
        label="Number",
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country = service.default_country

    def clean_number(self) -> str:
        """As E.164."""
        try:
            return parse(self.cleaned_data["number"], country=self.country).e164
        except BadNumber as problem:
            raise forms.ValidationError(str(problem)) from None


class AddForm(NumberForm):
    """One person who refused."""

    evidence = forms.CharField(
        max_length=200,
        label="How you know",
        help_text="For example: called on 3 March and asked us to stop.",
    )


class FileForm(forms.Form):
    """Many people who refused."""

    file = forms.FileField(
        label="File", help_text="CSV or XLSX with a column of numbers, as for an audience."
    )
    evidence = forms.CharField(max_length=200, label="Where the list comes from")

    def clean_file(self) -> UploadedFile:
        """Too large a file is refused before anything reads it."""
        file: UploadedFile = self.cleaned_data["file"]
        limit = settings.UPLOAD_MAX_BYTES
        if (file.size or 0) > limit:
            raise forms.ValidationError(
                f"{file.name} has {(file.size or 0) / 1_000_000:.1f} MB; {limit / 1_000_000:.0f} MB are allowed. Split it."
            )
        return file


class LiftForm(ReasonForm):
    """Why this person may be written to again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[
            "reason"
        ].help_text = "For example: asked for messages again by phone. It stays in the record."
