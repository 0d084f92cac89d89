"""Which receipts are asked for: flags in one small column, names wherever people or programs write them."""

import enum
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

NONE = "Ask for at least one receipt. Without receipts the state of a message stays unknown."


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
        return ", ".join(name.capitalize() for name in self.names)


USUAL_RECEIPTS = Receipts.SUBMITTED | Receipts.DELIVERED | Receipts.FAILED | Receipts.CLICKED
ALL_RECEIPTS = USUAL_RECEIPTS | Receipts.SENT
WITHOUT = {
    Receipts.SUBMITTED: "without it you do not see when a message reached the operator, and a send without receipts is not noticed",
    Receipts.SENT: "the older name of Submitted; ask for it only where your Webex Connect still distinguishes them",
    Receipts.DELIVERED: "without it every message ends as “no report”, and delivery cannot be measured",
    Receipts.FAILED: "without it you do not see why messages do not arrive, and opt-outs that the provider knows stay unknown here",
    Receipts.CLICKED: "without it clicks are not counted, although links are tracked",
}


class ReceiptsFormField(forms.MultipleChoiceField):
    """A tick for each; None where nothing is ticked, or where a program knows nothing of them."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[(one.name, str(one)) for one in ALL_RECEIPTS], **kwargs)

    def clean(self, value: Any) -> Receipts | None:
        return Receipts.of(super().clean(value)) or None

    def prepare_value(self, value: Any) -> Any:
        return value.names if isinstance(value, Receipts) else value


if TYPE_CHECKING:
    _Column = models.PositiveSmallIntegerField[Any, Receipts]
else:
    _Column = models.PositiveSmallIntegerField


class ReceiptsField(_Column):
    """`Receipts`; takes names, too."""

    def from_db_value(self, value: int | None, *_: Any) -> Receipts | None:
        return None if value is None else Receipts(value)

    def to_python(self, value: Any) -> Receipts | None:
        try:
            if isinstance(value, str) and not value.isdecimal():
                value = [name.strip() for name in value.upper().split(",")]
            return Receipts.of(value) if isinstance(value, list | tuple) else Receipts(int(value))
        except KeyError as unknown:
            if not unknown.args[0]:
                raise ValidationError(NONE) from None
            says = f"“{unknown.args[0]}” is no receipt. Choose from {', '.join(ALL_RECEIPTS.names)}."
            raise ValidationError(says) from None
        except (ValueError, TypeError):
            raise ValidationError(NONE) from None

    def get_prep_value(self, value: Any) -> int | None:
        return None if value is None else int(self.to_python(value) or 0)

    def formfield(self, **kwargs: Any) -> Any:
        label, says = self.verbose_name.capitalize(), self.help_text
        return ReceiptsFormField(required=False, label=label, help_text=says, initial=self.default)
