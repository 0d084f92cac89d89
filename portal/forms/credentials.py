"""Secrets in forms: written and never read back. An empty field keeps what is stored, and a tick beside it removes that."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class CredentialField(forms.CharField):
    """Written and never read back, so it may stay empty."""

    def __init__(self, label: "StrOrPromise", help_text: "StrOrPromise", *, removing: "StrOrPromise") -> None:
        """`removing` is what the tick says that removes what is stored."""
        self.removing = removing
        widget = forms.PasswordInput(attrs={"autocomplete": "off"})
        super().__init__(label=label, help_text=help_text, required=False, widget=widget)


class SecretsForm(forms.ModelForm):
    """Each of SECRETS that is stored gets a field `remove_<name>`. Cleaned, a secret is what is to be stored."""

    SECRETS: ClassVar[tuple[str, ...]] = ()
    held: Any = None  # the change that waits, where what was typed makes approval weaker

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.SECRETS:
            if self.stored(name):
                label = self.fields[name].removing  # type: ignore[attr-defined]
                self.fields[self.removing(name)] = forms.BooleanField(label=label, required=False)

    @cached_property
    def changed_data(self) -> list[str]:
        """A secret that was left empty is not changed."""
        names = super().changed_data
        return [name for name in names if name not in self.SECRETS or self.data.get(self.add_prefix(name))]

    @staticmethod
    def removing(name: str) -> str:
        return f"remove_{name}"

    @cached_property
    def _at_first(self) -> dict[str, str]:
        """What is stored; cleaning puts what was typed on the instance."""
        return {name: str(getattr(self.instance, name) or "") for name in self.SECRETS}

    def stored(self, name: str) -> str:
        return self._at_first[name] if self.instance.pk and not self.instance._state.adding else ""

    def settle(self, name: str, *, kept: bool = True) -> None:
        """Put what is to be stored into `cleaned_data`; not `kept` where the stored one must not be used any more."""
        cleaned = self.cleaned_data
        typed, removed = cleaned.get(name) or "", bool(cleaned.get(self.removing(name)))
        if typed and removed:
            self.add_error(name, _("Type a new one, or tick that it is removed, not both."))
        cleaned[name] = typed or (self.stored(name) if kept and not removed else "")
