"""Every column that may hold a number, of all applications: what models declare about themselves (`sms.models.personal`), collected.

Called by erasure and subject access, so that what one takes away is what the other gives out.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models

from sms.models import Service
from sms.models.personal import ColumnKind, PersonalData

Model = type[models.Model]


def personal_of(model: Model) -> PersonalData:
    """What a model declares; models of other packages get theirs in `portal.personal`."""
    return getattr(model, "personal", PersonalData())


def declared() -> Iterator[tuple[Model, PersonalData]]:
    for model in apps.get_models():
        if not model._meta.proxy:
            yield model, personal_of(model)


def columns(*kinds: ColumnKind) -> Iterator[tuple[Model, str]]:
    for model, personal in declared():
        for name, kind in personal.kinds.items():
            if kind in kinds:
                yield model, name


def title_of(model: Model, name: str) -> str:
    """A column for people: `draft: text`."""
    return f"{model._meta.verbose_name}: {model._meta.get_field(name).verbose_name}"  # type: ignore[union-attr]


def rows_of(model: Model, service: Service) -> "models.QuerySet[Any]":
    """The rows of a service; all rows of a table that belongs to none."""
    rows: models.QuerySet[Any] = model._base_manager.order_by()
    path = personal_of(model).service
    return rows.filter(**{path: service.pk}) if path else rows
