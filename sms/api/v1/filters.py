"""Filters of the lists, by query parameters. Times need an offset, as everywhere."""

from typing import Any

import django_filters as filters
from django import forms
from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError as Refused

from sms.api.v1.bodies import Moment
from sms.compose import labels
from sms.models import Callback, CallbackEndpoint, InboundMessage, MessageState, OptOut, SenderKind, SendState


class MomentField(forms.Field):
    def to_python(self, value: Any) -> Any:
        if not value:
            return None
        try:
            return Moment().to_internal_value(value)
        except Refused as problem:
            detail: Any = problem.detail
            raise ValidationError(str(detail[0]), code=detail[0].code) from None


@extend_schema_field({"type": "string", "format": "date-time"})
class MomentFilter(filters.Filter):
    field_class = MomentField


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": 2**63 - 1})
class KeyFilter(filters.Filter):
    field_class = forms.IntegerField

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=2**63 - 1, **kwargs)


def _choices(values: list[str]) -> list[tuple[str, str]]:
    return [(value, value) for value in values]


@extend_schema_field({"type": "string", "enum": ["true", "false"]})
class FlagFilter(filters.ChoiceFilter):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=_choices(["true", "false"]), help_text="true or false.", **kwargs)

    def filter(self, qs: Any, value: Any) -> Any:
        return super().filter(qs, value == "true") if value else qs


class SendFilter(filters.FilterSet):
    state = filters.ChoiceFilter(choices=_choices(SendState.values))
    sender = filters.CharFilter(field_name="sender__address")
    template = filters.CharFilter(field_name="template__name")
    label = filters.CharFilter(method="with_label", help_text="One of its labels.")
    send_at_from = MomentFilter(field_name="due_at", lookup_expr="gte")
    send_at_until = MomentFilter(field_name="due_at", lookup_expr="lt")
    created_from = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_until = MomentFilter(field_name="created_at", lookup_expr="lt")
    test = FlagFilter(field_name="simulated")
    draft_test = FlagFilter(field_name="test")

    def with_label(self, rows: Any, name: str, value: str) -> Any:
        return labels.having(rows, value)


class RejectFilter(filters.FilterSet):
    code = filters.CharFilter()


class OfSendFilter(RejectFilter):
    state = filters.ChoiceFilter(choices=_choices(MessageState.values))


class MessageFilter(OfSendFilter):
    """By number only with a search, whose body holds it."""

    send = KeyFilter(field_name="send_id")
    provider_id = filters.CharFilter()
    test = FlagFilter(field_name="send__simulated")


class ActiveFilter(filters.FilterSet):
    active = FlagFilter(field_name="active")


class AudienceFilter(filters.FilterSet):
    name = filters.CharFilter()
    archived = FlagFilter(field_name="archived_at", lookup_expr="isnull", exclude=True)


class SenderFilter(ActiveFilter):
    kind = filters.ChoiceFilter(choices=_choices(SenderKind.values))


class OptOutFilter(filters.FilterSet):
    in_force = FlagFilter(field_name="lifted_at", lookup_expr="isnull")
    source = filters.ChoiceFilter(choices=_choices(OptOut.Source.values))
    at_from = MomentFilter(field_name="at", lookup_expr="gte")
    at_until = MomentFilter(field_name="at", lookup_expr="lt")


class InboundFilter(filters.FilterSet):
    keyword = filters.ChoiceFilter(field_name="meaning", choices=_choices(InboundMessage.Meaning.values))
    send = KeyFilter(field_name="send_id")
    received_from = MomentFilter(field_name="received_at", lookup_expr="gte")
    received_until = MomentFilter(field_name="received_at", lookup_expr="lt")


class EndpointFilter(filters.FilterSet):
    kind = filters.ChoiceFilter(choices=_choices(CallbackEndpoint.Kind.values))


class CallbackFilter(filters.FilterSet):
    endpoint = KeyFilter(field_name="endpoint_id")
    state = filters.ChoiceFilter(choices=_choices(Callback.State.values))
    kind = filters.CharFilter()
    message = KeyFilter(field_name="message_id")
    created_from = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_until = MomentFilter(field_name="created_at", lookup_expr="lt")
