"""The form of a service's connection to Webex Connect, which also makes a new service."""

from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.text import slugify

from portal.forms.provider_address import vetted
from sms.models import AuthKind, PolicyConnection, Region, Service
from sms.webex.origin import origin_of


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
    FOR_ADDRESS = frozenset({"api_key", "jwt_secret"})  # sent to the address; the signature secret is not
    TESTED = frozenset({"region", "base_url", "auth_kind", "api_key", "jwt_service_id", "jwt_secret"})

    @cached_property
    def changed_data(self) -> list[str]:
        """A secret that was left empty is not changed."""
        names = super().changed_data
        return [name for name in names if name not in self.SECRETS or self.data.get(self.add_prefix(name))]

    def clean_base_url(self) -> str:
        return vetted(self.cleaned_data.get("base_url"), sandbox=self.instance.is_sandbox)

    def clean_region(self) -> Region:
        """Its host can be edited, so it is vetted like a base URL."""
        region: Region = self.cleaned_data["region"]
        vetted(f"https://{region.host}", sandbox=False)
        return region

    def clean(self) -> dict[str, Any]:
        """Keep stored secrets where nothing was typed, and ask for what the way of signing in needs.

        Another address keeps neither key nor secret, whichever of them is used: both were typed for the address before.
        """
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        moved = bool(self.instance.pk) and self._address(cleaned) != self.instance.secrets_origin
        for name in self.SECRETS:
            kept = self.instance.pk and not (moved and name in self.FOR_ADDRESS)
            cleaned[name] = cleaned.get(name) or (getattr(self.instance, name) if kept else "")
        used = "api_key" if cleaned.get("auth_kind") == AuthKind.KEY else "jwt_secret"
        if moved and not cleaned[used]:
            self.add_error(used, "Type it again: a stored secret is never sent to a new address.")
            return cleaned
        if cleaned.get("auth_kind") == AuthKind.KEY and not cleaned.get("api_key"):
            self.add_error("api_key", "Paste the service key, or choose JWT.")
        if cleaned.get("auth_kind") == AuthKind.JWT:
            for name, words in (("jwt_service_id", "service ID"), ("jwt_secret", "service secret")):
                if not cleaned.get(name):
                    self.add_error(name, f"Paste the {words}, or choose Service key.")
        return cleaned

    def _address(self, cleaned: dict[str, Any]) -> str:
        if cleaned.get("base_url"):
            return origin_of(cleaned["base_url"])
        return origin_of(f"https://{cleaned['region'].host}") if cleaned.get("region") else ""

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
        service.keep_secrets_for_address()
        if self.TESTED & set(self.changed_data):  # a test of before says nothing any more
            service.checked_at, service.check_verdict = None, ""
        if commit and service.pk:
            service.save(
                update_fields=[
                    *self.Meta.fields,
                    "secrets_origin",
                    "receipt_secret_before",
                    "checked_at",
                    "check_verdict",
                ]
            )
            _drop_profile_key_of_other_address(service)
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


def _drop_profile_key_of_other_address(service: Service) -> None:
    """Another region is another Contact Policy, where none has a base URL of its own."""
    policy = PolicyConnection.objects.filter(service=service).first()
    if policy is not None and policy.key_origin != origin_of(policy.url):
        policy.profile_key = policy.key_origin = ""
        policy.save(update_fields=["profile_key", "key_origin"])


def _free_slug(name: str) -> str:
    stem = slugify(name)[:36] or "service"
    taken = set(Service.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(slug for n in range(1, 10_000) if (slug := stem if n == 1 else f"{stem}-{n}") not in taken)
