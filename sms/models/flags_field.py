"""A column that holds several choices as flags in one small number, and is read and written by their names everywhere else."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _


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
        super().__init__(choices=lambda: [(one.names[0], str(one)) for one in every], **kwargs)

    def clean(self, value: Any) -> Any:
        ticked = [name for name in value or () if name]
        super().clean(ticked)
        return None if value is None else self._flags.of(ticked)

    def prepare_value(self, value: Any) -> Any:
        return value.names if hasattr(value, "names") else value


if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    _Column = models.PositiveSmallIntegerField[Any, Any]
else:
    _Column = models.PositiveSmallIntegerField


class FlagsField(_Column):
    """`flags` is the `IntFlag`, `every` those that can be chosen, `unknown` what is said of a name that is none of them.

    The `IntFlag` has `names`, and `of` for flags of names, which raises KeyError for a name that is none.
    """

    flags: ClassVar[Any]
    every: ClassVar[Any]
    unknown: ClassVar["StrOrPromise"]
    form_field: ClassVar[type[FlagsFormField]] = FlagsFormField
    in_capitals: ClassVar[bool] = False  # the names, as people write them
    none: ClassVar["StrOrPromise"] = ""  # what is said of no flag at all, where there has to be one

    def from_db_value(self, value: int | None, *_unused: Any) -> Any:
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
            says = self.unknown % {"name": unknown.args[0], "names": ", ".join(self.every.names)}
            raise ValidationError(says) from None
        except (ValueError, TypeError):
            says = _("Choose from %(names)s.") % {"names": ", ".join(self.every.names)}
            raise ValidationError(self.none or says) from None

    def get_prep_value(self, value: Any) -> int | None:
        return None if value is None else int(self.to_python(value) or 0)

    def formfield(self, **kwargs: Any) -> Any:
        label, says = capfirst(self.verbose_name), self.help_text
        asked = {"required": False, "label": label, "help_text": says, "initial": self.default}
        return self.form_field(flags=self.flags, every=self.every, **asked)
