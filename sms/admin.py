"""The Django admin: the catalogue to edit, messages, receipts and audit to read, and an *add send* form behind the one door.

A staff member sees the services they are admin of; a superuser sees all. django-q2's own pages are unregistered: its rows are
pickles, and a page that runs them is a page that runs anything.
"""

import contextlib
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success

from sms import compose, models
from sms.audience import AudienceError, Limits, read_pasted
from sms.msisdn import BadNumber, mask, parse

for queue_model in (Failure, OrmQ, Schedule, Success):
    with contextlib.suppress(NotRegistered):
        admin.site.unregister(queue_model)

admin.site.site_header = "Textdesk"
admin.site.site_title = "Textdesk admin"
admin.site.index_title = "Catalogue and records"


def administered(user: Any) -> "QuerySet[models.Service]":
    """Services that a staff member may administer."""
    if user.is_superuser:
        return models.Service.objects.all()
    return models.Service.objects.filter(memberships__user=user, memberships__role="admin").distinct()


class Scoped(admin.ModelAdmin):
    """Rows of the viewer's services only. `service_path` leads from the model to its service."""

    service_path = "service"
    list_select_related: ClassVar[Any] = True

    def _allowed(self, request: HttpRequest, obj: Model | None) -> bool:
        user: Any = request.user
        if not (user.is_active and user.is_staff):
            return False
        services = administered(user)
        if obj is None:
            return services.exists()
        return type(obj)._default_manager.filter(pk=obj.pk, **{f"{self.service_path}__in": services}).exists()

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Admins of any service."""
        return self._allowed(request, None)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Own services."""
        return self._allowed(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Own services."""
        return self._allowed(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Admins of any service."""
        return self._allowed(request, None)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What was used stays, by the database's own protection; the rest may go."""
        return self._allowed(request, obj)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Own services' rows."""
        return (
            super().get_queryset(request).filter(**{f"{self.service_path}__in": administered(request.user)})
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A row stays with its service: sends that use it were checked there."""
        fixed = tuple(super().get_readonly_fields(request, obj))
        names = {field.name for field in self.model._meta.fields}
        return (
            (*fixed, "service")
            if obj is not None and "service" in names and "service" not in fixed
            else fixed
        )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Choices from own services only."""
        related = db_field.remote_field.model
        if related is models.Service:
            kwargs["queryset"] = administered(request.user)
        elif any(field.name == "service" for field in related._meta.fields):
            kwargs["queryset"] = related._default_manager.filter(service__in=administered(request.user))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Our own audit beside Django's log."""
        self._audit(request, obj, "added")
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Our own audit beside Django's log."""
        self._audit(request, obj, "changed", fields=_changed_fields(message))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Our own audit beside Django's log."""
        for obj in queryset:
            self._audit(request, obj, "deleted")
        return super().log_deletions(request, queryset)

    def _audit(self, request: HttpRequest, obj: Any, verb: str, **details: Any) -> None:
        noun = obj._meta.model_name
        slug = obj.slug if noun == "service" else getattr(getattr(obj, "service", None), "slug", "")
        models.AuditEvent.record(
            f"{noun}.{verb}",
            by=actor(request),
            service_slug=slug,
            noun=noun,
            noun_key=obj.pk,
            named=str(obj),
            **details,
        )


def _changed_fields(message: Any) -> list[str]:
    if not isinstance(message, list):
        return []
    return [
        name
        for part in message
        if isinstance(part, dict)
        for name in part.get("changed", {}).get("fields", [])
    ]


def actor(request: HttpRequest) -> models.Actor:
    """The staff member as the `by=` of an act."""
    user: Any = request.user
    return models.Actor(
        kind="user",
        key=str(user.pk),
        label=str(user),
        door="admin",
        address=str(request.META.get("REMOTE_ADDR") or "")[:45],
    )


class ReadOnly(Scoped):
    """Records: nobody edits what happened."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


@admin.register(models.Region)
class RegionAdmin(admin.ModelAdmin):
    """Hosts and DNS targets; shared by all services, so for superusers."""

    list_display = ("name", "key", "host", "dns_kind", "dns_target")


@admin.register(models.Service)
class ServiceAdmin(Scoped):
    """Contract and limits; credentials are written on the settings page and never shown."""

    service_path = "pk"
    list_display = ("name", "slug", "region", "rate", "paused_at")
    fields = (
        "name",
        "slug",
        "region",
        "base_url",
        "rate",
        "batch_size",
        "burst",
        "quiet_hours",
        "hold_failures",
        "hold_silence",
        "hold_opt_outs",
        "e164_plus",
        "text_limit",
        "default_country",
        "time_zone",
    )

    readonly_fields = (
        "slug",
        "region",
        "base_url",
    )  # credentials hang on the address: it changes on the settings page

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Services begin on the settings page, where their connection is made."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Its history hangs on it."""
        return False


@admin.register(models.Sender)
class SenderAdmin(Scoped):
    """Senders."""

    list_display = ("address", "kind", "service", "is_default", "active")
    list_filter = ("kind", "active")
    search_fields = ("address",)


@admin.register(models.MessageTemplate)
class TemplateAdmin(Scoped):
    """Message templates."""

    list_display = ("name", "service", "provider_template_id", "active", "changed_at")
    list_filter = ("active",)
    search_fields = ("name", "text")


@admin.register(models.ContactPolicyGroup)
class PolicyGroupAdmin(Scoped):
    """Contact-policy groups."""

    list_display = ("name", "service", "group_id", "check_consent", "apply_frequency_cap", "active")
    search_fields = ("name", "group_id")


@admin.register(models.ShortLinkDomain)
class LinkDomainAdmin(Scoped):
    """Short-link domains."""

    list_display = ("host", "service", "region", "active")
    search_fields = ("host",)


class SendForm(forms.ModelForm):
    """*Add send*: the fields of an order. Whether it makes a send is decided by `compose.check`, as on the compose page."""

    recipients_text = forms.CharField(
        label="Recipients",
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="One number per line, in any way of writing them.",
    )
    send_at = forms.SplitDateTimeField(
        label="Time",
        required=False,
        widget=AdminSplitDateTime(),
        help_text="UTC. Empty means now.",
    )

    class Meta:
        model = models.Send
        fields = ("service", "name", "sender", "text", "template", "policy_group", "link_domain")

    order: compose.Order

    def clean(self) -> dict[str, Any]:
        """Every problem at its field."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        service = cleaned["service"]
        limits = Limits(bytes=settings.UPLOAD_MAX_BYTES, rows=settings.UPLOAD_MAX_ROWS)
        try:
            audience = read_pasted(cleaned["recipients_text"], country=service.default_country, limits=limits)
        except AudienceError as unreadable:
            raise ValidationError({"recipients_text": str(unreadable)}) from None
        self.order = compose.Order(
            service=service,
            audience=audience,
            sender=cleaned.get("sender"),
            content=(cleaned.get("text") or "").replace("\r\n", "\n"),
            template=cleaned.get("template"),
            name=cleaned.get("name") or "",
            due_at=cleaned.get("send_at"),
            policy_group=cleaned.get("policy_group"),
            link_domain=cleaned.get("link_domain"),
            source="admin",
        )
        try:
            compose.check(self.order)
        except compose.ComposeError as error:
            for problem in error.problems:
                field = {"audience": "recipients_text"}.get(problem.field, problem.field)
                self.add_error(field if field in self.fields else None, problem.text)
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        """The row is made by `compose.create`; only the order is checked here."""
        return {field.name for field in models.Send._meta.fields}

    def validate_constraints(self) -> None:
        """See above."""


@admin.register(models.Send)
class SendAdmin(ReadOnly):
    """Sends to read, and one to add."""

    list_display = ("name", "service", "state", "recipients", "rejected", "due_at", "created_by")
    list_filter = ("state",)
    search_fields = ("name",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Admins of any service."""
        return self._allowed(request, None)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Our own form to add one."""
        if obj is None:
            kwargs["form"] = SendForm
            form = super().get_form(request, obj, change, **kwargs)
            form.base_fields["name"].required = form.base_fields["sender"].required = False
            return form
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The order's fields, or the row's."""
        if obj is None:
            return (
                *SendForm.Meta.fields[:2],
                "sender",
                "recipients_text",
                *SendForm.Meta.fields[3:],
                "send_at",
            )
        return super().get_fields(request, obj)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """Through the one door."""
        send = compose.create(form.order, by=actor(request), user=request.user)
        form.instance = send
        return send

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Already saved by `compose.create`."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing hangs on it."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """`compose.create` wrote the audit row."""
        messages.info(request, f"{obj.recipients} recipients, {obj.rejected} rejected.")
        return admin.ModelAdmin.log_addition(self, request, obj, message)


@admin.register(models.Message)
class MessageAdmin(ReadOnly):
    """Messages, numbers masked."""

    service_path = "send__service"
    list_display = ("id", "masked_number", "state", "code", "send")
    list_select_related = ("send",)
    fields = (
        "send",
        "masked_number",
        "row",
        "state",
        "code",
        "detail",
        "attempt",
        "provider_id",
        "segments",
        "posted_at",
        "final_at",
    )
    readonly_fields = fields
    show_full_result_count = False

    @admin.display(description="MSISDN")
    def masked_number(self, message: models.Message) -> str:
        """Revealed on no admin page."""
        return mask(message.msisdn)


@admin.register(models.Hold)
class HoldAdmin(ReadOnly):
    """What was paused, by whom, and when it went on; pausing and resuming are acts of the pages."""

    list_display = (
        "covers",
        "service",
        "rule",
        "because",
        "placed_at",
        "placed_by",
        "lifted_at",
        "lifted_by",
    )
    list_filter = ("rule",)
    list_select_related = ("service", "send", "sender", "link_domain")


class OptOutForm(forms.ModelForm):
    """A number in any way of writing it; once stored, only its evidence and its lifting may change."""

    def clean_msisdn(self) -> str:
        """As messages have it."""
        service = self.cleaned_data.get("service")
        country = service.default_country if service else "GB"
        try:
            return parse(str(self.cleaned_data["msisdn"]), country=country).e164
        except BadNumber as problem:
            raise ValidationError(str(problem)) from None


@admin.register(models.OptOut)
class OptOutAdmin(Scoped):
    """Numbers that are not written to, masked. Lifting one keeps its row."""

    form = OptOutForm
    list_display = ("masked_number", "service", "source", "at", "lifted_at")
    list_filter = ("source",)
    list_select_related = ("service",)
    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new one by its number, a stored one masked."""
        if obj is None:
            return ("service", "msisdn", "evidence")
        return ("service", "masked_number", "source", "send", "at", "evidence", "lifted_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whom it is about stays."""
        return () if obj is None else ("service", "masked_number", "source", "send", "at")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A refusal is lifted, not forgotten."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Made here, it came from a person."""
        if not change:
            obj.source = "page"
        super().save_model(request, obj, form, change)

    @admin.display(description="MSISDN")
    def masked_number(self, opt_out: models.OptOut) -> str:
        """Revealed on no admin page."""
        return mask(opt_out.msisdn)


@admin.register(models.Receipt)
class ReceiptAdmin(ReadOnly):
    """Receipts: that they came, not what they say of a person."""

    list_display = ("id", "service", "message_id", "attempt", "received_at")
    fields = ("service", "message_id", "attempt", "received_at")
    show_full_result_count = False


@admin.register(models.AuditEvent)
class AuditAdmin(ReadOnly):
    """The audit trail of the viewer's services."""

    list_display = ("at", "service_slug", "actor_label", "door", "act", "noun", "noun_key")
    list_filter = ("act", "door")
    list_select_related = False
    show_full_result_count = False

    def _allowed(self, request: HttpRequest, obj: Model | None) -> bool:
        user: Any = request.user
        if not (user.is_active and user.is_staff):
            return False
        slugs = set(administered(user).values_list("slug", flat=True))
        return (
            bool(slugs) if obj is None else user.is_superuser or getattr(obj, "service_slug", None) in slugs
        )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Events name their service by slug."""
        rows = admin.ModelAdmin.get_queryset(self, request)
        user: Any = request.user
        return rows if user.is_superuser else rows.filter(service_slug__in=administered(user).values("slug"))
