"""Long lists of ids as one parameter of a statement, so that its text is the same for two ids and for two thousand."""

import json
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL


def in_list() -> str:
    """What stands in `IN (…)` for a list that `parameter` made."""
    if connection.vendor == "postgresql":
        return "SELECT unnest(%s::bigint[])"
    return "SELECT value FROM json_each(%s)"


def parameter(ids: list[int]) -> Any:
    return ids if connection.vendor == "postgresql" else json.dumps(ids)


def among(ids: Iterable[int]) -> RawSQL:
    """Ids for `__in` as one parameter, so that a list of thousands is no longer statement than one of few."""
    return RawSQL(in_list(), [parameter(list(ids))])  # noqa: S611 - the text is one of two constants
