"""What a form changed, for the audit: the names of the fields, and before and after where the value is a figure, a switch or a choice.

Of free text, addresses and secrets only the name is recorded: they may hold what the audit must not.
"""

from typing import Any

from django import forms

PLAIN = (forms.BooleanField, forms.IntegerField, forms.ChoiceField)
HIDDEN = (forms.ModelChoiceField,)


def changes(form: Any) -> dict[str, Any]:
    """`{"fields": ["rate"], "before": {"rate": 10}, "after": {"rate": 50}}`."""
    plain = [
        name
        for name in form.changed_data
        if isinstance(form.fields[name], PLAIN) and not isinstance(form.fields[name], HIDDEN)
    ]
    return {
        "fields": form.changed_data,
        "before": {name: _plain(form.get_initial_for_field(form.fields[name], name)) for name in plain},
        "after": {name: _plain(form.cleaned_data.get(name)) for name in plain},
    }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int) else str(value)
