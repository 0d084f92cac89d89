"""Regions, services and what sends are made of, in the admin."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import localize
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sms import models
from sms.admin.scoped import Audited, Scoped, actor
from sms.callbacks import BadAddress
from sms.catalogue import api_keys, content_gate, domains, provider_address, templates
from sms.catalogue.connection import ConnectionVerdict
from sms.inbound.receipts.rotate import remove_secret
from sms.values.text import line_breaks


class RegionAdminForm(forms.ModelForm):
    def clean_host(self) -> str:
        """Credentials go there, so it is vetted like a base URL."""
        typed = str(self.cleaned_data["host"]).strip().lower()
        own = frozenset(host.lower() for host in (settings.PUBLIC_HOST, *settings.ALLOWED_HOSTS))
        try:
            found = provider_address.usable(
                f"https://{typed}", loopback=False, public_url=settings.PUBLIC_URL, own_hosts=own
            )
        except BadAddress as problem:
            raise ValidationError(str(problem)) from None
        return found.removeprefix("https://")

    def clean_a_record(self) -> str | None:
        """The constraint of the table knows no empty text."""
        return self.cleaned_data["a_record"] or None


@admin.register(models.Region)
class RegionAdmin(Audited):
    """Hosts and DNS targets; shared by all services, so for superusers."""

    form = RegionAdminForm
    list_display = ("name", "key", "host", "host_documented", "kind_of_record", "target")
    search_fields = ("name", "key", "host", "a_record", "cname")

    @admin.display(description=_("DNS kind"))
    def kind_of_record(self, region: models.Region) -> str:
        return region.dns_kind

    @admin.display(description=_("DNS target"))
    def target(self, region: models.Region) -> str:
        return region.dns_target


@admin.register(models.Service)
class ServiceAdmin(Scoped):
    """Contract and limits. Services begin on the settings page, where credentials are written too, which are never shown."""

    service_path = "pk"
    list_display = ("name", "slug", "region", "rate", "paused_at")
    fields = (
        *("name", "slug", "region", "base_url", "rate", "batch_size", "burst", "quiet_hours"),
        *("hold_failures", "hold_silence", "hold_opt_outs", "unconfirmed_hours", "e164_plus", "text_limit"),
        *("length_unit", "link_fields", "link_tag1", "link_tag2", "smartlink_unit", "validity_kept"),
        *("default_country", "time_zone", "keep_bodies", "keep_numbers", "keep_receipts"),
        *("notify_url_signed", "notify_url_auth_id"),
        *("connection",),
    )
    list_filter = ("region",)
    search_fields = ("name", "slug")

    # credentials hang on the address: it changes on the settings page
    readonly_fields = ("slug", "region", "base_url", "connection")
    never = ("add", "delete")
    actions = ("remove_signature_secret",)

    @admin.action(description=_("Ask for no signature any more: remove the signature secret"))
    def remove_signature_secret(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        removed = [one.name for one in queryset if remove_secret(one, by=actor(request))]
        if removed:
            says = gettext("Removed for %(services)s.") % {"services": ", ".join(removed)}
        else:
            says = gettext("There was no signature secret to remove.")
        self.message_user(request, says)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """One secret that cannot be read must not take this page away."""
        return super().get_queryset(request).defer(*models.Service.secrets())

    def store(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """These columns and no other: a service that was paused since the page was opened stays paused."""
        obj.save(update_fields=form.changed_data)

    @admin.display(description=_("connection"))
    def connection(self, service: models.Service) -> str:
        if not service.checked_at:
            return gettext("not tested")
        return f"{ConnectionVerdict(service.check_verdict).label} ({localize(timezone.localtime(service.checked_at))})"


@admin.register(models.ApprovalRules)
class ApprovalRulesAdmin(Scoped):
    list_display = (
        *("service", "size", "size_approvers", "new_sender", "new_domain", "new_country", "outside_hours"),
    )
    search_fields = ("service__name",)
    never = ("delete",)  # choose “no approval” instead, which is asked about


class ApiKeyAdminForm(forms.ModelForm):
    class Meta:
        fields = models.ApiKey.POLICIES

    def clean(self) -> dict[str, Any]:
        """Judged as on its page."""
        cleaned = super().clean() or self.cleaned_data
        for name in cleaned:
            setattr(self.instance, name, cleaned[name])
        try:
            api_keys.check(self.instance)
        except ValidationError as problem:  # also of what this form does not have
            known = {name for name in problem.error_dict if name in self.fields}
            raise ValidationError(
                {name: problem.error_dict[name] for name in known} or problem.messages
            ) from None
        return cleaned


@admin.register(models.ApiKey)
class ApiKeyAdmin(Scoped):
    """Policies only. A key is made where it can be shown once: on its page, or by `manage.py api_key`."""

    form = ApiKeyAdminForm
    fields = ("name", "prefix", *models.ApiKey.POLICIES)
    readonly_fields = ("name", "prefix")
    list_display = ("name", "prefix", "service", "purpose", "resend", "takes_jwt", "expires_at", "revoked_at")
    list_filter = ("purpose", "service")
    search_fields = ("name", "prefix")
    never = ("add", "delete")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not of one that waits: the second admin confirms what was asked for."""
        usable = obj is None or (obj.confirmed and obj.revoked_at is None)
        return usable and super().has_change_permission(request, obj)

    def store(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.save(update_fields=form.changed_data)
        if form.changed_data:
            obj.makers.add(request.user)


@admin.register(models.Sender)
class SenderAdmin(Scoped):
    list_display = ("address", "kind", "service", "is_default", "active")
    list_filter = ("kind", "active", "service")
    search_fields = ("address",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """There is one default: the previous one stops being it, as on the sender's page."""
        if obj.is_default:
            obj.service.senders.exclude(pk=obj.pk).filter(is_default=True).update(is_default=False)
        super().save_model(request, obj, form, change)
        if obj.caution:
            messages.warning(request, obj.caution)


class TemplateAdminForm(forms.ModelForm):
    def clean_text(self) -> str:
        """Placeholders of another syntax are refused here too."""
        written = line_breaks(str(self.cleaned_data["text"]))
        if problems := content_gate.refusals(content_gate.of_template(written)):
            raise ValidationError(problems)
        return written


@admin.register(models.MessageTemplate)
class TemplateAdmin(Scoped):
    form = TemplateAdminForm
    list_display = ("name", "service", "provider_template_id", "active", "changed_at")
    list_filter = ("active",)
    search_fields = ("name", "text")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A changed text is a new version, published at once, as on the template's page."""
        super().save_model(request, obj, form, change)
        templates.adopt(obj, by=actor(request))


@admin.register(models.Smartlink)
class SmartlinkAdmin(Scoped):
    list_display = ("name", "smartlink_id", "validity", "service", "active")
    search_fields = ("name",)


@admin.register(models.ContactPolicyGroup)
class PolicyGroupAdmin(Scoped):
    list_display = ("name", "service", "group_id", "check_consent", "apply_frequency_cap", "active")
    search_fields = ("name", "group_id")


class LinkDomainAdminForm(forms.ModelForm):
    def clean_host(self) -> str:
        """The name is judged as on the domain's page."""
        try:
            return domains.usable(self.cleaned_data["host"], own=settings.PUBLIC_HOST)
        except domains.BadName as problem:
            raise ValidationError(str(problem)) from None


@admin.register(models.ShortLinkDomain)
class LinkDomainAdmin(Scoped):
    form = LinkDomainAdminForm
    list_display = ("host", "service", "region", "state", "checked_at", "active")
    list_filter = ("state", "active")
    search_fields = ("host",)
    readonly_fields = ("state", "says", "since", "checked_at")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Another name or region is another domain to check."""
        if change and {"host", "region"} & set(form.changed_data):
            obj.forget()
        super().save_model(request, obj, form, change)
