"""The forms for a new API key, and for the policies of one that there is."""

from django import forms
from django.utils.translation import gettext_lazy

from portal.forms.time_zones import LocalTimeField
from sms.models import ApiKey
from sms.models.api_key import SCOPES


class KeyPoliciesForm(forms.ModelForm):
    class Meta:
        model = ApiKey
        fields = ApiKey.POLICIES

    def _post_clean(self) -> None:
        """Checked by `sms.catalogue.api_keys`, on the row as it is then."""


class KeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        choices=SCOPES,
        label=gettext_lazy("What it may do"),
        widget=forms.CheckboxSelectMultiple,
        initial=["send", "read"],
    )
    networks = forms.CharField(
        required=False,
        label=gettext_lazy("Only from these addresses"),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One address or network a line, like 192.0.2.7 or 192.0.2.0/24. Empty means from everywhere."
        ),
    )
    expires_at = LocalTimeField(
        required=False, label=gettext_lazy("Expires"), help_text=gettext_lazy("Empty means never.")
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "networks", "per_minute", "expires_at", "is_test", *ApiKey.POLICIES)
        help_texts = {  # noqa: RUF012 - Django's own spelling
            "name": gettext_lazy(
                "Who uses it, for example the shop's order system. Two keys may share a name while they change over."
            ),
            "is_test": gettext_lazy(
                "What it sends is simulated: the same checks and receipts, and no phone is reached. It never becomes a live key."
            ),
        }

    def clean_networks(self) -> list[str]:
        """The model says whether each of them is one."""
        words: str = self.cleaned_data["networks"]
        return words.replace(",", " ").split()
