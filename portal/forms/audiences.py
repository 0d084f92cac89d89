"""Forms of saved audiences: an upload with its name, a replacement, another name."""

from typing import Any

from django import forms

from portal.forms.countries import countries
from portal.forms.uploads import UploadField
from portal.limits import upload_limits
from sms.audiences import errors, packing
from sms.audiences.files import AudienceError
from sms.models import Service


class RowsForm(forms.Form):
    """Recipients from a file or a box. `pack` reads them."""

    file = UploadField(
        required=False,
        label="File",
        help_text="CSV or XLSX with a heading row.",
        advice="Split it, or leave out columns that no text uses.",
    )
    pasted = forms.CharField(
        required=False,
        label="Numbers",
        help_text="One per line, or a table copied from a spreadsheet.",
        widget=forms.Textarea(attrs={"rows": 5, "inputmode": "tel"}),
    )
    country = forms.ChoiceField(label="Default country", help_text="Of numbers without a country code.")
    column = forms.CharField(
        required=False,
        max_length=200,
        label="Column of the numbers",
        help_text="Empty: found by its heading.",
    )

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = countries()  # type: ignore[attr-defined]
        self.fields["country"].initial = service.default_country

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        pasted = (cleaned.get("pasted") or "").strip()
        if cleaned.get("file") and pasted:
            self.add_error(
                "pasted", "There are pasted numbers and a file. Clear the one that you do not want."
            )
        elif not cleaned.get("file") and not pasted and "file" not in self.errors:
            self.add_error("file", "Choose a file, or paste numbers.")
        return cleaned

    def pack(self) -> packing.Packed | None:
        """The rows, read to their end; None, with the reason at its field, where that cannot be."""
        file, typed = self.cleaned_data.get("file"), self.cleaned_data
        try:
            if file is None:
                return packing.pack_pasted(typed["pasted"], country=typed["country"], limits=upload_limits())
            return packing.pack_file(
                file,
                name=str(file.name),
                country=typed["country"],
                column=typed["column"] or None,
                limits=upload_limits(),
            )
        except AudienceError as problem:
            is_column = problem.code in {"unknown_column", "no_column"}
            self.add_error("column" if is_column else "file" if file else "pasted", str(problem))
        except errors.SavedError as problem:
            self.add_error("file" if file else "pasted", str(problem))
        return None


class NameForm(forms.Form):
    name = forms.CharField(max_length=100, label="Name")
    note = forms.CharField(
        max_length=200, required=False, label="Note", help_text="For your team: where the list comes from."
    )


class NewAudienceForm(NameForm, RowsForm):
    field_order = ("name", "note", "file", "pasted", "country", "column")
