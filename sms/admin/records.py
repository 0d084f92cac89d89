"""What happened, to read: messages, holds, opt-outs with one to add, receipts, the audit."""

from copy import copy
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sms import models
from sms.admin.scoped import ReadOnly, Scoped, actor, administered, mark, slugs_of
from sms.inbound import optouts
from sms.values.msisdn import BadNumber, certain, mask
from sms.values.msisdn.mention import masked, starred
from sms.words import retold


class ByMessageState(admin.ChoicesFieldListFilter):
    """In the words of the pages. The column has no choices of its own, and Django would ask all messages for theirs."""

    def __init__(self, field: Any, *given: Any, **named: Any) -> None:
        in_words = copy(field)
        in_words.choices = models.MessageState.choices
        super().__init__(in_words, *given, **named)


@admin.register(models.Message)
class MessageAdmin(ReadOnly):
    service_path = "send__service"
    list_display = ("id", "masked_number", "shown_state", "code", "send")
    list_filter = (("state", ByMessageState), "send__service")
    list_select_related = ("send",)
    search_fields = ("provider_id", "code")
    search_help_text = _("Provider ID or code. Numbers are searched on the Messages page.")
    fields = (
        *(
            "send",
            "masked_number",
            "row",
            "shown_state",
            "code",
            "said",
            "attempt",
            "provider_id",
            "segments",
        ),
        *("posted_at", "final_at"),
    )
    readonly_fields = fields
    show_full_result_count = False

    @admin.display(description="MSISDN")
    def masked_number(self, message: models.Message) -> str:
        return mask(message.msisdn)

    @admin.display(description=pgettext_lazy("noun", "state"), ordering="state")
    def shown_state(self, message: models.Message) -> str:
        return mark(message.state, models.MessageState(message.state).label)

    @admin.display(description=_("detail"))
    def said(self, message: models.Message) -> str:
        return starred(retold(message.detail), message.msisdn)


@admin.register(models.Hold)
class HoldAdmin(ReadOnly):
    """What was paused, by whom, and when it went on; pausing and resuming are acts of the pages."""

    list_display = (
        *("covers", "service", "rule", "reason", "placed_at", "placed_by", "lifted_at", "lifted_by"),
    )
    fields = (*("service", "covers", "rule", "reason", "placed_at", "placed_by", "lifted_at", "lifted_by"),)
    list_filter = ("rule",)
    list_select_related = ("service", "send", "sender", "link_domain")

    @admin.display(description=_("because"))
    def reason(self, hold: models.Hold) -> str:
        return masked(retold(hold.because))


@admin.register(models.InboundMessage)
class InboundAdmin(ReadOnly):
    """What people wrote to us: that they did and what we made of it, not what they said."""

    list_display = ("id", "service", "meaning", "sure", "why", "received_at")
    list_filter = ("meaning", "sure", "why", "service")
    fields = ("service", "address", "meaning", "sure", "why", "reason", "send", "received_at")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Without the body, which is not shown here."""
        return super().get_queryset(request).defer("raw", "text")


@admin.register(models.SavedAudience)
class AudienceAdmin(ReadOnly):
    """Saved audiences and their figures; rows are uploaded, searched and exported on their pages."""

    list_display = ("name", "service", "recipients", "version", "uploaded", "archived_at")
    list_filter = (("archived_at", admin.EmptyFieldListFilter), "service")
    list_select_related = ("service", "current")
    search_fields = ("name", "note")
    fields = (
        "service",
        "name",
        "shown_note",
        "recipients",
        "version",
        "uploaded",
        "created_at",
        "archived_at",
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return super().get_queryset(request).defer("current__rejects")

    @admin.display(description=_("note"))
    def shown_note(self, audience: models.SavedAudience) -> str:
        return masked(audience.note)

    @admin.display(description=_("recipients"), ordering="current__recipients")
    def recipients(self, audience: models.SavedAudience) -> int:
        return audience.current.recipients if audience.current else 0

    @admin.display(description=_("version"), ordering="current__number")
    def version(self, audience: models.SavedAudience) -> int:
        return audience.current.number if audience.current else 0

    @admin.display(description=_("uploaded"), ordering="current__made_at")
    def uploaded(self, audience: models.SavedAudience) -> Any:
        return audience.current.made_at if audience.current else None


class OptOutForm(forms.ModelForm):
    def clean_msisdn(self) -> str:
        service = self.cleaned_data.get("service")
        country = service.default_country if service else "GB"
        try:
            return certain(str(self.cleaned_data["msisdn"]), country=country)
        except BadNumber as problem:
            raise ValidationError(str(problem), code=problem.code) from None

    def clean(self) -> None:
        super().clean()
        service, number = self.cleaned_data.get("service"), self.cleaned_data.get("msisdn")
        if service and number and models.OptOut.in_force(service.pk, [number]):
            self.add_error("msisdn", gettext("This number is opted out already."))


@admin.register(models.OptOut)
class OptOutAdmin(Scoped):
    """Numbers that are not written to, masked. One can be added; lifting one, with its reason, is an act of the opt-outs page."""

    form = OptOutForm
    list_display = ("masked_number", "service", "source", "at", "by", "lifted_at", "lifted_by")
    list_filter = ("source", ("lifted_at", admin.EmptyFieldListFilter), "service")
    list_select_related = ("service",)
    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("service", "msisdn", "evidence")
        return (
            *("service", "masked_number", "source", "send", "at", "by", "shown_evidence"),
            *("lifted_at", "lifted_by", "shown_reason"),
        )

    # lifting one takes a reason, which its page asks for; a refusal is lifted, not forgotten
    never = ("change", "delete")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Through the only code that writes opt-outs, which audits it too."""
        refusal = optouts.Refusal(obj.msisdn, obj.evidence)
        optouts.opt_out(obj.service_id, [refusal], by=actor(request), source=models.OptOut.Source.PAGE)
        stored = models.OptOut.objects.get(service_id=obj.service_id, msisdn=obj.msisdn, lifted_at=None)
        obj.pk, obj._state.adding = stored.pk, False

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return admin.ModelAdmin.log_addition(self, request, obj, message)

    @admin.display(description=_("evidence"))
    def shown_evidence(self, opt_out: models.OptOut) -> str:
        return masked(retold(opt_out.evidence))

    @admin.display(description=_("lifted because"))
    def shown_reason(self, opt_out: models.OptOut) -> str:
        return masked(opt_out.lifted_because)

    @admin.display(description="MSISDN")
    def masked_number(self, opt_out: models.OptOut) -> str:
        return mask(opt_out.msisdn)


@admin.register(models.Receipt)
class ReceiptAdmin(ReadOnly):
    """Receipts: that they came, not what they say of a person."""

    list_display = ("id", "service", "message_id", "attempt", "simulated", "received_at")
    list_filter = ("service", "received_at")
    fields = ("service", "message_id", "attempt", "received_at")
    show_full_result_count = False


@admin.register(models.AuditEvent)
class AuditAdmin(ReadOnly):
    list_display = ("at", "service_slug", "actor_label", "door", "act", "noun", "noun_key")
    list_filter = ("door", "at", "noun")
    list_select_related = False
    search_fields = ("act", "actor_label", "noun_key", "service_slug")
    show_full_result_count = False

    def _allowed(self, request: HttpRequest, obj: Model | None) -> bool:
        """Events of no service, too, are for superusers."""
        user: Any = request.user
        if obj is None or not (user.is_active and user.is_staff):
            return super()._allowed(request, None)
        return user.is_superuser or getattr(obj, "service_slug", None) in slugs_of(request)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Events name their service by slug."""
        rows = admin.ModelAdmin.get_queryset(self, request)
        user: Any = request.user
        return rows if user.is_superuser else rows.filter(service_slug__in=administered(user).values("slug"))
