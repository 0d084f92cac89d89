"""The chips above a list: filters that a person saved, or that a colleague shared."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy

from sms.models import KeptList, SavedFilter
from sms.values.msisdn.mention import masked

GONE = {
    "label": gettext_lazy("The label “%(name)s” is gone"),
    "sender": gettext_lazy("The sender is gone"),
    "by": gettext_lazy("The person or program is gone"),
}


@dataclass(frozen=True, slots=True)
class FilterChip:
    """`gone` says which part of it leads nowhere any more. Who `may_remove` it: its maker, and an admin what is shared."""

    pk: int
    name: str
    query: str
    current: bool
    shared_by: str
    may_remove: bool
    gone: str


@dataclass(frozen=True, slots=True)
class SavedFilters:
    """`query` is what the list is narrowed to now; empty where there is nothing to save."""

    of: str
    query: str
    chips: Sequence[FilterChip]
    may_share: bool

    @property
    def saved_already(self) -> bool:
        return any(chip.current for chip in self.chips)


def saved_filters(
    request: HttpRequest, of: KeptList, *, query: str, offered: Mapping[str, Collection[str]] | None = None
) -> SavedFilters:
    """`offered` are the values that the list can still be narrowed to, by field: a filter with another one says so."""
    user: Any = request.user
    service, may = request.service, request.may  # type: ignore[attr-defined]
    rows = SavedFilter.objects.filter(Q(user=user) | Q(shared=True), service=service, of=of)
    admin = "configure" in may
    chips = [
        FilterChip(
            pk=one.pk,
            name=masked(one.name),
            query=one.query if of == KeptList.MESSAGES else masked(one.query),  # of messages it is sealed
            current=one.query == query,
            shared_by=one.user.shown_name if one.user != user else "",
            may_remove=one.user == user or admin,
            gone=_gone(one.query, offered or {}),
        )
        for one in rows.select_related("user")
    ]
    return SavedFilters(of, query, chips, may_share=admin)


def _gone(query: str, offered: Mapping[str, Collection[str]]) -> str:
    asked = QueryDict(query)
    for name, values in offered.items():
        if (value := asked.get(name)) and value not in values:
            return GONE[name] % {"name": masked(value)}
    return ""
