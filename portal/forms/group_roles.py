"""What a group of single sign-on gives."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.models import GroupRole, Role
from sms.models import Service

SUPERUSER = "superuser"


class GroupRoleForm(forms.Form):
    group = forms.CharField(
        max_length=200,
        label=gettext_lazy("Group"),
        help_text=gettext_lazy("Exactly as the issuer sends it: a name, or for Entra ID the object id."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    service = forms.ModelChoiceField(
        queryset=Service.objects.none(),
        required=False,
        label=gettext_lazy("Service"),
        help_text=gettext_lazy("None for a superuser."),
    )
    role = forms.ChoiceField(
        label=gettext_lazy("Gives"),
        choices=[*Role.choices, (SUPERUSER, gettext_lazy("Superuser of the desk"))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        service: Any = self.fields["service"]
        service.empty_label = _("None: the whole desk")
        service.queryset = Service.objects.defer(*Service.secrets()).order_by("name")

    def clean(self) -> None:
        data = self.cleaned_data
        chief, service = data.get("role") == SUPERUSER, data.get("service")
        if chief and service is not None:
            self.add_error("service", _("A superuser belongs to the whole desk. Choose no service."))
        elif "role" in data and not chief and service is None:
            self.add_error("service", _("Choose the service in which they get the role."))
        elif not self.errors and GroupRole.objects.filter(**self.gives).exists():
            self.add_error("group", _("This group gives that already."))

    @property
    def gives(self) -> dict[str, Any]:
        data = self.cleaned_data
        role = "" if data["role"] == SUPERUSER else data["role"]
        return {"group": data["group"], "service": data["service"], "role": role}
