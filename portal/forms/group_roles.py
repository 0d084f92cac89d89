"""What a group of single sign-on gives."""

from typing import Any

from django import forms

from portal.models import GroupRole, Role
from sms.models import Service

SUPERUSER = "superuser"


class GroupRoleForm(forms.Form):
    group = forms.CharField(
        max_length=200,
        label="Group",
        help_text="Exactly as the issuer sends it: a name, or for Entra ID the object id.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    service = forms.ModelChoiceField(
        queryset=Service.objects.none(), required=False, label="Service", help_text="None for a superuser."
    )
    role = forms.ChoiceField(label="Gives", choices=[*Role.choices, (SUPERUSER, "Superuser of the desk")])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        service: Any = self.fields["service"]
        service.empty_label = "None: the whole desk"
        service.queryset = Service.objects.defer(*Service.secrets()).order_by("name")

    def clean(self) -> None:
        data = self.cleaned_data
        chief, service = data.get("role") == SUPERUSER, data.get("service")
        if chief and service is not None:
            self.add_error("service", "A superuser belongs to the whole desk. Choose no service.")
        elif "role" in data and not chief and service is None:
            self.add_error("service", "Choose the service in which they get the role.")
        elif not self.errors and GroupRole.objects.filter(**self.gives).exists():
            self.add_error("group", "This group gives that already.")

    @property
    def gives(self) -> dict[str, Any]:
        data = self.cleaned_data
        role = "" if data["role"] == SUPERUSER else data["role"]
        return {"group": data["group"], "service": data["service"], "role": role}
