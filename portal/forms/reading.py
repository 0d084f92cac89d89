"""What a person chooses where a file holds something else than they see: hidden rows and columns, the sheet, the row with the headings."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django import forms
from django.core import signing
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sms.audiences.files import AudienceError, FileFindings, ReadingChoices
from sms.audiences.files.choices import LAST_ROW
from sms.models import Hidden, Service, Upload

_signer = signing.Signer(salt="portal.kept_file")


class ReadingForm(forms.Form):
    """Shown by `components/findings.html` once a file was looked at; the fields stand in the forms that take files."""

    hidden_rows = forms.ChoiceField(
        choices=Hidden.choices,
        required=False,
        label=gettext_lazy("The hidden rows"),
        widget=forms.RadioSelect,
    )
    hidden_columns = forms.ChoiceField(
        choices=[("", Hidden.LEAVE_OUT.label), Hidden.choices[1]],
        required=False,
        label=gettext_lazy("The hidden columns"),
        widget=forms.RadioSelect,
    )
    sheet = forms.CharField(
        required=False, max_length=200, label=gettext_lazy("Sheet to read"), widget=forms.Select
    )
    heading_row = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=LAST_ROW,
        label=gettext_lazy("Row with the headings"),
        help_text=gettext_lazy("Empty: we look for it. 0: there are no headings."),
    )

    def offer(self, found: FileFindings | None) -> None:
        """The sheets that can be chosen, and of a form that was sent the one that was typed."""
        names = [one.name for one in found.other_sheets] if found else []
        hidden = {one.name for one in found.other_sheets if one.hidden} if found else set()
        chosen = self["sheet"].value()
        names += [name for name in (found.sheet if found else "", chosen) if name and name not in names]
        self.fields["sheet"].widget.choices = [
            ("", _("The first visible one with rows")),
            *(
                (name, _("%(sheet)s (hidden)") % {"sheet": name} if name in hidden else name)
                for name in names
            ),
        ]

    @property
    def reads_otherwise(self) -> bool:
        """Whether a sheet or a row of headings was chosen."""
        named = [self[name] for name in ("sheet", "heading_row")]
        return any(one.errors or one.value() not in (None, "") for one in named)


def choices_typed(typed: Mapping[str, Any]) -> ReadingChoices:
    """As far as they can be understood."""
    form = ReadingForm(typed)
    form.is_valid()
    return ReadingChoices.of(form.cleaned_data)


class FileReadingForm(ReadingForm):
    """A form whose file is read at once. One about which something has to be chosen is kept meanwhile, and not asked for twice."""

    kept = forms.CharField(required=False, widget=forms.HiddenInput)
    found: FileFindings | None = None  # in a file that could not be read yet

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.service = service

    @cached_property
    def upload(self) -> Upload | None:
        """The one that was kept for this form before; nothing else can be named."""
        try:
            pk = _signer.unsign(self.data.get(self.add_prefix("kept"), ""))
        except signing.BadSignature:
            return None
        return Upload.objects.filter(pk=pk, service=self.service).first()

    @cached_property
    def given(self) -> "GivenFile | None":
        """The file that was chosen now, or the one that was kept."""
        if file := self.cleaned_data.get("file"):
            return GivenFile(str(file.name), file.read())
        return GivenFile(self.upload.name, bytes(self.upload.content)) if self.upload else None

    @property
    def choices(self) -> ReadingChoices:
        return ReadingChoices.of(self.cleaned_data)

    def keep_for_choice(self, problem: AudienceError) -> None:
        """Show what the file holds, and keep it until it is chosen how to read it."""
        self.found = problem.findings
        self.offer(self.found)
        if self.found is not None and self.given is not None and self.cleaned_data.get("file"):
            self.upload = Upload.keep(
                self.given.content, service=self.service, name=self.given.name, user=None
            )
            typed = self.data.copy()  # type: ignore[attr-defined]
            typed[self.add_prefix("kept")] = _signer.sign(str(self.upload.pk))
            self.data = typed

    def forget_kept(self) -> None:
        """It was read, or another one is meant."""
        if self.upload is not None:
            self.upload.delete()


@dataclass(frozen=True, slots=True)
class GivenFile:
    name: str
    content: bytes
