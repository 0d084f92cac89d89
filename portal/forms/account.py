"""What a person says about themselves."""

import zoneinfo

from django import forms

from portal.forms.countries import countries
from portal.models import User
from sms.values.msisdn import BadNumber, parse


class DetailsForm(forms.ModelForm):
    country = forms.ChoiceField(label="Country of the number", help_text="Where it has no country code.")

    class Meta:
        model = User
        fields = ("own_number", "time_zone")
        labels = {"own_number": "Your number", "time_zone": "Your time zone"}  # noqa: RUF012
        help_texts = {  # noqa: RUF012
            "own_number": "Tests of your drafts can go there. Empty: none.",
            "time_zone": "In which times are shown to you, like Europe/London. Empty: that of each service.",
        }
        widgets = {  # noqa: RUF012
            "own_number": forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel", "maxlength": 40}),
        }

    field_order = ("own_number", "country", "time_zone")

    def __init__(self, *args: object, country: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["country"].choices = countries()  # type: ignore[attr-defined]
        self.fields["country"].initial = country
        self.fields["country"].required = False
        # a number may be typed with spaces and brackets, so it is measured once it is read
        self.fields["own_number"] = forms.CharField(
            required=False,
            max_length=40,
            label=self.fields["own_number"].label,
            help_text=self.fields["own_number"].help_text,
            widget=self.fields["own_number"].widget,
        )

    def clean_time_zone(self) -> str:
        zone = str(self.cleaned_data.get("time_zone") or "").strip()
        if zone and zone not in zoneinfo.available_timezones():
            raise forms.ValidationError(
                f"“{zone}” is no time zone. Write one like Europe/London, or leave it empty."
            )
        return zone

    def clean(self) -> dict[str, object]:
        """The number in E.164, read as one of the country that was chosen beside it."""
        cleaned: dict[str, object] = super().clean() or self.cleaned_data
        written = str(cleaned.get("own_number") or "").strip()
        try:
            cleaned["own_number"] = (
                parse(written, country=str(cleaned.get("country") or "")).e164 if written else ""
            )
        except BadNumber as problem:
            self.add_error("own_number", str(problem))
        return cleaned
