"""Filters of the lists, by query parameters. Times need an offset, as everywhere."""

import re
from typing import Any, Literal
from uuid import UUID

import django_filters as filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError as Refused

from sms.api.v1 import access
from sms.api.v1.bodies import Moment
from sms.api.v1.problems import invalid
from sms.callbacks import changed
from sms.callbacks.replay import KEPT
from sms.compose import labels
from sms.models import (
    Callback,
    CallbackEndpoint,
    Echo,
    InboundMessage,
    MessageState,
    OptOut,
    Reject,
    SenderKind,
    ShownState,
)
from sms.models.callback import LONGEST_REFERENCE
from sms.models.sql.clock import corrected_now
from sms.values.problems import ProblemCode


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


class FlagField(forms.Field):
    """`true` or `false`, however a language writes them: Python has True."""

    choices = (("true", "true"), ("false", "false"))

    def to_python(self, value: Any) -> bool | None:
        if not value:
            return None
        if str(value).lower() not in ("true", "false"):
            raise ValidationError("Write true or false.", code="invalid_choice")
        return str(value).lower() == "true"


@extend_schema_field({"type": "boolean"})
class FlagFilter(filters.Filter):
    field_class = FlagField


class NameFilter(filters.CharFilter):
    """A name that a partner gave, whole and exactly as it was given."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, max_length=LONGEST_REFERENCE, **kwargs)


MESSAGE_ID = re.compile(r"([0-9a-fA-F-]{36})(?:_([1-9]\d{0,8}))?", re.ASCII)


class MessageIdFilter(filters.CharFilter):
    """The `messageId` that `/v2/messages` answered with; `_1` behind it names the second destination, and so on.

    `send` leads from a row to its send. Of messages (`row`) it finds one, of sends the one that it came with.
    """

    def __init__(self, *, send: str = "", row: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._send, self._row = send, row

    def filter(self, qs: Any, value: Any) -> Any:
        if not value:
            return qs
        found = MESSAGE_ID.fullmatch(value)
        try:
            reference = UUID(found[1]) if found else None
        except ValueError:
            reference = None
        if found is None or reference is None:
            return qs.none()
        at = {"row": int(found[2] or 0) + 1} if self._row else {}
        return qs.filter(**{f"{self._send}reference": reference}, **at)


class ChangedFilter(MomentFilter):
    """By the event log, which is kept for so long; `of` is its column."""

    def __init__(self, of: Literal["message_id", "send_id"]) -> None:
        super().__init__(
            help_text="Those with an event since then, at most 30 days ago. `/events?after=` tells each change once."
        )
        self._of = of

    def filter(self, qs: Any, value: Any) -> Any:
        if value is None:
            return qs
        if value < corrected_now() - KEPT:
            says = f"Changes are known for {KEPT.days} days. Choose a later time, or created_from."
            raise invalid("updated_since", says, code=ProblemCode.OUT_OF_RANGE)
        return qs.filter(pk__in=changed.since(access.key_of(self.parent.request), value, of=self._of))


class SendFilter(filters.FilterSet):
    state = filters.ChoiceFilter(
        choices=_choices(ShownState.values), method="in_state", help_text="As sends are answered with."
    )
    client_reference = NameFilter(help_text="Your own name for it.")
    reference = NameFilter(
        method="with_recipient",
        help_text="Sends with a recipient of this reference, or a row that was left out.",
    )
    message_id = MessageIdFilter(help_text="The `messageId` of `/v2/messages`, of any of its destinations.")
    sender = filters.CharFilter(field_name="sender__address")
    template = filters.CharFilter(field_name="template__name")
    label = filters.CharFilter(
        method="with_label",
        help_text="One of its labels, however it is written: `Spring sale` finds `spring-sale`.",
    )
    send_at_from = MomentFilter(field_name="due_at", lookup_expr="gte")
    send_at_until = MomentFilter(field_name="due_at", lookup_expr="lt")
    created_from = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_until = MomentFilter(field_name="created_at", lookup_expr="lt")
    updated_since = ChangedFilter("send_id")
    test = FlagFilter(field_name="simulated")
    draft_test = FlagFilter(field_name="test")

    def in_state(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(ShownState(value).rows)

    def with_recipient(self, rows: Any, name: str, value: str) -> Any:
        service = access.key_of(self.request).service
        called = Echo.objects.filter(service=service, reference=value).order_by()
        left_out = Reject.objects.filter(send__service=service, reference=value).order_by()
        return rows.filter(Q(pk__in=called.values("message__send")) | Q(pk__in=left_out.values("send")))

    def with_label(self, rows: Any, name: str, value: str) -> Any:
        return labels.having(rows, value)


class RejectFilter(filters.FilterSet):
    code = filters.ChoiceFilter(choices=_choices(list(ProblemCode)))
    reference = NameFilter(help_text="What you call the recipient.")


class AnyRejectFilter(RejectFilter):
    send = KeyFilter(field_name="send_id")


class OfSendFilter(filters.FilterSet):
    code = filters.CharFilter()
    reference = NameFilter(method="called", help_text="What you call the recipient.")
    correlation_id = NameFilter(method="called", help_text="What you call the message.")
    state = filters.ChoiceFilter(choices=_choices(MessageState.values))

    def called(self, rows: Any, name: str, value: str) -> Any:
        service = access.key_of(self.request).service  # also in the echo, so that its index is enough
        return rows.filter(**{"echo__service": service, f"echo__{name}": value})


class MessageFilter(OfSendFilter):
    """By number only with a search, whose body holds it."""

    send = KeyFilter(field_name="send_id")
    provider_id = filters.CharFilter(help_text="The id that Webex Connect gave it.")
    message_id = MessageIdFilter(
        send="send__",
        row=True,
        help_text="The `messageId` of `/v2/messages`, with `_1` for the second destination.",
    )
    created_from = MomentFilter(field_name="send__created_at", lookup_expr="gte")
    created_until = MomentFilter(field_name="send__created_at", lookup_expr="lt")
    updated_since = ChangedFilter("message_id")
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
    created_from = MomentFilter(field_name="at", lookup_expr="gte")
    created_until = MomentFilter(field_name="at", lookup_expr="lt")


class InboundFilter(filters.FilterSet):
    keyword = filters.ChoiceFilter(field_name="meaning", choices=_choices(InboundMessage.Meaning.values))
    matched_keyword = filters.CharFilter(
        field_name="matched", max_length=40, help_text="A keyword of your own."
    )
    conversation = KeyFilter(field_name="conversation_id")
    send = KeyFilter(field_name="send_id")
    received_from = MomentFilter(field_name="received_at", lookup_expr="gte")
    received_until = MomentFilter(field_name="received_at", lookup_expr="lt")


class EndpointFilter(filters.FilterSet):
    kind = filters.ChoiceFilter(choices=_choices(CallbackEndpoint.Kind.values))


class CallbackFilter(filters.FilterSet):
    endpoint = KeyFilter(field_name="endpoint_id")
    state = filters.ChoiceFilter(choices=_choices(Callback.State.values))
    type = filters.CharFilter(field_name="kind", help_text="Of the event.")
    message = KeyFilter(field_name="message_id")
    created_from = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_until = MomentFilter(field_name="created_at", lookup_expr="lt")
