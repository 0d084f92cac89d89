"""SMS that people sent to the service's numbers. With the event inbound.received a program hears of each."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sms.api.v1.filters import InboundFilter
from sms.api.v1.resource import Collection, described
from sms.api.v1.sparse import Number, SparseModel
from sms.models import InboundMessage
from sms.values.msisdn.mention import masked


class InboundShape(SparseModel):
    """One incoming SMS. `send` and `message` are what it answers, where that is known."""

    number = Number(source="msisdn", help_text="Who wrote it.")
    address = serializers.CharField(help_text="The number or short code it was sent to.")
    text = serializers.SerializerMethodField(help_text="Null unless the key has the scope `texts`.")
    keyword = serializers.SerializerMethodField(
        help_text="What was read in it; null for nothing of the kind."
    )
    sure = serializers.BooleanField(
        help_text="False where it says more than the word, so that a person should read it."
    )
    message = serializers.SerializerMethodField()
    client_reference = serializers.SerializerMethodField(help_text="Of that send.")

    class Meta:
        model = InboundMessage
        fields = (
            *("id", "number", "address", "text", "keyword", "sure", "send", "message", "client_reference"),
            "received_at",
        )

    @extend_schema_field({"type": ["string", "null"]})
    def get_text(self, one: InboundMessage) -> str | None:
        if not self.context.get("texts"):
            return None
        return one.text if self.context.get("numbers") else masked(one.text)

    @extend_schema_field({"type": ["string", "null"], "enum": [*InboundMessage.Meaning.values, None]})
    def get_keyword(self, one: InboundMessage) -> str | None:
        return one.meaning or None

    @extend_schema_field({"type": ["integer", "null"]})
    def get_message(self, one: InboundMessage) -> int | None:
        return one.message_id or None

    @extend_schema_field({"type": ["string", "null"]})
    def get_client_reference(self, one: InboundMessage) -> str | None:
        return (one.send.client_reference if one.send else "") or None


@described(
    "inbound",
    "incoming SMS, newest first",
    "incoming SMS",
    listed="Without the scope `all`, answers to the key's own sends only.",
    read="What a person wrote, and what it answers.",
)
class InboundMessages(Collection):
    serializer_class = InboundShape
    filterset_class = InboundFilter
    queryset = InboundMessage.objects.filter(why="").select_related("send").defer("raw")
    scope = "read"
    owner = "send__owner"
