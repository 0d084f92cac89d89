"""The filter of the audit page."""

from typing import Any

from django import forms

from portal.forms.days import DaysFilter
from sms.compliance.audit import Selection
from sms.models.audit_acts import ACTS, DOORS, NOUNS


def _acts() -> list[tuple[str, Any]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for act, words in ACTS.items():
        groups.setdefault(act.partition(".")[0].replace("_", " ").capitalize(), []).append((act, words))
    return [("", "All"), *groups.items()]


class AuditFilter(DaysFilter):
    """Everything is optional. `selection` is what was chosen, in the viewer's time zone."""

    who = forms.CharField(max_length=100, required=False, help_text="Part of an address or of a key's name.")
    act = forms.ChoiceField(choices=_acts, required=False, label="Did")
    noun = forms.ChoiceField(
        choices=[("", "All"), *((noun, noun.replace("_", " ").capitalize()) for noun in NOUNS)],
        required=False,
        label="With",
    )
    door = forms.ChoiceField(choices=[("", "All"), *DOORS.items()], required=False, label="Through")
    words = forms.CharField(
        max_length=100,
        required=False,
        label="Holds",
        help_text="A word of the details, or the thing's number.",
    )

    @property
    def selection(self) -> Selection:
        return Selection(**self.moments)
