"""A column that holds several choices as flags in one small number, and is read and written by their names everywhere else."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import models


class TicksWidget(forms.CheckboxSelectMultiple):
    """With a value of its own where none is ticked, so that a program that knows nothing of the field is not taken for that."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        return forms.HiddenInput().render(name, "") + super().render(name, value, attrs, renderer)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        given = data.getlist(name) if hasattr(data, "getlist") else data.get(name)
        return given if name in data else None

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data


class FlagsFormField(forms.MultipleChoiceField):
    """A tick for each; None where a program knows nothing of them."""

    widget: Any = TicksWidget

    def __init__(self, *, flags: Any, every: Any, **kwargs: Any) -> None:
        self._flags = flags
        super().__init__(choices=[(one.names[0], str(one)) for one in every], **kwargs)

    def clean(self, value: Any) -> Any:
        ticked = [name for name in value or () if name]
        super().clean(ticked)
        return None if value is None else self._flags.of(ticked)

    def prepare_value(self, value: Any) -> Any:
        return value.names if hasattr(value, "names") else value


if TYPE_CHECKING:
    _Column = models.PositiveSmallIntegerField[Any, Any]
else:
    _Column = models.PositiveSmallIntegerField


class FlagsField(_Column):
    """`flags` is the `IntFlag`, `every` those that can be chosen, `noun` one of them in a sentence.

    The `IntFlag` has `names`, and `of` for flags of names, which raises KeyError for a name that is none.
    """

    flags: ClassVar[Any]
    every: ClassVar[Any]
    noun: ClassVar[str]
    form_field: ClassVar[type[FlagsFormField]] = FlagsFormField
    in_capitals: ClassVar[bool] = False  # the names, as people write them
    none: ClassVar[str] = ""  # what is said of no flag at all, where there has to be one

    def from_db_value(self, value: int | None, *_: Any) -> Any:
        return None if value is None else self.flags(value)

    def to_python(self, value: Any) -> Any:
        try:
            if isinstance(value, str) and not value.isdecimal():
                written = value.upper() if self.in_capitals else value.lower()
                value = [name.strip() for name in written.split(",") if name.strip() or self.none]
            return self.flags.of(value) if isinstance(value, list | tuple) else self.flags(int(value))
        except KeyError as unknown:
            if not unknown.args[0]:
                raise ValidationError(self.none) from None
            says = f"“{unknown.args[0]}” is no {self.noun}. Choose from {', '.join(self.every.names)}."
            raise ValidationError(says) from None
        except (ValueError, TypeError):
            raise ValidationError(self.none or f"Choose from {', '.join(self.every.names)}.") from None

    def get_prep_value(self, value: Any) -> int | None:
        return None if value is None else int(self.to_python(value) or 0)

    def formfield(self, **kwargs: Any) -> Any:
        label, says = self.verbose_name.capitalize(), self.help_text
        asked = {"required": False, "label": label, "help_text": says, "initial": self.default}
        return self.form_field(flags=self.flags, every=self.every, **asked)
