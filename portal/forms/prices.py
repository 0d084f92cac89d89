"""The form of the prices page: the whole list as text, or a file that takes its place."""

from typing import Any

from django import forms

from sms.catalogue import prices

LARGEST = 200_000  # bytes


class PricesForm(forms.Form):
    """Cleaned, `rows` are the prices. A file goes before the text."""

    written = forms.CharField(
        required=False,
        strip=False,
        max_length=LARGEST,
        label="Prices",
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "autocomplete": "off"}),
        help_text="A line per country: country,sender kind,price,currency. The price is that of one segment; the kind may be empty.",
    )
    file = forms.FileField(
        required=False, label="Or a CSV file", help_text="It takes the place of the whole list."
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        name, written = "written", str(cleaned.get("written") or "")
        if (upload := cleaned.get("file")) is not None:
            name = "file"
            if upload.size > LARGEST:
                self.add_error("file", f"The file has {upload.size:,} bytes; {LARGEST:,} are the most.")
                return cleaned
            try:
                written = upload.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                self.add_error("file", "The file is not UTF-8. Save it as “CSV UTF-8” and choose it again.")
                return cleaned
        try:
            cleaned["rows"] = prices.read(written)
        except prices.BadPrices as problem:
            for sentence in problem.mistakes:
                self.add_error(name, sentence)
        return cleaned
