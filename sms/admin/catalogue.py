"""Regions, services and what sends are made of, in the admin."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from sms import models
from sms.admin.scoped import Audited, Scoped, actor
from sms.catalogue import domains, templates
from sms.catalogue.connection import ConnectionVerdict
from sms.values import text_hints


@admin.register(models.Region)
class RegionAdmin(Audited):
    """Hosts and DNS targets; shared by all services, so for superusers."""

    list_display = ("name", "key", "host", "dns_kind", "dns_target")
    search_fields = ("name", "key", "host", "dns_target")


@admin.register(models.Service)
class ServiceAdmin(Scoped):
    """Contract and limits; credentials are written on the settings page and never shown."""

    service_path = "pk"
    list_display = ("name", "slug", "region", "rate", "paused_at")
    fields = (
        *("name", "slug", "region", "base_url", "rate", "batch_size", "burst", "quiet_hours"),
        *("hold_failures", "hold_silence", "hold_opt_outs", "e164_plus", "text_limit"),
        *("default_country", "time_zone", "keep_bodies", "keep_numbers", "keep_receipts"),
        *("connection",),
    )
    list_filter = ("region",)
    search_fields = ("name", "slug")

    readonly_fields = (
        "slug",
        "region",
        "base_url",
        "connection",
    )  # credentials hang on the address: it changes on the settings page

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """One secret that cannot be read must not take this page away."""
        return super().get_queryset(request).defer(*models.Service.secrets())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """These columns and no other: a service that was paused since the page was opened stays paused."""
        obj.save(update_fields=form.changed_data)

    @admin.display(description="connection")
    def connection(self, service: models.Service) -> str:
        if not service.checked_at:
            return "not tested"
        return f"{ConnectionVerdict(service.check_verdict).label} ({service.checked_at:%Y-%m-%d %H:%M} UTC)"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Services begin on the settings page, where their connection is made."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(models.ApprovalRules)
class ApprovalRulesAdmin(Scoped):
    list_display = (
        *("service", "size", "size_approvers", "new_sender", "new_domain", "new_country", "outside_hours"),
    )
    search_fields = ("service__name",)


@admin.register(models.Sender)
class SenderAdmin(Scoped):
    list_display = ("address", "kind", "service", "is_default", "active")
    list_filter = ("kind", "active", "service")
    search_fields = ("address",)


@admin.register(models.MessageTemplate)
class TemplateAdmin(Scoped):
    list_display = ("name", "service", "provider_template_id", "active", "changed_at")
    list_filter = ("active",)
    search_fields = ("name", "text")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A changed text is a new version, published at once, as on the template's page."""
        super().save_model(request, obj, form, change)
        templates.adopt(obj, by=actor(request))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Placeholders of another syntax are refused here too."""
        form = super().get_form(request, obj, change, **kwargs)

        def clean_text(self: Any) -> str:
            written = str(self.cleaned_data["text"])
            if problems := text_hints.unknown(written):
                raise ValidationError(problems)
            return written

        return type(form.__name__, (form,), {"clean_text": clean_text})


@admin.register(models.Smartlink)
class SmartlinkAdmin(Scoped):
    list_display = ("name", "smartlink_id", "validity", "service", "active")
    search_fields = ("name",)


@admin.register(models.ContactPolicyGroup)
class PolicyGroupAdmin(Scoped):
    list_display = ("name", "service", "group_id", "check_consent", "apply_frequency_cap", "active")
    search_fields = ("name", "group_id")


@admin.register(models.ShortLinkDomain)
class LinkDomainAdmin(Scoped):
    list_display = ("host", "service", "region", "state", "checked_at", "active")
    list_filter = ("state", "active")
    search_fields = ("host",)
    readonly_fields = ("state", "says", "since", "checked_at")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The name is judged as on the domain's page."""
        form = super().get_form(request, obj, change, **kwargs)

        def clean_host(self: Any) -> str:
            try:
                return domains.usable(self.cleaned_data["host"], own=settings.PUBLIC_HOST)
            except domains.BadName as problem:
                raise ValidationError(str(problem)) from None

        return type(form.__name__, (form,), {"clean_host": clean_host})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Another name or region is another domain to check."""
        if change and {"host", "region"} & set(form.changed_data):
            obj.forget()
        super().save_model(request, obj, form, change)
