"""Forms of the catalogue pages: senders, contact-policy groups and their connection, smartlinks, short-link domains."""

from typing import Any

from django import forms
from django.conf import settings
from django.db import transaction

from portal.forms.provider_address import vetted
from sms.catalogue import domains
from sms.models import (
    ContactPolicyGroup,
    PolicyConnection,
    Sender,
    Service,
    ShortLinkDomain,
    Smartlink,
)
from sms.webex.origin import origin_of


class NounForm(forms.ModelForm):
    """A thing of a service. `UNIQUE` are the fields whose values no other thing of the service may have."""

    UNIQUE: tuple[str, ...] = ("name",)

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.service = service
        self.service = service

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        others = (
            type(self.instance)._default_manager.filter(service=self.service).exclude(pk=self.instance.pk)
        )
        for name in self.UNIQUE:
            value = cleaned.get(name)
            lookup = f"{name}__iexact" if isinstance(value, str) else name
            if value and (other := others.filter(**{lookup: value}).first()):
                archived = "" if other.active else ", archived"
                self.add_error(
                    name, f"“{value}” is in the catalogue already{archived}. Change that one instead."
                )
        return cleaned


class SenderForm(NounForm):
    UNIQUE = ("address",)

    class Meta:
        model = Sender
        fields = ("kind", "address", "countries", "registration", "is_default", "note")
        labels = {"is_default": "Offer it first in compose"}  # noqa: RUF012 - Django's own spelling
        help_texts = {  # noqa: RUF012
            "address": "As it is provisioned: a number with its country code and without +, or a name."
        }

    def save(self, commit: bool = True) -> Sender:
        """There is one default: the previous one stops being it."""
        with transaction.atomic():
            if self.instance.is_default:
                others = Sender.objects.filter(service=self.service).exclude(pk=self.instance.pk)
                others.update(is_default=False)
            saved: Sender = super().save(commit)
        return saved


class GroupForm(NounForm):
    class Meta:
        model = ContactPolicyGroup
        fields = ("name", "group_id", "check_consent", "apply_frequency_cap", "description")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not (cleaned.get("check_consent") or cleaned.get("apply_frequency_cap")):
            self.add_error(
                "check_consent", "Tick at least one: require opt-in, or enforce the frequency cap."
            )
        return cleaned


class SmartlinkForm(NounForm):
    UNIQUE = ("name", "smartlink_id")

    class Meta:
        model = Smartlink
        fields = ("name", "smartlink_id", "validity")


class LinkDomainForm(NounForm):
    """A short-link domain. Another name or region is another domain to check."""

    UNIQUE = ("host",)

    class Meta:
        model = ShortLinkDomain
        fields = ("host", "region")
        labels = {"host": "Domain"}  # noqa: RUF012 - Django's own spelling
        help_texts = {  # noqa: RUF012
            "host": "The name that people see in the link, like go.example.com. Webex Connect must know it too.",
            "region": "Of your tenant: it decides where the DNS record points to.",
        }

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, service=service, **kwargs)
        if self.instance.pk is None:
            self.initial.setdefault("region", service.region_id)

    def clean_host(self) -> str:
        try:
            return domains.usable(self.cleaned_data["host"], own=settings.PUBLIC_HOST)
        except domains.BadName as problem:
            raise forms.ValidationError(str(problem)) from None

    def save(self, commit: bool = True) -> ShortLinkDomain:
        """What was seen of another name is forgotten; the history stays."""
        domain: ShortLinkDomain = self.instance
        if domain.pk is not None and self.changed_data:
            domain.forget()
        saved: ShortLinkDomain = super().save(commit)
        return saved


class PolicyConnectionForm(forms.ModelForm):
    """Where Contact Policy is asked. The key is written and never read back."""

    profile_key = forms.CharField(
        required=False,
        label="Profile key",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Of the tenant, not of the service. Empty keeps the one that is stored.",
    )

    class Meta:
        model = PolicyConnection
        fields = ("base_url", "profile_key")

    def clean_base_url(self) -> str:
        return vetted(self.cleaned_data.get("base_url"), sandbox=self.instance.service.is_sandbox)

    def clean(self) -> dict[str, Any]:
        """A stored key goes to no new address."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        stored = PolicyConnection.objects.filter(pk=self.instance.pk).first()
        if not cleaned.get("profile_key"):
            typed = PolicyConnection(service=self.instance.service, base_url=cleaned.get("base_url") or "")
            if stored and stored.profile_key and origin_of(typed.url) != stored.key_origin:
                self.add_error("profile_key", "Type it again: a stored key is never sent to a new address.")
            cleaned["profile_key"] = stored.profile_key if stored else ""
        return cleaned

    def save(self, commit: bool = True) -> PolicyConnection:
        """A key that was typed is for the address beside it."""
        if "profile_key" in self.changed_data:
            self.instance.keep_key_for_address()
        saved: PolicyConnection = super().save(commit)
        return saved
