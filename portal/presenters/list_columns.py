"""The columns of a list that a person may choose, and those that they did."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sms.models import KeptList, ListColumns


@dataclass(frozen=True, slots=True)
class ListColumn:
    """`usual` ones are shown to who chose nothing; `number` ones stand to the right."""

    key: str
    title: str
    usual: bool = True
    number: bool = False


COLUMNS: dict[KeptList, tuple[ListColumn, ...]] = {
    KeptList.SENDS: (
        ListColumn("state", "State"),
        ListColumn("due", "Due"),
        ListColumn("sender", "From"),
        ListColumn("recipients", "Recipients", number=True),
        ListColumn("rejected", "Rejected rows", usual=False, number=True),
        ListColumn("delivered", "Delivered", number=True),
        ListColumn("failed", "Failed", number=True),
        ListColumn("unconfirmed", "Not confirmed", usual=False, number=True),
        ListColumn("labels", "Labels", usual=False),
        ListColumn("lane", "Lane", usual=False),
        ListColumn("by", "By"),
        ListColumn("made", "Made", usual=False),
    ),
    KeptList.MESSAGES: (
        ListColumn("state", "State"),
        ListColumn("code", "Code"),
        ListColumn("send", "Send"),
        ListColumn("country", "Country", usual=False),
        ListColumn("segments", "Segments", usual=False, number=True),
        ListColumn("provider_id", "Provider ID", usual=False),
        ListColumn("posted", "Posted"),
        ListColumn("ended", "Ended", usual=False),
    ),
}


@dataclass(frozen=True, slots=True)
class ChosenColumns:
    """`shown` in the order of the list, of `every` column that there is."""

    of: str
    every: Sequence[ListColumn]
    shown: Sequence[ListColumn]

    @property
    def keys(self) -> list[str]:
        return [one.key for one in self.shown]

    @property
    def are_usual(self) -> bool:
        return all(one.usual == (one in self.shown) for one in self.every)


def chosen_columns(user: Any, of: KeptList) -> ChosenColumns:
    """Columns that are no longer offered are left out."""
    every = COLUMNS[of]
    kept = ListColumns.objects.filter(user=user, of=of).first()
    shown = [one for one in every if (one.usual if kept is None else one.key in kept.columns)]
    return ChosenColumns(of, every, shown)


def choose_columns(user: Any, of: KeptList, keys: Sequence[str]) -> None:
    """None of them means only the first column, which is always there; the usual ones are not stored."""
    wanted = [one.key for one in COLUMNS[of] if one.key in keys]
    if wanted == [one.key for one in COLUMNS[of] if one.usual]:
        ListColumns.objects.filter(user=user, of=of).delete()
    else:
        ListColumns.objects.update_or_create({"columns": wanted}, user=user, of=of)
