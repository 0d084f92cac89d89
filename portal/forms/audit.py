"""The filter of the audit page."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from sms.compliance.audit import Selection
from sms.models.audit_acts import ACTS, DOORS, NOUNS
from sms.values.quiet_hours import midnight


def _acts() -> list[tuple[str, Any]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for act, words in ACTS.items():
        groups.setdefault(act.partition(".")[0].replace("_", " ").capitalize(), []).append((act, words))
    return [("", "All"), *groups.items()]


class DayField(forms.DateField):
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class AuditFilter(forms.Form):
    """Everything is optional. `selection` is what was chosen, in the viewer's time zone."""

    who = forms.CharField(max_length=100, required=False, help_text="Part of an address or of a key's name.")
    act = forms.ChoiceField(choices=_acts, required=False, label="Did")
    noun = forms.ChoiceField(
        choices=[("", "All"), *((noun, noun.replace("_", " ").capitalize()) for noun in NOUNS)],
        required=False,
        label="With",
    )
    door = forms.ChoiceField(choices=[("", "All"), *DOORS.items()], required=False, label="Through")
    since = DayField(required=False, label="From")
    until = DayField(required=False, label="To and including")
    words = forms.CharField(
        max_length=100,
        required=False,
        label="Holds",
        help_text="A word of the details, or the thing's number.",
    )

    def clean(self) -> None:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and until < since:
            self.add_error("until", "This is before the day that the search begins with.")

    @property
    def selection(self) -> Selection:
        found = {name: value for name, value in self.cleaned_data.items() if value}
        zone = timezone.get_current_timezone_name()
        if "since" in found:
            found["since"] = midnight(found["since"], zone)
        if "until" in found:
            found["until"] = midnight(found["until"] + timedelta(days=1), zone)
        return Selection(**found)
