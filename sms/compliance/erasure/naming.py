"""A person whose data it is about, and rows that name the number: the database passes over whatever people put between digits.

What it finds may be too much (digits that run on) and is looked at again in Python by `sms.values.msisdn.mention`; too little
it never is: text
with characters beyond ASCII comes back as a whole, since digits and signs of every script can be in it. Long tables are walked in windows
of ids, so that no statement is long.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from django.db import models
from django.db.models import F, QuerySet

from sms.compliance.archive import in_values
from sms.models import Service
from sms.models.sql import id_windows
from sms.models.sql.text_search import AsText, BeyondAscii, WithoutSeparators
from sms.values.msisdn.hidden import hidden
from sms.values.msisdn.mention import Mention

WINDOW = 50_000  # ids
# how characters beyond ASCII begin where they are not written as they are: JSON of SQLite, bytes of PostgreSQL
ESCAPES: dict[type, tuple[str, ...]] = {models.JSONField: ("\\u",), models.BinaryField: ("\\2", "\\3")}


@dataclass(frozen=True)
class Subject:
    """One number of one service, in every form in which it can stand somewhere.

    `e164` has its plus; `rest` is called between long statements; `folder` is that of this host's state.
    """

    service: Service
    e164: str
    rest: Callable[[], object] = lambda: None
    folder: Path = Path()

    @cached_property
    def digest(self) -> str:
        """What stands for the number where only a digest may."""
        return hidden(self.e164, key=self.service.number_key)

    @property
    def forms(self) -> tuple[str, str]:
        return self.e164, self.digest

    @cached_property
    def mention(self) -> Mention:
        return Mention(self.e164)


def naming(rows: "QuerySet[Any]", name: str, subject: Subject) -> "QuerySet[Any]":
    rows = rows.annotate(said=AsText(F(name))).annotate(bare=WithoutSeparators(F("said")))
    found = models.Q(bare__contains=subject.mention.national) | models.Q(wide=True)
    for escape in ESCAPES.get(type(rows.model._meta.get_field(name)), ()):
        found |= models.Q(said__contains=escape)
    return rows.annotate(wide=BeyondAscii(F("said"))).filter(found)


def says(value: Any, subject: Subject) -> bool:
    if isinstance(value, (bytes, memoryview)):
        return subject.mention.found(bytes(value).decode("utf-8", "replace"))
    if isinstance(value, str):
        return subject.mention.found(value)
    return bool(in_values(value, subject.mention) != value)


def ids_naming(rows: "QuerySet[Any]", name: str, subject: Subject) -> list[Any]:
    found = naming(rows, name, subject).values_list("pk", name)
    return [pk for pk, value in found.iterator(chunk_size=1000) if says(value, subject)]


def windows(rows: "QuerySet[Any]", *, newest_first: bool = False) -> "Iterator[QuerySet[Any]]":
    """The rows in pieces; a table whose key is no number is one piece."""
    if not isinstance(rows.model._meta.pk, (models.IntegerField, models.OneToOneField)):
        yield rows
        return
    walk = id_windows.descending if newest_first else id_windows.ascending
    for low, high in walk(rows.model._base_manager.all(), width=WINDOW):
        yield rows.filter(pk__gte=low, pk__lt=high)
