"""The form of a service's connection to Webex Connect, which also makes a new service."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.forms.credentials import CredentialField, SecretsForm
from portal.forms.provider_address import vetted
from sms.models import AuthKind, PolicyConnection, Region, Service
from sms.webex.hosts import api_hosts_for, region_of
from sms.webex.origin import origin_of


class RegionField(forms.ModelChoiceField):
    """Named with its address, by which people know their tenant."""

    def label_from_instance(self, region: Any) -> str:
        label = region.host.removeprefix("api.")
        if region.host_documented:
            return f"{region.name} ({label})"
        return _("%(region)s (%(address)s, a guess)") % {"region": region.name, "address": label}


class ConnectionForm(SecretsForm):
    """How we reach Webex Connect, and how it reaches us."""

    region = RegionField(
        queryset=Region.objects.all(),
        label=gettext_lazy("Region"),
        help_text=gettext_lazy(
            "As in your tenant's address: uk in tenant.uk.webexconnect.io. “A guess” is not in Webex Connect's documents."
        ),
    )
    api_key = CredentialField(
        gettext_lazy("Service key"),
        gettext_lazy("From the service's API tab in Webex Connect. Leave empty to keep the stored one."),
        removing=gettext_lazy("Remove the stored service key"),
    )
    jwt_secret = CredentialField(
        gettext_lazy("Service secret"),
        gettext_lazy("Base64, from the same tab. Leave empty to keep the stored one."),
        removing=gettext_lazy("Remove the stored service secret"),
    )
    receipt_secret = CredentialField(
        gettext_lazy("Signature secret"),
        gettext_lazy("Only if your outbound webhook has one. Leave empty to keep the stored one."),
        removing=gettext_lazy("Remove the stored signature secret"),
    )

    class Meta:
        model = Service
        fields = (
            *("name", "region", "base_url", "auth_kind", "api_key", "jwt_service_id", "jwt_secret"),
            *("receipt_secret", "receipt_algorithm", "notify_url_signed", "notify_url_auth_id"),
        )

    SECRETS = ("api_key", "jwt_secret", "receipt_secret")
    FOR_ADDRESS = frozenset({"api_key", "jwt_secret"})  # sent to the address; the signature secret is not
    TOGETHER = (
        *Service.CONNECTION,
        "secrets_origin",
    )  # while approval is on, another connection waits as a whole
    TESTED = frozenset({"region", "base_url", "auth_kind", "api_key", "jwt_service_id", "jwt_secret"})

    def clean_base_url(self) -> str:
        base_url = vetted(self.cleaned_data.get("base_url"), sandbox=self.instance.is_sandbox)
        if hosts := api_hosts_for(base_url):
            names = {"typed": urlsplit(base_url).hostname, "host": f"https://{hosts[0]}"}
            says = _("%(typed)s is where people sign in. Type the address of its API instead: %(host)s.")
            if len(hosts) > 1:
                names["others"] = ", ".join(f"https://{host}" for host in hosts[1:])
                says = _(
                    "%(typed)s is where people sign in. Type the address of its API instead: %(host)s or %(others)s."
                )
            raise forms.ValidationError(says % names)
        return base_url

    def clean_region(self) -> Region:
        """Its host can be edited, so it is vetted like a base URL."""
        region: Region = self.cleaned_data["region"]
        vetted(f"https://{region.host}", sandbox=False)
        return region

    def clean(self) -> None:
        """Keep stored secrets where nothing was typed, and ask for what the way of signing in needs.

        Another address keeps neither key nor secret, whichever of them is used: both were typed for the address before.
        """
        super().clean()
        cleaned = self.cleaned_data
        self._same_region(cleaned)
        moved = bool(self.instance.pk) and self._address(cleaned) != self.instance.secrets_origin
        for name in self.SECRETS:
            self.settle(name, kept=not (moved and name in self.FOR_ADDRESS))
        used = "api_key" if cleaned.get("auth_kind") == AuthKind.KEY else "jwt_secret"
        if moved and not cleaned[used]:
            self.add_error(used, _("Type it again: a stored secret is never sent to a new address."))
            return
        if cleaned.get("auth_kind") == AuthKind.KEY and not cleaned.get("api_key"):
            self.add_error("api_key", _("Paste the service key, or choose JWT."))
        if cleaned.get("auth_kind") == AuthKind.JWT:
            for name, says in (
                ("jwt_service_id", _("Paste the service ID, or choose Service key.")),
                ("jwt_secret", _("Paste the service secret, or choose Service key.")),
            ):
                if not cleaned.get(name):
                    self.add_error(name, says)

    def _same_region(self, cleaned: dict[str, Any]) -> None:
        """A base URL of another region would let short links and receipts be set up for the wrong one."""
        chosen = cleaned.get("region")
        meant = Region.objects.filter(key=region_of(cleaned.get("base_url") or "")).first()
        if chosen is not None and meant is not None and meant != chosen:
            host = origin_of(cleaned["base_url"]).removeprefix("https://")
            says = _("%(host)s is in %(region)s. Choose %(region)s, or correct the base URL.")
            self.add_error("region", says % {"host": host, "region": meant.name})

    def _address(self, cleaned: dict[str, Any]) -> str:
        if cleaned.get("base_url"):
            return origin_of(cleaned["base_url"])
        return origin_of(f"https://{cleaned['region'].host}") if cleaned.get("region") else ""

    def _post_clean(self) -> None:
        """Where the secrets were typed for; a connection that waits keeps it with them."""
        super()._post_clean()  # type: ignore[misc]
        if self.instance.pk and not self.errors:
            self.instance.secrets_origin = origin_of(self.instance.provider_url)

    def save(self, commit: bool = True) -> Service:
        """A new service gets its slug from its name; a changed secret keeps the previous signature secret for the hand-over."""
        service: Service = self.instance
        if service.pk:
            if (
                self.stored("api_key") != self.cleaned_data["api_key"]
                or "jwt_service_id" in self.changed_data
            ):
                service.forget_proofs()  # they may be another tenant's
            before, now = self.stored("receipt_secret"), self.cleaned_data["receipt_secret"]
            if not now:  # removed: the one before would ask for signatures still
                service.receipt_secret_before = ""
            elif before and before != now:
                service.receipt_secret_before = before
        else:
            service.slug = _free_slug(service.name)
        if not self.held:  # what is stored stays for the address that it was typed for
            service.keep_secrets_for_address()
        if self.TESTED & set(self.changed_data):  # a test of before says nothing any more
            service.checked_at, service.check_verdict = None, ""
        if commit and not service.pk:
            service.save()
        elif commit:
            beside = (
                "secrets_origin",
                "live_since",
                "receipt_secret_before",
                "checked_at",
                "check_verdict",
                *Service.PROOFS,
            )
            service.save(update_fields=[*self.Meta.fields, *beside])
            drop_profile_key_of_other_address(service)
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


def drop_profile_key_of_other_address(service: Service) -> None:
    """Another region is another Contact Policy, where none has a base URL of its own."""
    policy = PolicyConnection.objects.filter(service=service).first()
    if policy is not None and policy.key_origin != origin_of(policy.url):
        policy.profile_key = policy.key_origin = ""
        policy.save(update_fields=["profile_key", "key_origin"])


def _free_slug(name: str) -> str:
    stem = slugify(name)[:36] or "service"
    taken = set(Service.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(slug for n in range(1, 10_000) if (slug := stem if n == 1 else f"{stem}-{n}") not in taken)
