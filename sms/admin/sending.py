"""Sends in the admin: to read, and one to add, which goes on to its flight plan as a draft: nothing is sent before that was seen."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sms import models
from sms.admin.scoped import DateAndTime, ReadOnly, actor, mark
from sms.audiences.files import AudienceError, Limits, read_pasted
from sms.compose import checks, labels
from sms.compose.errors import ComposeError
from sms.compose.options import asking_for
from sms.compose.order import Order
from sms.models.audit import audit
from sms.sends import holds
from sms.sends.own_numbers import without_recipients

TEXTS = models.SendOptions.TEXTS.split()
OPTIONS = tuple(field.name for field in models.SendOptions.fields())


class SendForm(forms.ModelForm):
    """*Add send*: the fields of an order. What `checks.check` refuses becomes no draft."""

    recipients_text = forms.CharField(
        label=_("Recipients"),
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("One number per line. Any format works: 07700 900001, +44 7700 900001"),
    )
    labels = forms.CharField(
        required=False,
        label=_("Labels"),
        help_text=_("Words by which reports are sorted, with commas between them."),
    )
    send_at = forms.SplitDateTimeField(
        label=_("Time"),
        required=False,
        widget=DateAndTime(),
        help_text=_("In your time zone, as the foot of the page names it. Empty: now."),
    )

    class Meta:
        model = models.Send
        fields = ("service", "name", "sender", "text", "template", *OPTIONS)

    order: Order

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        service = cleaned["service"]
        limits = Limits(bytes=settings.UPLOAD_MAX_BYTES, rows=settings.UPLOAD_MAX_ROWS)
        try:
            audience = read_pasted(cleaned["recipients_text"], country=service.default_country, limits=limits)
        except AudienceError as unreadable:
            wrong = ValidationError(str(unreadable), code=unreadable.code)
            raise ValidationError({"recipients_text": wrong}) from None
        self.order = Order(
            service=service,
            audience=audience,
            sender=cleaned.get("sender"),
            content=cleaned.get("text") or "",
            template=cleaned.get("template"),
            name=cleaned.get("name") or "",
            due_at=cleaned.get("send_at"),
            options=asking_for(
                **{name: cleaned[name] for name in OPTIONS if cleaned.get(name) not in (None, "")}
            ),
            labels=labels.split(cleaned.get("labels") or ""),
            source="admin",
        )
        try:
            checks.check(self.order)
        except ComposeError as error:
            for problem in error.problems:
                field = {"audience": "recipients_text"}.get(problem.field, problem.field)
                wrong = ValidationError(problem.text, code=problem.code)
                self.add_error(field if field in self.fields else None, wrong)
        return cleaned

    def draft(self) -> models.Draft:
        """What was typed, as the draft that its flight plan is of."""
        order = self.order
        draft = models.Draft(
            service=order.service,
            name=order.name,
            sender=order.sender,
            text=order.content,
            template=order.template,
            pasted=self.cleaned_data["recipients_text"],
            country=order.service.default_country,
            labels=self.cleaned_data.get("labels") or "",
            send_at=order.due_at,
        )
        for name in OPTIONS:
            setattr(draft, name, getattr(order.options, name))
        return draft

    def _get_validation_exclusions(self) -> set[str]:
        """No row is made here; only the order is checked."""
        return {field.name for field in models.Send._meta.fields}

    def validate_constraints(self) -> None:
        """See above."""


@admin.register(models.Send)
class SendAdmin(ReadOnly):
    list_display = (
        "name",
        "service",
        "shown_state",
        "recipients",
        "rejected",
        "due_at",
        "created_by",
        "simulated",
    )
    list_filter = ("state", "simulated", "service")
    list_select_related = ("service", "created_by")
    search_fields = ("name", "source")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._allowed(request, None)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """With one button: whatever is pressed, the flight plan is next."""
        one = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().add_view(request, form_url, (extra_context or {}) | one)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = SendForm
            form = super().get_form(request, obj, change, **kwargs)
            for name in ("name", "sender", *OPTIONS):
                form.base_fields[name].required = False
            return form
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            names = SendForm.Meta.fields
            return (*names[:3], "recipients_text", *names[3:], "labels", "send_at")
        return (
            *("service", "name", "sender", "shown_text", "template", "template_version", "shown_state"),
            *(
                "due_at",
                "recipients",
                "rejected",
                "source",
                "created_by",
                "partner",
                "simulated",
                "created_at",
            ),
            *("posted_at", "settled_at", "cancelled_at"),
            *(name for name in OPTIONS if name not in TEXTS),
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """With what is held among its rows, asked once for all."""
        page = super().get_changelist_instance(request)
        page.result_list = list(page.result_list)
        held = holds.held_among(page.result_list)
        for send in page.result_list:
            send.is_held = send.pk in held
        return page

    @admin.display(description=pgettext_lazy("noun", "state"), ordering="state")
    def shown_state(self, send: models.Send) -> str:
        held = send.is_held if hasattr(send, "is_held") else bool(holds.held_among([send]))
        return (
            mark("paused", gettext("On hold"))
            if held
            else mark(send.shown_state.value, send.shown_state.label)
        )

    @admin.display(description=_("text"))
    def shown_text(self, send: models.Send) -> str:
        return without_recipients(send.text, send)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        by = actor(request)
        draft: models.Draft = form.draft()
        draft.created_by = draft.changed_by = by.user
        with transaction.atomic():
            draft.save()
            audit("draft.created", draft, by=by)
        form.instance = draft
        return draft

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Already saved, with its audit."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing hangs on it."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """No send was added."""

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> Any:
        messages.info(request, gettext("Nothing is sent yet: look at it, then press Send."))
        return redirect("draft_review", service=obj.service.slug, pk=obj.pk)
