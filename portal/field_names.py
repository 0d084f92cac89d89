"""Names of models and fields that no line of code says: Django makes them of the names in the code, and the admin and forms show them."""

from collections.abc import Iterator

from django.apps import apps
from django.contrib import admin
from django.db.models import CASCADE, Field, Model
from django.forms import ModelForm
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

OURS = ("sms", "portal")


def translate() -> None:
    """Let every such name be said in the reader's language."""
    for model in _models():
        meta = model._meta
        meta.verbose_name = gettext_lazy(str(meta.verbose_name))
        meta.verbose_name_plural = gettext_lazy(str(meta.verbose_name_plural))
        for field in _unnamed(model):
            field.verbose_name = gettext_lazy(str(field.verbose_name))


def names() -> list[str]:
    """Those that the admin and forms show, for the catalogues."""
    registered = [model for model in admin.site._registry if model._meta.app_label in OURS]
    named = {*registered, *(other for model in registered for other in _deleted_with(model))}
    found = {name for model in named for name in (model._meta.verbose_name, model._meta.verbose_name_plural)}
    inlines = {one.model for owner in admin.site._registry.values() for one in owner.inlines}
    shown = {*registered, *(model for model in inlines if model._meta.app_label in OURS)}
    found |= {field.verbose_name for model in shown for field in _unnamed(model)}
    for form in _forms(ModelForm):
        unnamed = (
            {field.name: field.verbose_name for field in _unnamed(form._meta.model)}
            if form._meta.model
            else {}
        )
        labels = {name: field.label for name, field in form.base_fields.items()}
        found |= {name for field, name in unnamed.items() if labels.get(field) == capfirst(name)}
    return sorted(str(name) for name in found)


def _deleted_with(model: type[Model]) -> Iterator[type[Model]]:
    """What the admin names where it asks before deleting."""
    for field in model._meta.related_objects:
        if field.on_delete is CASCADE:
            yield field.related_model


def _forms(kind: type[ModelForm]) -> Iterator[type[ModelForm]]:
    for one in kind.__subclasses__():
        yield one
        yield from _forms(one)


def _models() -> Iterator[type[Model]]:
    return (model for label in OURS for model in apps.get_app_config(label).get_models())


def _unnamed(model: type[Model]) -> Iterator["Field"]:
    given = (*model._meta.local_fields, *model._meta.local_many_to_many)
    return (field for field in given if field._verbose_name is None)  # type: ignore[attr-defined]
