"""The filter of the refused requests of a key."""

from django import forms
from django.utils.translation import gettext_lazy


class RefusedFilter(forms.Form):
    request_id = forms.CharField(
        required=False,
        max_length=40,
        label="Request-Id",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "req_…"}),
    )
    code = forms.CharField(
        required=False,
        max_length=40,
        label=gettext_lazy("Code"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    status = forms.IntegerField(
        required=False,
        min_value=200,
        max_value=599,
        label=gettext_lazy("Status"),
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )

    def clean_request_id(self) -> str:
        """Pasted with what stood around it."""
        return str(self.cleaned_data["request_id"]).strip()
