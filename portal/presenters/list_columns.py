"""The columns of a list that a person may choose, and those that they did."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sms.models import KeptList, ListColumns

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class ListColumn:
    """`usual` ones are shown to who chose nothing; `number` ones stand to the right."""

    key: str
    title: "StrOrPromise"
    usual: bool = True
    number: bool = False


COLUMNS: dict[KeptList, tuple[ListColumn, ...]] = {
    KeptList.SENDS: (
        ListColumn("state", _("State")),
        ListColumn("due", _("Due")),
        ListColumn("sender", pgettext_lazy("sender", "From")),
        ListColumn("recipients", _("Recipients"), number=True),
        ListColumn("rejected", _("Rejected rows"), usual=False, number=True),
        ListColumn("delivered", _("Delivered"), number=True),
        ListColumn("failed", _("Failed"), number=True),
        ListColumn("unconfirmed", _("Not confirmed"), usual=False, number=True),
        ListColumn("labels", _("Labels"), usual=False),
        ListColumn("lane", _("Lane"), usual=False),
        ListColumn("by", _("By")),
        ListColumn("made", _("Made"), usual=False),
    ),
    KeptList.MESSAGES: (
        ListColumn("state", _("State")),
        ListColumn("code", _("Code")),
        ListColumn("send", pgettext_lazy("noun", "Send")),
        ListColumn("country", _("Country"), usual=False),
        ListColumn("segments", _("Segments"), usual=False, number=True),
        ListColumn("provider_id", _("Provider ID"), usual=False),
        ListColumn("posted", _("Posted")),
        ListColumn("ended", _("Ended"), usual=False),
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
