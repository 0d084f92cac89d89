"""Which receipts are asked for: flags in one small column, names wherever people or programs write them."""

import enum
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sms.models.flags_field import FlagsField, FlagsFormField

NONE = _("Ask for at least one receipt. Without receipts the state of a message stays unknown.")


class Receipts(enum.IntFlag):
    """The provider's `requestedReceipts`, in the order in which they are written."""

    SUBMITTED = 1
    SENT = 2
    DELIVERED = 4
    FAILED = 8
    CLICKED = 16

    @classmethod
    def of(cls, names: Iterable[str]) -> "Receipts":
        """Raises KeyError for a name that is none."""
        found = cls(0)
        for name in names:
            found |= cls[name]
        return found

    @property
    def names(self) -> list[str]:
        return [str(one.name) for one in self]

    def __str__(self) -> str:
        return ", ".join(str(LABELS[name]) for name in self.names)


LABELS = {
    # Translators: the name of a receipt, as of the four below
    "SUBMITTED": _("Submitted"),
    "SENT": _("Sent"),
    "DELIVERED": _("Delivered"),
    "FAILED": _("Failed"),
    "CLICKED": _("Clicked"),
}
USUAL_RECEIPTS = Receipts.SUBMITTED | Receipts.DELIVERED | Receipts.FAILED | Receipts.CLICKED
ALL_RECEIPTS = USUAL_RECEIPTS | Receipts.SENT
WITHOUT = {
    Receipts.SUBMITTED: _(
        "without it you do not see when a message reached the operator, and a send without receipts is not noticed"
    ),
    Receipts.SENT: _(
        "the older name of Submitted; ask for it only where your Webex Connect still distinguishes them"
    ),
    Receipts.DELIVERED: _("without it every message ends as “no report”, and delivery cannot be measured"),
    Receipts.FAILED: _(
        "without it you do not see why messages do not arrive, and opt-outs that the provider knows stay unknown here"
    ),
    Receipts.CLICKED: _("without it clicks are not counted, although links are tracked"),
}


class ReceiptsFormField(FlagsFormField):
    """None also where nothing is ticked."""

    widget = forms.CheckboxSelectMultiple

    def clean(self, value: Any) -> Receipts | None:
        return super().clean(value) or None


class ReceiptsField(FlagsField):
    """`Receipts`; takes names, too."""

    flags, every, none = Receipts, ALL_RECEIPTS, NONE
    unknown = _("“%(name)s” is no receipt. Choose from %(names)s.")
    form_field = ReceiptsFormField
    in_capitals = True
