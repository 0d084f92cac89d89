"""Forms of the tenant probe: its beginning, and the switches that a person may set by hand."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.forms.msisdn import MsisdnField
from portal.forms.settings import OwnColumns
from sms.models import Service, TenantProbe


class StartProbeForm(forms.ModelForm):
    """Only what is of this service and in use is offered."""

    number = MsisdnField(
        help_text=gettext_lazy("Of the phone in your hand. It is forgotten when the tenant probe ends.")
    )

    class Meta:
        model = TenantProbe
        fields = ("sender", "link_domain", "smartlink")

    field_order = ("number", "sender", "link_domain", "smartlink")

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, things in (
            ("sender", service.senders),
            ("link_domain", service.link_domains),
            ("smartlink", service.smartlinks),
        ):
            field: Any = self.fields[name]
            field.queryset = things.filter(active=True)
            field.empty_label = _("None")
        sender: Any = self.fields["sender"]
        sender.required, sender.empty_label = True, None
        number: Any = self.fields["number"]
        number.country, number.label = service.default_country, _("Your phone’s number")


class TenantSwitchesForm(OwnColumns):
    class Meta:
        model = Service
        fields = ("link_fields", "link_tag1", "link_tag2", "length_unit", "smartlink_unit", "validity_kept")
