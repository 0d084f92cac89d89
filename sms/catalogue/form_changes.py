"""What a form changed, for the audit: the names of the fields, and from what to what.

The value is recorded of figures, switches and choices, and of the texts that a model names in `audit_shows`: what a thing is known by to
the provider or to people. Of other texts and of secrets only the name is recorded: they may hold what the audit must not.
"""

from typing import Any

from django import forms

from sms import guard
from sms.models import Actor, Guarded, WaitingChange
from sms.values.msisdn.mention import masked_values

PLAIN = (forms.BooleanField, forms.IntegerField, forms.ChoiceField)


def changes(form: Any) -> dict[str, Any]:
    """`{"fields": ["rate"], "before": {"rate": 10}, "after": {"rate": 50}}`."""
    shown = [name for name in form.changed_data if _is_shown(form, name)]
    return {
        "fields": form.changed_data,
        "before": {name: _quiet(name, _before(form, name)) for name in shown},
        "after": {name: _quiet(name, _plain(form.cleaned_data.get(name))) for name in shown},
    }


def hold_back(form: Any, *, by: Actor) -> WaitingChange | None:
    """Of a form that is about to be saved, what would make approval weaker waits, and counts as not changed."""
    if not isinstance(form.instance, Guarded):
        return None
    together = getattr(form, "TOGETHER", ())
    fields = {
        name: name.removeprefix("remove_") for name in form.changed_data
    }  # a tick beside a secret removes it
    form.held = guard.hold_back(form.instance, by=by, names=fields.values(), together=together)
    if form.held is not None:
        waits = guard.operation_of(form.held).values
        put_back = {one.name for one in form.instance._meta.concrete_fields if one.attname in waits}
        form.cleaned_data |= {
            name: getattr(form.instance, name) for name in put_back & form.cleaned_data.keys()
        }
        form.changed_data = [name for name in form.changed_data if fields[name] not in put_back]
    held: WaitingChange | None = form.held
    return held


def _quiet(name: str, value: Any) -> Any:
    """A name is what people write; a number of a recipient in it would stand in the audit for good."""
    return masked_values(value) if name == "name" else value


def _is_shown(form: Any, name: str) -> bool:
    field = form.fields.get(name)  # a new password is called by another name than its fields
    if name in getattr(getattr(form, "instance", None), "audit_shows", ()):
        return True
    return isinstance(field, PLAIN) and not isinstance(field, forms.ModelChoiceField)


def _before(form: Any, name: str) -> Any:
    field: Any = form.fields[name]
    value = form.get_initial_for_field(field, name)
    if isinstance(field, forms.ModelChoiceField) and value is not None:
        rows: Any = field.queryset
        found = rows.model._default_manager.filter(pk=getattr(value, "pk", value)).first()
        return None if found is None else str(found)
    return _plain(value)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int) else str(value)
