"""Long tables read a page at a time, by key: rows that come or go do not shift the others, and no cursor is open between two pages.

And what pages ask of them, where a question may be left open.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import Model, Q, QuerySet


def pages(rows: "QuerySet[Any, Any]", size: int) -> Iterator[list[Any]]:
    """Of models, or of tuples that begin with the key."""
    rows, last = rows.order_by("pk"), None
    while page := list((rows if last is None else rows.filter(pk__gt=last))[:size]):
        yield page
        if len(page) < size:
            return
        last = page[-1].pk if isinstance(page[-1], Model) else page[-1][0]


def given(**lookups: Any) -> Q:
    """Those of the lookups that have a value; None and empty text ask for everything."""
    return Q(**{name: value for name, value in lookups.items() if value not in (None, "")})
