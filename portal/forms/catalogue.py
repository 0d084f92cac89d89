"""Forms of the catalogue pages: senders, contact-policy groups and their connection, smartlinks, short-link domains, prices."""

from typing import Any

from django import forms
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.forms.credentials import CredentialField, SecretsForm
from portal.forms.provider_address import vetted
from sms.catalogue import domains, prices
from sms.models import ContactPolicyGroup, PolicyConnection, Sender, Service, ShortLinkDomain, Smartlink
from sms.webex.addresses import bare_sender
from sms.webex.origin import origin_of
from sms.words import number, retold


class NounForm(forms.ModelForm):
    """A thing of a service. `UNIQUE` are the fields whose values no other thing of the service may have."""

    UNIQUE: tuple[str, ...] = ("name",)

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.service = service
        self.service = service

    def clean(self) -> None:
        super().clean()
        things = type(self.instance)._default_manager.filter(service=self.service)
        others = things.exclude(pk=self.instance.pk)
        for name in self.UNIQUE:
            value = self.cleaned_data.get(name)
            lookup = f"{name}__iexact" if isinstance(value, str) else name
            if value and (other := others.filter(**{lookup: value}).first()):
                says = (
                    _("“%(value)s” is in the catalogue already. Change that one instead.")
                    if other.active
                    else _("“%(value)s” is in the catalogue already, archived. Change that one instead.")
                )
                self.add_error(name, says % {"value": value})


class SenderForm(NounForm):
    UNIQUE = ("address",)

    class Meta:
        model = Sender
        fields = ("kind", "address", "countries", "registration", "is_default", "note")
        labels = {"is_default": gettext_lazy("Offer it first in compose")}  # noqa: RUF012 - Django's own spelling
        help_texts = {  # noqa: RUF012
            "address": gettext_lazy(
                "As it is provisioned: a number with its country code, or a name of 1 to 11 characters."
            )
        }

    def clean_address(self) -> str:
        """Before it is compared with the others."""
        return bare_sender(self.cleaned_data["address"])

    def save(self, commit: bool = True) -> Any:
        """There is one default: the previous one stops being it."""
        with transaction.atomic():
            if self.instance.is_default:
                others = Sender.objects.filter(service=self.service).exclude(pk=self.instance.pk)
                others.update(is_default=False)
            return super().save(commit)


class GroupForm(NounForm):
    class Meta:
        model = ContactPolicyGroup
        fields = ("name", "group_id", "check_consent", "apply_frequency_cap", "description")

    def clean(self) -> None:
        super().clean()
        if not (self.cleaned_data.get("check_consent") or self.cleaned_data.get("apply_frequency_cap")):
            says = _("Tick at least one: require opt-in, or enforce the frequency cap.")
            self.add_error("check_consent", says)


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
        labels = {"host": gettext_lazy("Domain")}  # noqa: RUF012 - Django's own spelling
        help_texts = {  # noqa: RUF012
            "host": gettext_lazy(
                "The name that people see in the link, like go.example.com. Webex Connect must know it too."
            ),
            "region": gettext_lazy("Of your tenant: it decides where the DNS record points to."),
        }

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, service=service, **kwargs)
        if self.instance.pk is None:
            self.initial.setdefault("region", service.region_id)

    def clean_host(self) -> str:
        try:
            return domains.usable(self.cleaned_data["host"], own=settings.PUBLIC_HOST)
        except domains.BadName as problem:
            raise forms.ValidationError(retold(str(problem))) from None

    def save(self, commit: bool = True) -> Any:
        """What was seen of another name is forgotten; the history stays."""
        domain: ShortLinkDomain = self.instance
        if domain.pk is not None and self.changed_data:
            domain.forget()
        return super().save(commit)


class PolicyConnectionForm(SecretsForm):
    """Where Contact Policy is asked. The key is written and never read back."""

    SECRETS = ("profile_key",)

    TOGETHER = ("base_url", "profile_key", "key_origin")

    profile_key = CredentialField(
        gettext_lazy("Profile key"),
        gettext_lazy("Of the tenant, not of the service. Empty keeps the one that is stored."),
        removing=gettext_lazy("Remove the stored profile key"),
    )

    class Meta:
        model = PolicyConnection
        fields = ("base_url", "profile_key")

    def clean_base_url(self) -> str:
        return vetted(self.cleaned_data.get("base_url"), sandbox=self.instance.service.is_sandbox)

    def clean(self) -> None:
        """A stored key goes to no new address."""
        super().clean()
        self.settle("profile_key")
        typed = PolicyConnection(
            service=self.instance.service, base_url=self.cleaned_data.get("base_url") or ""
        )
        kept = self.cleaned_data["profile_key"] and "profile_key" not in self.changed_data
        if kept and origin_of(typed.url) != self.instance.key_origin:
            self.add_error("profile_key", _("Type it again: a stored key is never sent to a new address."))

    def save(self, commit: bool = True) -> Any:
        """A key that was typed is for the address beside it."""
        if "profile_key" in self.changed_data:
            self.instance.keep_key_for_address()
        return super().save(commit)

    def _post_clean(self) -> None:
        """Where a key was typed for; one that waits keeps it with it."""
        super()._post_clean()  # type: ignore[misc]
        if "profile_key" in self.changed_data and not self.errors:
            self.instance.keep_key_for_address()


LARGEST = 200_000  # bytes


class PricesForm(forms.Form):
    """Cleaned, `rows` are the prices. A file goes before the text."""

    written = forms.CharField(
        required=False,
        strip=False,
        max_length=LARGEST,
        label=gettext_lazy("Prices"),
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy(
            "A line per country: country,sender kind,price,currency. The price is that of one segment; the kind may be empty."
        ),
    )
    file = forms.FileField(
        required=False,
        label=gettext_lazy("Or a CSV file"),
        help_text=gettext_lazy("It takes the place of the whole list."),
    )

    def clean(self) -> None:
        cleaned = self.cleaned_data
        name, written = "written", str(cleaned.get("written") or "")
        if (upload := cleaned.get("file")) is not None:
            name = "file"
            if upload.size > LARGEST:
                says = ngettext(
                    "The file has %(size)s byte; %(most)s are the most.",
                    "The file has %(size)s bytes; %(most)s are the most.",
                    upload.size,
                )
                self.add_error("file", says % {"size": number(upload.size), "most": number(LARGEST)})
                return
            try:
                written = upload.read().decode()
            except UnicodeDecodeError:
                self.add_error(
                    "file", _("The file is not UTF-8. Save it as “CSV UTF-8” and choose it again.")
                )
                return
        try:
            cleaned["rows"] = prices.read(written)
        except prices.BadPrices as problem:
            for sentence in problem.mistakes:
                self.add_error(name, retold(sentence))
