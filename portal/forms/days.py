"""Filters of lists, and those with days: from one, to and including another one, as the viewer's clock counts them."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sms.values.quiet_hours import midnight


class DayField(forms.DateField):
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ListFilter(forms.Form):
    """Everything is optional."""

    @property
    def chosen(self) -> dict[str, str]:
        """What the address says of it; nothing where a part of that was not understood, which asks for something else."""
        if self.errors:
            return {}
        return {name: str(self.data[name]) for name in self.fields if self.cleaned_data.get(name)}

    @property
    def values(self) -> dict[str, Any]:
        """What was chosen, by field."""
        return {name: value for name, value in self.cleaned_data.items() if value}


class DaysFilter(ListFilter):
    since = DayField(required=False, label=gettext_lazy("From"))
    until = DayField(required=False, label=gettext_lazy("To and including"))

    def clean(self) -> None:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and until < since:
            self.add_error("until", _("This is before the day that the search begins with."))

    @property
    def moments(self) -> dict[str, Any]:
        """What was chosen, by field; days as the moments at which they begin, of the last one at which it is over."""
        found, zone = self.values, timezone.get_current_timezone_name()
        if "since" in found:
            found["since"] = midnight(found["since"], zone)
        if "until" in found:
            found["until"] = midnight(found["until"] + timedelta(days=1), zone)
        return found
