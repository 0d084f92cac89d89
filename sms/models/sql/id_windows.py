"""Ranges of ids, from and up to but not including, for what is looked through piece by piece.

Each begins at a row that is there, so ids that nobody has cost nothing: a restore leaves out billions of them.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet


def ascending(rows: "QuerySet[Any]", *, width: int, start: int | None = None) -> Iterator[tuple[int, int]]:
    """Of the rows whose id is `start` or higher; they should be found by their id in an index."""
    rows = rows.order_by("pk").values_list("pk", flat=True)
    low = (rows if start is None else rows.filter(pk__gte=start)).first()
    while low is not None:
        yield low, low + width
        low = rows.filter(pk__gte=low + width).first()


def descending(rows: "QuerySet[Any]", *, width: int, below: int | None = None) -> Iterator[tuple[int, int]]:
    """Of the rows whose id is lower than `below`, the newest first."""
    rows = rows.order_by("-pk").values_list("pk", flat=True)
    last = (rows if below is None else rows.filter(pk__lt=below)).first()
    while last is not None:
        low = last + 1 - width
        yield low, last + 1
        last = rows.filter(pk__lt=low).first()
