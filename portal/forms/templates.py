"""The form of a template's wording: its text, or the provider's id, and a row of fields for each placeholder."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from sms.catalogue.placeholder_rules import KINDS, Placeholder, placeholders_of
from sms.catalogue.templates import Wording
from sms.models import TemplateVersion
from sms.values import text
from sms.webex.limits import LARGEST_TEXT_LIMIT
from sms.words import number

MOST_PLACEHOLDERS = 100
PREFIX = "place"


class PlaceholderForm(forms.Form):
    """What one placeholder takes. A row without a name is left out."""

    name = forms.CharField(
        max_length=200,
        required=False,
        label=gettext_lazy("Name"),
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
    kind = forms.ChoiceField(choices=list(KINDS.items()), required=False, label=pgettext_lazy("noun", "Kind"))
    example = forms.CharField(max_length=500, required=False, label=gettext_lazy("Example"))
    fallback = forms.CharField(max_length=500, required=False, label=gettext_lazy("Fallback"))
    longest = forms.IntegerField(
        min_value=1,
        max_value=LARGEST_TEXT_LIMIT,
        required=False,
        label=gettext_lazy("Longest"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        says = ngettext("At most %(n)s character.", "At most %(n)s characters.", LARGEST_TEXT_LIMIT)
        self.fields["longest"].error_messages["max_value"] = says % {"n": number(LARGEST_TEXT_LIMIT)}

    def clean_name(self) -> str:
        return _bare(self.cleaned_data["name"])

    @property
    def placeholder(self) -> Placeholder:
        """What of it was understood."""
        read = getattr(self, "cleaned_data", {})
        return Placeholder(
            read.get("name", ""),
            read.get("kind") or "text",
            read.get("example", ""),
            read.get("fallback", ""),
            read.get("longest") or 0,
        )


class _PlaceholderRows(forms.BaseFormSet):
    def clean(self) -> None:
        seen: set[str] = set()
        for form in self.forms:
            name = text.match_key(form.placeholder.name)
            if name and name in seen:
                says = _("$(%(name)s) has a row already.")
                form.add_error("name", says % {"name": form.placeholder.name})
            seen.add(name)


PlaceholderRows = forms.formset_factory(
    PlaceholderForm, formset=_PlaceholderRows, extra=0, max_num=MOST_PLACEHOLDERS, validate_max=True
)


class WordingForm(forms.Form):
    """What a version of a template says. `rows` are its placeholders, one for each that the text names."""

    name = forms.RegexField(
        r"^[a-z0-9_]+$",
        label=gettext_lazy("Name"),
        max_length=60,
        help_text=gettext_lazy("Lower-case letters, digits and underscores, like order_shipped."),
        error_messages={"invalid": gettext_lazy("Use lower-case letters, digits and underscores.")},
    )
    language = forms.RegexField(
        r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$",
        label=gettext_lazy("Language"),
        required=False,
        help_text=gettext_lazy(
            "Like de or pt-BR. Empty: the wording that is used where no language is chosen."
        ),
        error_messages={"invalid": gettext_lazy("Write a language like de or pt-BR.")},
    )
    text = forms.CharField(
        label=gettext_lazy("Text"),
        required=False,
        max_length=LARGEST_TEXT_LIMIT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
        help_text=gettext_lazy("Placeholders are written $(name). Each gets its row below."),
    )
    provider_id = forms.CharField(
        required=False,
        max_length=64,
        label=gettext_lazy("Provider template id"),
        help_text=gettext_lazy("Instead of a text, where Webex Connect keeps the template."),
    )

    def __init__(
        self,
        *args: Any,
        version: TemplateVersion | None = None,
        named: bool = True,
        typed: QueryDict | None = None,
        **kwargs: Any,
    ) -> None:
        """`typed` is shown as it stands: it is not to be saved yet, so its mistakes are not said."""
        known: list[dict[str, str]] = []
        if typed is not None:
            kwargs["initial"] = {name: typed.get(name, "") for name in self.base_fields}
            known = posted_rows(typed)
        elif version is not None:
            kwargs["initial"] = {
                "language": version.language,
                "text": version.text,
                "provider_id": version.provider_template_id,
            }
            known = [_values(one) for one in placeholders_of(version)]
        super().__init__(*args, **kwargs)
        del self.fields["language" if named else "name"]
        if self.is_bound:
            known = posted_rows(self.data)
        # browsers post lines ended by CR and LF, and names are compared as they are stored
        self.written = text.line_breaks(str(self["text"].value() or ""))
        typed_rows = _rows(known, self.written)
        self.shown = [_understood(one) for one in typed_rows if one["name"].strip()]
        self.rows = _formset(typed_rows, bound=self.is_bound)

    def clean_text(self) -> str:
        return text.line_breaks(str(self.cleaned_data["text"]))

    def clean(self) -> None:
        """A placeholder with values that the text does not use is a mistake in one of the two."""
        written = self.cleaned_data.get("text", "")
        used = {text.match_key(name) for name in text.placeholders(written)}
        if not self.rows.is_valid():
            self.add_error(None, _("Please fix what is marked in the placeholders below."))
        for row in self.rows:
            one = row.placeholder
            if written and one.name and text.match_key(one.name) not in used:
                says = _("The text does not use $(%(name)s). Use it, or empty its row.") % {"name": one.name}
                row.add_error("name", says)
                self.add_error(None, says)

    def wording(self) -> Wording:
        data = self.cleaned_data
        places = [one for row in self.rows if (one := row.placeholder).name]
        return Wording(data["text"], data["provider_id"], data.get("language", ""), places)


def _values(one: Placeholder) -> dict[str, str]:
    longest = str(one.max_length or "")
    return {
        "name": one.name,
        "kind": one.kind,
        "example": one.example,
        "fallback": one.fallback,
        "longest": longest,
    }


def posted_rows(data: Mapping[str, Any]) -> list[dict[str, str]]:
    """The rows as they were typed."""
    total = str(data.get(f"{PREFIX}-TOTAL_FORMS", ""))
    count = (
        min(int(total), MOST_PLACEHOLDERS + 1)
        if total.isascii() and total.isdecimal() and len(total) < 6
        else 0
    )
    names = PlaceholderForm.base_fields
    return [
        {name: str(data.get(f"{PREFIX}-{place}-{name}", "")) or _EMPTY[name] for name in names}
        for place in range(count)
    ]


def _bare(name: str) -> str:
    """`$(name)` → `name`."""
    return (text.placeholders(name) or [name])[0].strip() if name.startswith("$(") else name.strip()


def _rows(known: Iterable[dict[str, str]], written: str) -> list[dict[str, str]]:
    """A row for each placeholder of the text, in its order, with what is known of it; then those with values that it does not name.

    Without a text there is one more, to be filled in.
    """
    by_name = {text.match_key(_bare(one["name"])): one for one in known}
    named = {text.match_key(name): name for name in text.placeholders(written)}
    rows = [{**by_name.pop(key, _EMPTY), "name": name} for key, name in named.items()]
    rows += [one for one in by_name.values() if one["name"].strip() and (not written or _is_filled(one))]
    return rows if written.strip() else [*rows, _EMPTY]


def _formset(rows: list[dict[str, str]], *, bound: bool) -> Any:
    if not bound:
        return PlaceholderRows(initial=rows, prefix=PREFIX)
    data = {
        f"{PREFIX}-{place}-{name}": value for place, row in enumerate(rows) for name, value in row.items()
    }
    total = {f"{PREFIX}-TOTAL_FORMS": str(len(rows)), f"{PREFIX}-INITIAL_FORMS": "0"}
    return PlaceholderRows(data | total, prefix=PREFIX)


def _understood(row: Mapping[str, str]) -> Placeholder:
    """What the phone makes of a row, mistakes or not."""
    longest = row["longest"] if row["longest"].isascii() and row["longest"].isdecimal() else ""
    most = min(int(longest[:6] or 0), LARGEST_TEXT_LIMIT)
    return Placeholder(_bare(row["name"]), "text", row["example"], row["fallback"], most)


_EMPTY = {"name": "", "kind": "text", "example": "", "fallback": "", "longest": ""}


def _is_filled(row: Mapping[str, str]) -> bool:
    return any(row[name] != empty for name, empty in _EMPTY.items() if name != "name")
