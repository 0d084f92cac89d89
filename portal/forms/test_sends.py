"""To whom a test of a draft goes."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sms.models import SavedAudience, Service

OWN = "own"


class DraftTestForm(forms.Form):
    """The person's own number or a seed list, and whose values fill the text."""

    to = forms.ChoiceField(label=gettext_lazy("To"), widget=forms.RadioSelect)
    row = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=10_000_000,
        label=gettext_lazy("Filled from row"),
        help_text=gettext_lazy("Of the draft's audience. Empty: the row that makes the longest message."),
    )
    at_night = forms.BooleanField(required=False, label=gettext_lazy("Now, even in quiet hours"))

    def __init__(self, *args: Any, service: Service, number: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seeds = {
            str(one.pk): one
            for one in service.audiences.filter(seed_list=True, archived_at=None).select_related("current")
        }
        mine = [(OWN, _("Your own number, %(number)s") % {"number": number})] if number else []
        lists = [(key, f"{one} ({one.current.recipients})") for key, one in self.seeds.items() if one.current]
        self.fields["to"].choices = [*mine, *lists]  # type: ignore[attr-defined]
        self.fields["to"].initial = (mine or lists or [("", "")])[0][0]
        says = _("Quiet hours are %(hours)s. This lifts them for your own number, never for a seed list.")
        self.fields["at_night"].help_text = says % {"hours": service.quiet_hours}
        if not service.quiet_hours or not mine:
            del self.fields["at_night"]

    @property
    def chosen(self) -> SavedAudience | None:
        """The seed list; None for the person's own number."""
        return self.seeds.get(str(self.cleaned_data.get("to")))
