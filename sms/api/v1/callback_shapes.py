"""What partners get of callback endpoints and callbacks."""

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sms.api.v1.sparse import SparseModel
from sms.models import Callback, CallbackEndpoint

HIDDEN = "•"  # what `sms.values.msisdn.mask` hides digits with


class EndpointShape(SparseModel):
    """A receiver of callbacks. It gets nothing until `verified_at` is set."""

    kind = serializers.ChoiceField(choices=CallbackEndpoint.Kind.values)
    events = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = CallbackEndpoint
        fields: tuple[str, ...] = (
            *("id", "name", "kind", "url", "events", "full_numbers", "verified_at", "paused_at"),
            *("disabled_at", "disabled_because", "last_ok_at", "created_at"),
        )


class NewEndpoint(EndpointShape):
    """An endpoint with its secret, which is shown this once."""

    secret = serializers.CharField()

    class Meta(EndpointShape.Meta):
        fields = (*EndpointShape.Meta.fields, "secret")


class CallbackShape(SparseModel):
    """One event for one endpoint, delivered or waiting."""

    message = serializers.IntegerField(source="message_id")
    state = serializers.ChoiceField(choices=Callback.State.values)
    last_status = serializers.IntegerField(help_text="0 where no reply came.")

    class Meta:
        model = Callback
        fields: tuple[str, ...] = (
            *("id", "endpoint", "event_id", "kind", "message", "state", "created_at", "next_at", "done_at"),
            *("tries", "last_status", "last_error"),
        )


class TryShape(serializers.Serializer[Any]):
    """One try to deliver a callback."""

    at = serializers.DateTimeField()
    status = serializers.IntegerField(help_text="0 where no reply came.")
    milliseconds = serializers.IntegerField(source="ms")
    error = serializers.CharField(allow_blank=True)
    reply = serializers.CharField(allow_blank=True, help_text="The first 1,000 characters.")


class CallbackStory(CallbackShape):
    """One callback with what it says, and its latest tries."""

    body = serializers.SerializerMethodField(
        help_text="As it is posted; null where it holds a whole number that the key may not see."
    )
    log = TryShape(many=True)

    class Meta(CallbackShape.Meta):
        fields = (*CallbackShape.Meta.fields, "body", "log")

    @extend_schema_field({"type": ["string", "null"]})
    def get_body(self, callback: Any) -> str | None:
        """Receipts in the provider's shape hold the number, and so do events of endpoints that get whole ones."""
        if self.context.get("numbers"):
            return str(callback.body)
        found = json.loads(callback.body)
        number = found.get("data", {}).get("to", "") if isinstance(found, dict) else ""
        return str(callback.body) if HIDDEN in number else None


class SecretShape(serializers.Serializer[Any]):
    """A new signing secret, shown this once. The one before stays valid beside it until `before_until`."""

    secret = serializers.CharField()
    before_until = serializers.DateTimeField()


class ReplayedShape(serializers.Serializer[Any]):
    """How many callbacks are delivered again."""

    replayed = serializers.IntegerField()
