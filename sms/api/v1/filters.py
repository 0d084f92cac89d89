"""Filters of the lists, by query parameters. Times need an offset, as everywhere."""

from typing import Any

import django_filters as filters
from django import forms
from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError as Refused

from sms.api.v1.bodies import Moment
from sms.compose import labels
from sms.models import (
    Callback,
    CallbackEndpoint,
    Message,
    MessageState,
    OptOut,
    SavedAudience,
    Send,
    SenderKind,
    SendState,
)


class MomentField(forms.Field):
    """`Moment` for a query."""

    def to_python(self, value: Any) -> Any:
        if not value:
            return None
        try:
            return Moment().to_internal_value(value)
        except Refused as problem:
            sentence = str(problem.detail[0]) if isinstance(problem.detail, list) else "That is no time."
            raise ValidationError(sentence) from None


@extend_schema_field({"type": "string", "format": "date-time"})
class MomentFilter(filters.Filter):
    """From or until a moment."""

    field_class = MomentField


class KeyField(forms.IntegerField):
    """An id that a database takes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=2**63 - 1, **kwargs)


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": 2**63 - 1})
class KeyFilter(filters.Filter):
    """The id of a related thing."""

    field_class = KeyField


def _choices(values: list[str]) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


class SendFilter(filters.FilterSet):
    """Sends by state, sender, template, label and time, and by whether they are tests."""

    state = filters.ChoiceFilter(choices=_choices(SendState.values))
    sender = filters.CharFilter(field_name="sender__address")
    template = filters.CharFilter(field_name="template__name")
    label = filters.CharFilter(method="with_label", help_text="One of its labels.")
    send_at_from = MomentFilter(field_name="due_at", lookup_expr="gte")
    send_at_until = MomentFilter(field_name="due_at", lookup_expr="lt")
    created_from = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_until = MomentFilter(field_name="created_at", lookup_expr="lt")
    test = filters.ChoiceFilter(
        choices=_choices(["true", "false"]), method="only_tests", help_text="true or false."
    )

    class Meta:
        model = Send
        fields: tuple[str, ...] = ()

    def with_label(self, rows: Any, name: str, value: str) -> Any:
        return labels.having(rows, value)

    def only_tests(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(test=value == "true")


class MessageFilter(filters.FilterSet):
    """Messages by send, state and code; by number only with a search, whose body holds it."""

    send = KeyFilter(field_name="send_id")
    state = filters.ChoiceFilter(choices=_choices(MessageState.values))
    code = filters.CharFilter()
    provider_id = filters.CharFilter()

    class Meta:
        model = Message
        fields: tuple[str, ...] = ()


class OfSendFilter(filters.FilterSet):
    """Messages of one send."""

    state = filters.ChoiceFilter(choices=_choices(MessageState.values))
    code = filters.CharFilter()

    class Meta:
        model = Message
        fields: tuple[str, ...] = ()


class RejectFilter(filters.FilterSet):
    """Rejects by reason."""

    code = filters.CharFilter()


class ActiveFilter(filters.FilterSet):
    """Things of the catalogue that can be used, or cannot any more."""

    active = filters.ChoiceFilter(
        choices=_choices(["true", "false"]), method="only_active", help_text="true or false."
    )

    def only_active(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(active=value == "true")


class AudienceFilter(filters.FilterSet):
    """Audiences by name, and by whether sends may use them."""

    name = filters.CharFilter()
    archived = filters.ChoiceFilter(
        choices=_choices(["true", "false"]), method="only_archived", help_text="true or false."
    )

    class Meta:
        model = SavedAudience
        fields: tuple[str, ...] = ()

    def only_archived(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(archived_at__isnull=value != "true")


class SenderFilter(ActiveFilter):
    """Senders by kind."""

    kind = filters.ChoiceFilter(choices=_choices(SenderKind.values))


class OptOutFilter(filters.FilterSet):
    """Refusals by whether they are in force, where they came from, and when."""

    in_force = filters.ChoiceFilter(
        choices=_choices(["true", "false"]), method="only_in_force", help_text="true or false."
    )
    source = filters.ChoiceFilter(choices=_choices(OptOut.Source.values))
    at_from = MomentFilter(field_name="at", lookup_expr="gte")
    at_until = MomentFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = OptOut
        fields: tuple[str, ...] = ()

    def only_in_force(self, rows: Any, name: str, value: str) -> Any:
        """Lifted ones are kept as history."""
        return rows.filter(lifted_at__isnull=value == "true")


class EndpointFilter(filters.FilterSet):
    """Endpoints by kind."""

    kind = filters.ChoiceFilter(choices=_choices(CallbackEndpoint.Kind.values))

    class Meta:
        model = CallbackEndpoint
        fields: tuple[str, ...] = ()


class CallbackFilter(filters.FilterSet):
    """Callbacks by endpoint, state, event and message."""

    endpoint = KeyFilter(field_name="endpoint_id")
    state = filters.ChoiceFilter(choices=_choices(Callback.State.values))
    kind = filters.CharFilter()
    message = KeyFilter(field_name="message_id")
    created_from = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_until = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Callback
        fields: tuple[str, ...] = ()
