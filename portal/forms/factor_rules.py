"""Who has to have a second factor: of a service by role, and of the whole desk."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from portal.models import FactorRule, Role

MOST_DAYS = 90
NOBODY, EVERYBODY = "nobody", "everybody"
EVERY = {
    Role.COMPOSER: gettext_lazy("Every composer"),
    Role.APPROVER: gettext_lazy("Every approver"),
    Role.ADMIN: gettext_lazy("Every admin"),
    Role.AUDITOR: gettext_lazy("Every auditor"),
}


class GraceForm(forms.Form):
    grace_days = forms.IntegerField(
        label=gettext_lazy("Days of grace"),
        min_value=0,
        max_value=MOST_DAYS,
        initial=14,
        help_text=gettext_lazy(
            "From now, or from when a person joins. Then only the page that sets one up opens for those who have none."
        ),
    )


class ServiceFactorForm(GraceForm):
    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Who has to have a second factor"),
        choices=[(role.value, words) for role, words in EVERY.items()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    field_order = ("roles", "grace_days")

    @classmethod
    def shown(cls, rules: list[FactorRule]) -> dict[str, Any]:
        return {"roles": [one.role for one in rules]} | ({"grace_days": rules[0].grace_days} if rules else {})


class DeskFactorForm(GraceForm):
    who = forms.ChoiceField(
        label=gettext_lazy("Who has to have a second factor"),
        choices=[
            (NOBODY, gettext_lazy("No one, unless a service asks for it")),
            (Role.ADMIN.value, gettext_lazy("Superusers, and the admins of every service")),
            (EVERYBODY, gettext_lazy("Everybody")),
        ],
        widget=forms.RadioSelect,
    )
    field_order = ("who", "grace_days")

    @classmethod
    def shown(cls, rules: list[FactorRule]) -> dict[str, Any]:
        if not rules:
            return {"who": NOBODY}
        return {"who": rules[0].role or EVERYBODY, "grace_days": rules[0].grace_days}

    @property
    def roles(self) -> list[str]:
        who = self.cleaned_data["who"]
        return {NOBODY: [], EVERYBODY: [""]}.get(who, [who])
