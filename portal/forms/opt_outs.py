"""Forms of the opt-outs page: one number, a file of numbers, a search, and the reason for lifting."""

from typing import Any

from django import forms

from portal.forms.control import ReasonForm
from portal.forms.msisdn import MsisdnField
from portal.forms.uploads import UploadField
from sms.models import Service


class NumberForm(forms.Form):
    number = MsisdnField()

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].country = service.default_country  # type: ignore[attr-defined]


class AddForm(NumberForm):
    evidence = forms.CharField(
        max_length=200,
        label="How you know",
        help_text="For example: called on 3 March and asked us to stop.",
    )


class FileForm(forms.Form):
    file = UploadField(
        label="File",
        help_text="CSV or XLSX with a column of numbers, as for an audience.",
        advice="Split it.",
    )
    evidence = forms.CharField(max_length=200, label="Where the list comes from")


class LiftForm(ReasonForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[
            "reason"
        ].help_text = "For example: asked for messages again by phone. It stays in the record."
