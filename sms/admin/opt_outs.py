"""Opt-outs in the admin: to read, and one to add."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest

from sms import models
from sms.admin.scoped import Scoped, actor
from sms.inbound import optouts
from sms.values.msisdn import BadNumber, mask, parse


class OptOutForm(forms.ModelForm):
    def clean_msisdn(self) -> str:
        service = self.cleaned_data.get("service")
        country = service.default_country if service else "GB"
        try:
            return parse(str(self.cleaned_data["msisdn"]), country=country).e164
        except BadNumber as problem:
            raise ValidationError(str(problem)) from None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        service, number = cleaned.get("service"), cleaned.get("msisdn")
        if service and number and optouts.in_force(service.pk, [number]):
            self.add_error("msisdn", "This number is opted out already.")
        return cleaned


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
            *("service", "masked_number", "source", "send", "at", "by", "evidence"),
            *("lifted_at", "lifted_by", "lifted_because"),
        )

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Lifting one takes a reason, which its page asks for."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A refusal is lifted, not forgotten."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Through the only code that writes opt-outs, which audits it too."""
        refusal = optouts.Refusal(obj.msisdn, obj.evidence)
        optouts.opt_out(obj.service_id, [refusal], by=actor(request), source=models.OptOut.Source.PAGE)
        stored = models.OptOut.objects.get(service_id=obj.service_id, msisdn=obj.msisdn, lifted_at=None)
        obj.pk, obj._state.adding = stored.pk, False

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return admin.ModelAdmin.log_addition(self, request, obj, message)

    @admin.display(description="MSISDN")
    def masked_number(self, opt_out: models.OptOut) -> str:
        return mask(opt_out.msisdn)
