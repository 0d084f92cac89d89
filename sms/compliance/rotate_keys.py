"""Another key for the secrets at rest: every `SecretField` of every model, encrypted again with the newest of `FIELD_KEYS`.

Works on ciphertext, in batches, each in a transaction of its own; a value that is changed in between is left alone, since it was
sealed with the newest key. What was done stays done, so a run that broke off is simply started again.
Called by `manage.py rotate_field_keys`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.db import models, transaction
from django.db.models.functions import Cast

from sms.models.fields import SecretField

LISTED = 20


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """Where a secret stands, for a person: `service 3, api_key`."""

    model: str
    pk: object
    name: str

    def __str__(self) -> str:
        return f"{self.model} {self.pk}, {self.name}"


@dataclass(slots=True)
class KeyUsage:
    """How many values each key opens (newest first), what none opens, and what was encrypted again."""

    by_key: list[int]
    unreadable: list[SecretPlace] = field(default_factory=list)
    renewed: int = 0

    @property
    def values(self) -> int:
        return sum(self.by_key) + len(self.unreadable)

    @property
    def old(self) -> int:
        return sum(self.by_key[1:])


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
    for model, name in secret_fields():
        for rows in _batches(model, name, size=batch):
            for pk, sealed in rows:
                at, _ = _opened(boxes, sealed)
                if at is None:
                    tally.unreadable.append(SecretPlace(str(model._meta.verbose_name), pk, name))
                else:
                    tally.by_key[at] += 1
    return tally


def rotate(keys: Sequence[str], *, batch: int = 500) -> Iterator[tuple[str, int, int]]:
    """Seal what needs an older key with the newest. Yields (column, read, encrypted again) after each batch."""
    boxes = [Fernet(key) for key in keys]
    for model, name in secret_fields():
        for rows in _batches(model, name, size=batch):
            renewed = 0
            with transaction.atomic():
                for pk, sealed in rows:
                    at, text = _opened(boxes, sealed)
                    if at:  # neither the newest nor none
                        renewed += _exchange(model, name, pk, sealed, boxes[0].encrypt(text).decode())
            yield f"{model._meta.label_lower}.{name}", len(rows), renewed


def _opened(boxes: Sequence[Fernet], sealed: str) -> tuple[int | None, bytes]:
    for at, box in enumerate(boxes):
        try:
            return at, box.decrypt(sealed.encode())
        except InvalidToken:
            continue
    return None, b""


def _raw(model: type[models.Model], name: str) -> "models.QuerySet[models.Model]":
    """Rows with their ciphertext as `sealed`; read through the field it would be opened."""
    rows: models.QuerySet[models.Model] = model._base_manager.annotate(sealed=Cast(name, models.TextField()))
    return rows.exclude(sealed="").exclude(sealed=None)


def _batches(model: type[models.Model], name: str, *, size: int) -> Iterator[list[tuple[object, str]]]:
    """(primary key, ciphertext), a batch at a time, by key: rows that come or go do not shift the others."""
    last: object = None
    while True:
        rows = _raw(model, name).order_by("pk")
        if last is not None:
            rows = rows.filter(pk__gt=last)
        found = list(rows.values_list("pk", "sealed")[:size])
        if found:
            yield found
        if len(found) < size:
            return
        last = found[-1][0]


def _exchange(model: type[models.Model], name: str, pk: object, before: str, after: str) -> int:
    """Only where it still is what was read."""
    new = models.Value(after, output_field=models.TextField())
    return _raw(model, name).filter(pk=pk, sealed=before).update(**{name: new})
