"""The filter of the audit page."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext as _

from portal.forms.days import DaysFilter
from portal.presenters.audit_words import NOUN_WORDS
from sms.compliance.audit import Selection
from sms.models.audit_acts import ACTS, DOORS, NOUNS

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def _acts() -> "list[tuple[StrOrPromise, Any]]":
    groups: dict[str, list[tuple[str, Any]]] = {}
    for act, words in ACTS.items():
        groups.setdefault(act.partition(".")[0], []).append((act, gettext(str(words))))
    return [("", _("All")), *((NOUN_WORDS.get(noun, noun), acts) for noun, acts in groups.items())]


class AuditFilter(DaysFilter):
    """Everything is optional. `selection` is what was chosen, in the viewer's time zone."""

    who = forms.CharField(
        max_length=100,
        required=False,
        label=gettext_lazy("Who"),
        help_text=gettext_lazy("Part of an address or of a key's name."),
    )
    act = forms.ChoiceField(choices=_acts, required=False, label=gettext_lazy("Did"))
    noun = forms.ChoiceField(
        choices=[("", gettext_lazy("All")), *((noun, NOUN_WORDS.get(noun, noun)) for noun in NOUNS)],
        required=False,
        label=gettext_lazy("With"),
    )
    door = forms.ChoiceField(
        choices=[("", gettext_lazy("All")), *DOORS.items()], required=False, label=gettext_lazy("Through")
    )
    words = forms.CharField(
        max_length=100,
        required=False,
        label=gettext_lazy("Holds"),
        help_text=gettext_lazy("A word of the details, or the thing's number."),
    )

    @property
    def selection(self) -> Selection:
        return Selection(**self.moments)
