"""The filter of the audit page."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from sms.compliance.audit import Selection
from sms.models.audit_acts import ACTS, DOORS, NOUNS
from sms.values.quiet_hours import local_instant


def _acts() -> list[tuple[str, Any]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for act, words in ACTS.items():
        groups.setdefault(act.partition(".")[0].replace("_", " ").capitalize(), []).append((act, words))
    return [("", "All"), *groups.items()]


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
    since = forms.DateField(
        required=False, label="From", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        required=False,
        label="To and including",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    words = forms.CharField(
        max_length=100,
        required=False,
        label="Holds",
        help_text="A word of the details, or the thing's number.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", "This is before the day that the search begins with.")
        return cleaned

    @property
    def selection(self) -> Selection:
        found = self.cleaned_data
        since, until = found.get("since"), found.get("until")
        return Selection(
            who=found.get("who", ""),
            act=found.get("act", ""),
            noun=found.get("noun", ""),
            door=found.get("door", ""),
            since=_midnight(since) if since else None,
            until=_midnight(until + timedelta(days=1)) if until else None,
            words=found.get("words", ""),
        )


def _midnight(day: Any) -> datetime:
    return local_instant(datetime.combine(day, time()), timezone.get_current_timezone_name())
