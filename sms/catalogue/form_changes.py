"""What a form changed, for the audit: the names of the fields, and from what to what.

Everything is recorded with its value but secrets, and what has room for a recipient's number or a message's text, which the audit must not
hold: of those it says that they changed.
"""

from typing import Any

from django import forms

from sms import guard
from sms.models import Actor, Guarded, WaitingChange
from sms.models.fields import SecretField
from sms.models.personal import ColumnKind
from sms.values.msisdn.mention import masked_values

CHANGED = "changed"
UNSHOWN = frozenset({ColumnKind.NUMBER, ColumnKind.TEXT, ColumnKind.RAW, ColumnKind.PACKED})


def changes(form: Any) -> dict[str, Any]:
    """`{"fields": ["rate", "api_key"], "before": {"rate": 10}, "after": {"rate": 50, "api_key": "changed"}}`."""
    shown = [name for name in form.changed_data if _is_shown(form, name)]
    after = {name: _quiet(form, name, _plain(form.cleaned_data.get(name))) for name in shown}
    return {
        "fields": form.changed_data,
        "before": {name: _quiet(form, name, _before(form, name)) for name in shown},
        "after": {name: after.get(name, CHANGED) for name in form.changed_data},
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


def _quiet(form: Any, name: str, value: Any) -> Any:
    """A name is what people write; a number of a recipient in it would stand in the audit for good."""
    return masked_values(value) if name == "name" or not hasattr(form, "instance") else value


def _is_shown(form: Any, name: str) -> bool:
    field = form.fields.get(name)  # a new password is called by another name than its fields
    if field is None or isinstance(field.widget, forms.PasswordInput | forms.Textarea):
        return False
    model: Any = type(getattr(form, "instance", None))
    if any(column.name == name and isinstance(column, SecretField) for column in _columns(model)):
        return False
    said = getattr(model, "personal", None)
    return said is None or said.kinds.get(name) not in UNSHOWN


def _columns(model: Any) -> Any:
    return model._meta.fields if hasattr(model, "_meta") else ()


def _before(form: Any, name: str) -> Any:
    field: Any = form.fields[name]
    value = form.get_initial_for_field(field, name)
    if isinstance(field, forms.ModelChoiceField) and value is not None:
        rows: Any = field.queryset
        found = rows.model._default_manager.filter(pk=getattr(value, "pk", value)).first()
        return None if found is None else str(found)
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int) else str(value)
