"""The form of a template's wording: its text, or the provider's id, and its placeholders as lines."""

from typing import Any

from django import forms

from sms.catalogue.placeholder_rules import KINDS, Placeholder, placeholders_of
from sms.catalogue.templates import Wording
from sms.models import TemplateVersion
from sms.values import text
from sms.webex.limits import LARGEST_TEXT_LIMIT


class WordingForm(forms.Form):
    """What a version of a template says. Placeholders are lines: name | kind | example | fallback | longest."""

    name = forms.RegexField(
        r"^[a-z0-9_]+$",
        max_length=60,
        help_text="Lower-case letters, digits and underscores, like order_shipped.",
        error_messages={"invalid": "Use lower-case letters, digits and underscores."},
    )
    language = forms.RegexField(
        r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$",
        required=False,
        help_text="Like de or pt-BR. Empty: the wording that is used where no language is chosen.",
        error_messages={"invalid": "Write a language like de or pt-BR."},
    )
    text = forms.CharField(
        required=False,
        max_length=LARGEST_TEXT_LIMIT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
        help_text="Placeholders are written $(name).",
    )
    provider_id = forms.CharField(
        required=False,
        max_length=64,
        label="Provider template id",
        help_text="Instead of a text, where Webex Connect keeps the template.",
    )
    placeholders = forms.CharField(
        required=False,
        max_length=8000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="One per line: name | text, number, date or link | example | fallback | longest. Only the name is needed.",
    )

    def __init__(
        self, *args: Any, version: TemplateVersion | None = None, named: bool = True, **kwargs: Any
    ) -> None:
        if version is not None:
            lines = [
                f"{one.name} | {one.kind} | {one.example} | {one.fallback} | {one.max_length or ''}"
                for one in placeholders_of(version)
            ]
            kwargs["initial"] = {
                "language": version.language,
                "text": version.text,
                "provider_id": version.provider_template_id,
                "placeholders": "\n".join(line.rstrip(" |") for line in lines),
            }
        super().__init__(*args, **kwargs)
        if named:
            del self.fields["language"]
        else:
            del self.fields["name"]

    def clean_text(self) -> str:
        return text.line_breaks(str(self.cleaned_data["text"]))

    def clean_placeholders(self) -> list[Placeholder]:
        found: dict[str, Placeholder] = {}
        for number, line in enumerate(self.cleaned_data["placeholders"].splitlines(), start=1):
            if not line.strip():
                continue
            cells = [cell.strip() for cell in line.split("|")]
            name, kind, example, fallback, longest = (*cells, "", "", "", "", "")[:5]
            name = (text.placeholders(name) or [name])[0].strip() if name.startswith("$(") else name
            if len(cells) > 5:
                raise forms.ValidationError(f"Line {number} has more than five parts.")
            if not name or len(name) > 200:
                raise forms.ValidationError(f"Line {number} begins with the name of a placeholder.")
            if (kind := kind.lower() or "text") not in KINDS:
                says = f"Line {number}: “{kind[:30]}” is none of text, number, date and link."
                raise forms.ValidationError(says)
            if longest and not (
                longest.isascii() and longest.isdecimal() and 0 < int(longest[:6]) <= LARGEST_TEXT_LIMIT
            ):
                says = f"Line {number}: the longest is a number of characters, 1 to {LARGEST_TEXT_LIMIT:,}."
                raise forms.ValidationError(says)
            if text.match_key(name) in found:
                raise forms.ValidationError(f"Line {number} names $({name}) a second time.")
            found[text.match_key(name)] = Placeholder(name, kind, example, fallback, int(longest or 0))
        return list(found.values())

    def clean(self) -> None:
        """Placeholders that the text does not use are a mistake in one of the two."""
        written = self.cleaned_data.get("text", "")
        used = {text.match_key(name) for name in text.placeholders(written)}
        for one in self.cleaned_data.get("placeholders") or ():
            if written and text.match_key(one.name) not in used:
                says = f"The text does not use $({one.name}). Take the line out, or use it."
                self.add_error("placeholders", says)

    def wording(self) -> Wording:
        data = self.cleaned_data
        return Wording(data["text"], data["provider_id"], data.get("language", ""), data["placeholders"])
