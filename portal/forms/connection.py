"""The form of a service's connection to Webex Connect, which also makes a new service."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.utils.functional import cached_property
from django.utils.text import slugify

from sms.models import AuthKind, Service


class ConnectionForm(forms.ModelForm):
    """How we reach Webex Connect. Secrets are written here and never read back: an empty field leaves what is stored."""

    api_key = forms.CharField(
        label="Service key",
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="From the service's API tab in Webex Connect. Leave empty to keep the stored one.",
    )
    jwt_secret = forms.CharField(
        label="Service secret",
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Base64, from the same tab. Leave empty to keep the stored one.",
    )
    receipt_secret = forms.CharField(
        label="Signature secret",
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Only if your outbound webhook has one. Leave empty to keep the stored one.",
    )

    class Meta:
        model = Service
        fields = (
            "name",
            "region",
            "base_url",
            "auth_kind",
            "api_key",
            "jwt_service_id",
            "jwt_secret",
            "receipt_secret",
            "receipt_algorithm",
        )

    SECRETS = ("api_key", "jwt_secret", "receipt_secret")
    TESTED = frozenset({"region", "base_url", "auth_kind", "api_key", "jwt_service_id", "jwt_secret"})

    @cached_property
    def changed_data(self) -> list[str]:
        """A secret that was left empty is not changed."""
        names = super().changed_data
        return [name for name in names if name not in self.SECRETS or self.data.get(self.add_prefix(name))]

    def clean_base_url(self) -> str:
        """Credentials go there: encrypted, or no further than this machine."""
        url = str(self.cleaned_data.get("base_url") or "").rstrip("/")
        if url and not url.startswith(("https://", "http://")):
            raise forms.ValidationError("Write the whole address, beginning with https://.")
        try:
            parts = urlsplit(url)
            here = parts.hostname in {"127.0.0.1", "localhost", "::1"}
        except ValueError:
            raise forms.ValidationError("That is not an address.") from None
        if parts.username is not None or parts.password is not None:
            raise forms.ValidationError("Leave user names and passwords out of the address.")
        if parts.scheme == "http" and not here:
            raise forms.ValidationError("Use https, so that the service key never travels in the clear.")
        return url

    def clean(self) -> dict[str, Any]:
        """Keep stored secrets where nothing was typed, and ask for what the way of signing in needs."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        moved = self.instance.pk and {"base_url", "region"} & set(self.changed_data)
        typed = (
            cleaned.get("api_key") if cleaned.get("auth_kind") == AuthKind.KEY else cleaned.get("jwt_secret")
        )
        if moved and not typed:
            name = "api_key" if cleaned.get("auth_kind") == AuthKind.KEY else "jwt_secret"
            self.add_error(name, "Type it again: a stored secret is never sent to a new address.")
        for name in self.SECRETS:
            cleaned[name] = cleaned.get(name) or (getattr(self.instance, name) if self.instance.pk else "")
        if cleaned.get("auth_kind") == AuthKind.KEY and not cleaned.get("api_key"):
            self.add_error("api_key", "Paste the service key, or choose JWT.")
        if cleaned.get("auth_kind") == AuthKind.JWT:
            for name, words in (("jwt_service_id", "service ID"), ("jwt_secret", "service secret")):
                if not cleaned.get(name):
                    self.add_error(name, f"Paste the {words}, or choose Service key.")
        return cleaned

    def save(self, commit: bool = True) -> Service:
        """A new service gets its slug from its name; a changed secret keeps the previous signature secret for the hand-over."""
        service: Service = self.instance
        if service.pk:
            stored = Service.objects.get(pk=service.pk)
            if stored.receipt_secret and stored.receipt_secret != self.cleaned_data["receipt_secret"]:
                service.receipt_secret_before = stored.receipt_secret
        else:
            service.slug = _free_slug(service.name)
        for name in self.SECRETS:
            setattr(service, name, self.cleaned_data[name])
        if self.TESTED & set(self.changed_data):  # a test of before says nothing any more
            service.checked_at, service.check_verdict = None, ""
        if commit and service.pk:
            service.save(
                update_fields=[*self.Meta.fields, "receipt_secret_before", "checked_at", "check_verdict"]
            )
        elif commit:
            service.save()
        return service


class NewServiceForm(ConnectionForm):
    """The first step: the connection, and of the contract what has no safe default."""

    class Meta:
        model = Service
        fields = (
            *ConnectionForm.Meta.fields,
            "rate",
            "e164_plus",
            "text_limit",
            "default_country",
            "time_zone",
        )


def _free_slug(name: str) -> str:
    stem = slugify(name)[:36] or "service"
    taken = set(Service.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(slug for n in range(1, 10_000) if (slug := stem if n == 1 else f"{stem}-{n}") not in taken)
