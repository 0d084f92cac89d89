"""What is wrong with a body or a query, with what could stand there instead. Called by `resource`."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from django_filters.filterset import FilterSet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from sms.api.v1.problems import flat, of_many
from sms.values.nearest import MOST, nearest
from sms.values.problems import Problem, ProblemCode

_INDEX = re.compile(r"\[\d+\]$")
_PART = re.compile(r"(\w+)\[\d+\]\.(.*)", flags=re.DOTALL)  # of one thing in a list
FLAG = ("true", "false")


def wrong_in_body(serializer: serializers.Serializer[Any]) -> Iterator[Problem]:
    """The errors of a serializer that is not valid."""
    for found in flat(serializer.errors):
        if found.code == ProblemCode.UNKNOWN_FIELD:
            part = _PART.fullmatch(found.field)
            names = getattr(serializer.fields[part[1]], "parts", ()) if part else serializer.fields
            yield replace(found, choices=nearest(part[2] if part else found.field, names))
            continue
        field = serializer.fields.get(_INDEX.sub("", found.field))
        field = getattr(field, "child", None) or field
        if found.code == ProblemCode.INVALID_CHOICE:
            given = _given(serializer.initial_data, found.field)
            yield _choosing(found, getattr(field, "choices", ()), given, says=getattr(field, "SAYS", ""))
        elif found.code == ProblemCode.INVALID and isinstance(field, serializers.BooleanField):
            yield _choosing(found, FLAG, "")
        else:
            yield found


class NamedFilters(DjangoFilterBackend):
    """Filters of a list, whose errors say which values there are."""

    def filter_queryset(self, request: Any, queryset: Any, view: Any) -> Any:
        filters: FilterSet | None = self.get_filterset(request, queryset, view)
        if filters is None:
            return queryset
        if not filters.is_valid():
            raise of_many(_wrong_in_query(filters))
        return filters.qs


def _wrong_in_query(filters: FilterSet) -> Iterator[Problem]:
    details = {
        name: [ErrorDetail(one.messages[0], one.code) for one in errors]
        for name, errors in filters.errors.as_data().items()
    }
    for found in flat(details):
        choices = getattr(filters.form.fields[found.field], "choices", ())
        if found.code == ProblemCode.INVALID_CHOICE:
            possible = [value for value, _ in choices if value]
            yield _choosing(found, possible, filters.data.get(found.field))
        else:
            yield found


def _given(data: Any, path: str) -> Any:
    """What stands at `receipts[1]` of a body."""
    name, _, place = path.removesuffix("]").partition("[")
    value = data.get(name)
    return value[int(place)] if place and isinstance(value, list) else value


def _choosing(found: Problem, possible: Iterable[object], given: object, *, says: str = "") -> Problem:
    """`says` where the field has words of its own. What came is not repeated: it may be somebody's number."""
    names = [str(one) for one in possible]
    likely = nearest(given, names)
    if len(names) <= MOST:
        says = f"Choose one of: {', '.join(names)}."
    return replace(
        found, text=says or f"There is no such value. Like it are: {', '.join(likely)}.", choices=likely
    )
