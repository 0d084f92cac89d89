"""Who has to have a second factor: of a service by role, and of the whole desk."""

from typing import Any

from django import forms

from portal.models import FactorRule, Role

MOST_DAYS = 90
NOBODY, EVERYBODY = "nobody", "everybody"


class GraceForm(forms.Form):
    grace_days = forms.IntegerField(
        label="Days of grace",
        min_value=0,
        max_value=MOST_DAYS,
        initial=14,
        help_text="From now, or from when a person joins. Then only the page that sets one up opens for those who have none.",
    )


class ServiceFactorForm(GraceForm):
    roles = forms.MultipleChoiceField(
        label="Who has to have a second factor",
        choices=[(role.value, f"Every {role.label.lower()}") for role in Role],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    field_order = ("roles", "grace_days")

    @classmethod
    def shown(cls, rules: list[FactorRule]) -> dict[str, Any]:
        return {"roles": [one.role for one in rules]} | ({"grace_days": rules[0].grace_days} if rules else {})


class DeskFactorForm(GraceForm):
    who = forms.ChoiceField(
        label="Who has to have a second factor",
        choices=[
            (NOBODY, "No one, unless a service asks for it"),
            (Role.ADMIN.value, "Superusers, and the admins of every service"),
            (EVERYBODY, "Everybody"),
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
