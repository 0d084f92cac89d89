"""Forms on the page of a person, whose number the page knows."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from portal.forms.msisdn import AddForm
from sms.models import ContactPolicyGroup, Service


class EvidenceForm(forms.Form):
    evidence = AddForm.base_fields["evidence"]


class ConsentForm(forms.Form):
    group = forms.ModelChoiceField(
        ContactPolicyGroup.objects.none(), label=gettext_lazy("Policy group"), empty_label=None
    )

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = ContactPolicyGroup.objects.filter(service=service, active=True).order_by("name")
        self.fields["group"].queryset = groups  # type: ignore[attr-defined]
