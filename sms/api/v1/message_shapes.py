"""What partners get of messages; numbers are masked."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sms.api.v1.sparse import Number, SparseModel
from sms.models import Message, MessageState
from sms.webex import codes


class MessageShape(SparseModel):
    """One SMS. `detail` explains `code`."""

    number = Number(source="msisdn")
    state = serializers.ChoiceField(choices=MessageState.values)
    detail = serializers.SerializerMethodField()
    segments = serializers.IntegerField(help_text="By our count; 0 where the provider makes the text.")
    segments_billed = serializers.IntegerField(allow_null=True, help_text="As the provider reported.")

    class Meta:
        model = Message
        fields: tuple[str, ...] = (
            *("id", "send", "number", "row", "state", "code", "detail", "segments", "segments_billed"),
            *("provider_id", "posted_at", "queued_at", "submitted_at", "final_at"),
        )

    def get_detail(self, message: Any) -> str:
        """The provider's own words, or ours for its code."""
        return str(message.detail) or (codes.lookup(message.code).meaning if message.code else "")


class EventShape(serializers.Serializer[Any]):
    """One point of a message's life."""

    at = serializers.DateTimeField()
    event = serializers.ChoiceField(
        choices=[
            "composed",
            "posted",
            "accepted",
            "submitted",
            "delivered",
            "failed",
            "cancelled",
            "expired",
            "clicked",
            "receipt",
        ]
    )
    code = serializers.CharField()
    detail = serializers.CharField()


class MessageStory(MessageShape):
    """One SMS with its text and everything that happened to it, the earliest first."""

    text = serializers.CharField()
    timeline = serializers.SerializerMethodField()

    class Meta(MessageShape.Meta):
        fields = (*MessageShape.Meta.fields, "text", "timeline")

    @extend_schema_field(EventShape(many=True))
    def get_timeline(self, message: Any) -> Any:
        return EventShape(self.context.get("timeline", []), many=True).data
