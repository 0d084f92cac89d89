"""The form of a report by e-mail."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.models import User
from sms.models import ReportSchedule, Service
from sms.reports import BY


class ScheduleForm(forms.ModelForm):
    """What, how often, to whom. Only people of the service, since a report is for them."""

    by = forms.ChoiceField(
        label=gettext_lazy("Report by"), choices=[one for one in BY.items() if one[0] != "hour"]
    )
    people = forms.MultipleChoiceField(label=gettext_lazy("Who gets it"), widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = ReportSchedule
        fields = ("name", "every")

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = User.objects.filter(memberships__service=service, is_active=True).distinct().order_by("email")
        addresses = list(found.values_list("email", flat=True))
        self.fields["people"].choices = [(one, one) for one in addresses]  # type: ignore[attr-defined]
        self.fields["people"].error_messages["required"] = _("Choose who gets it.")
