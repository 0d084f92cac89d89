"""Another key for the secrets at rest: every `SecretField` of every model, encrypted again with the newest of `FIELD_KEYS`.

Works on ciphertext, in batches, each in a transaction of its own; a value that is changed in between is left alone, since it was
sealed with the newest key. What was done stays done, so a run that broke off is simply started again.
Called by `manage.py rotate_field_keys`.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.db import models, transaction
from django.db.models.functions import Cast

from sms.models.fields import SecretField
from sms.models.paging import pages

LISTED = 20


@dataclass(slots=True)
class KeyUsage:
    """How many values each key opens (newest first), and where what none opens stands: `service 3, api_key`."""

    by_key: list[int]
    unreadable: list[str] = field(default_factory=list)

    @property
    def values(self) -> int:
        return sum(self.by_key) + len(self.unreadable)

    @property
    def old(self) -> int:
        return sum(self.by_key[1:])


# columns of other packages' models that hold sealed texts within JSON, as `app.Model` and column; filled by `portal.apps`
json_columns: list[tuple[str, str]] = []
FERNET = "gAAAA"  # how what Fernet makes begins


def secret_fields() -> list[tuple[type[models.Model], str]]:
    return [
        (model, one.name)
        for model in apps.get_models()
        if not model._meta.proxy
        for one in model._meta.local_fields
        if isinstance(one, SecretField)
    ]


def count(keys: Sequence[str], *, batch: int = 500) -> KeyUsage:
    """Which keys are still needed. Changes nothing."""
    boxes = [Fernet(key) for key in keys]
    tally = KeyUsage([0] * len(boxes))
    for where, sealed in _all_sealed(batch):
        at, _ = _opened(boxes, sealed)
        if at is None:
            tally.unreadable.append(where)
        else:
            tally.by_key[at] += 1
    return tally


def _all_sealed(batch: int) -> Iterator[tuple[str, str]]:
    """Where each stands, and what stands there."""
    for model, name in secret_fields():
        for rows in pages(_raw(model, name), batch):
            for pk, sealed in rows:
                yield f"{model._meta.verbose_name} {pk}, {name}", sealed
    for model, name in _json_columns():
        for row in model._base_manager.order_by("pk").iterator(chunk_size=batch):
            for sealed in _sealed_in(getattr(row, name)):
                yield f"{model._meta.verbose_name} {row.pk}, {name}", sealed


def rotate(keys: Sequence[str], *, batch: int = 500) -> Iterator[tuple[str, int, int]]:
    """Seal what needs an older key with the newest. Yields (column, read, encrypted again) after each batch."""
    boxes = [Fernet(key) for key in keys]
    for model, name in secret_fields():
        for rows in pages(_raw(model, name), batch):
            renewed = 0
            with transaction.atomic():
                for pk, sealed in rows:
                    at, text = _opened(boxes, sealed)
                    if at:  # neither the newest nor none
                        renewed += _exchange(model, name, pk, sealed, boxes[0].encrypt(text).decode())
            yield f"{model._meta.label_lower}.{name}", len(rows), renewed
    for model, name in _json_columns():
        yield _renewed_json(model, name, boxes)


def _json_columns() -> list[tuple[type[models.Model], str]]:
    return [(apps.get_model(label), name) for label, name in json_columns]


def _sealed_in(value: Any) -> Iterator[str]:
    """Sealed texts at any depth."""
    if isinstance(value, str) and value.startswith(FERNET):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _sealed_in(one)


def _renewed_json(model: type[models.Model], name: str, boxes: Sequence[Fernet]) -> tuple[str, int, int]:
    """Row by row, each locked: there is one for each person and factor."""
    read = renewed = 0
    for pk in list(model._base_manager.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            row = model._base_manager.select_for_update().filter(pk=pk).first()
            text = json.dumps(getattr(row, name)) if row is not None else ""
            for sealed in _sealed_in(getattr(row, name, None)):
                read += 1
                at, opened = _opened(boxes, sealed)
                if at:
                    renewed += 1
                    text = text.replace(sealed, boxes[0].encrypt(opened).decode())
            if row is not None and text != json.dumps(getattr(row, name)):
                setattr(row, name, json.loads(text))
                row.save(update_fields=[name])
    return f"{model._meta.label_lower}.{name}", read, renewed


def _opened(boxes: Sequence[Fernet], sealed: str) -> tuple[int | None, bytes]:
    for at, box in enumerate(boxes):
        try:
            return at, box.decrypt(sealed.encode())
        except InvalidToken:
            continue
    return None, b""


def _raw(model: type[models.Model], name: str) -> "models.QuerySet[Any, Any]":
    """(primary key, ciphertext) of each row that has one; read through the field it would be opened."""
    rows = model._base_manager.annotate(sealed=Cast(name, models.TextField()))
    return rows.exclude(sealed="").exclude(sealed=None).values_list("pk", "sealed")


def _exchange(model: type[models.Model], name: str, pk: object, before: str, after: str) -> int:
    new = models.Value(after, output_field=models.TextField())
    return _raw(model, name).filter(pk=pk, sealed=before).update(**{name: new})
