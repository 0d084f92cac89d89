"""Forms of saved audiences: an upload with its name, a replacement, another name."""

import io

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.forms.msisdn import countries
from portal.forms.problems import add_problems
from portal.forms.reading import FileReadingForm
from portal.forms.uploads import UploadField
from portal.limits import upload_limits
from sms.audiences import errors, packing
from sms.audiences.files import AudienceError
from sms.values.problems import Problem, ProblemCode


class RowsForm(FileReadingForm):
    """Recipients from a file or a box. `pack` reads them."""

    file = UploadField(
        required=False,
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or a workbook (XLSX, XLS, ODS), best with a row of headings."),
        advice=gettext_lazy("Split it, or leave out columns that no text uses."),
    )
    pasted = forms.CharField(
        required=False,
        label=gettext_lazy("Numbers"),
        help_text=gettext_lazy("One per line, or a table copied from a spreadsheet."),
        widget=forms.Textarea(attrs={"rows": 5, "inputmode": "tel"}),
    )
    country = forms.ChoiceField(
        choices=countries,
        label=gettext_lazy("Default country"),
        help_text=gettext_lazy("Of numbers without a country code."),
    )
    column = forms.CharField(
        required=False,
        max_length=200,
        label=gettext_lazy("Column of the numbers"),
        help_text=gettext_lazy("Empty: found by its heading."),
    )

    def clean(self) -> None:
        file, pasted = self.cleaned_data.get("file"), (self.cleaned_data.get("pasted") or "").strip()
        if file and pasted:
            says = _("There are pasted numbers and a file. Clear the one that you do not want.")
            add_problems(self, [Problem(ProblemCode.ONLY_ONE, "pasted", says)])
        elif not file and not pasted and not self.upload and "file" not in self.errors:
            add_problems(self, [Problem(ProblemCode.REQUIRED, "file", _("Choose a file, or paste numbers."))])

    def pack(self) -> packing.Packed | None:
        """The rows, read to their end; None, with the reason at its field, where that cannot be."""
        typed, limits = self.cleaned_data, upload_limits()
        pasted = typed["pasted"].strip()
        where = "pasted" if pasted else "file"
        try:
            if pasted:
                return packing.pack_pasted(pasted, country=typed["country"], limits=limits)
            assert self.given is not None, "`clean` asks for one"
            return packing.pack_file(
                io.BytesIO(self.given.content),
                name=self.given.name,
                country=typed["country"],
                column=typed["column"] or None,
                choices=self.choices,
                limits=limits,
            )
        except AudienceError as problem:
            self.keep_for_choice(problem)
            add_problems(self, [problem.problem_of(where)])
        except errors.SavedError as problem:
            add_problems(self, [problem.problem.at(where)])
        return None


class NameForm(forms.Form):
    name = forms.CharField(max_length=100, label=gettext_lazy("Name"))
    note = forms.CharField(
        max_length=200,
        required=False,
        label=gettext_lazy("Note"),
        help_text=gettext_lazy("For your team: where the list comes from."),
    )


class NewAudienceForm(NameForm, RowsForm):
    field_order = ("name", "note", "file", "pasted", "country", "column")
