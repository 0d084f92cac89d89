"""SMS that people sent to the service's numbers, and answers to them. With the event inbound.received a program hears of each."""

from typing import Any, ClassVar
from uuid import uuid4

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from sms.api.throttle import tell_caps
from sms.api.v1 import access
from sms.api.v1.bodies import AnswerBody
from sms.api.v1.filters import InboundFilter
from sms.api.v1.problems import conflict, refused
from sms.api.v1.resource import Collection, described, once
from sms.api.v1.sparse import Answer, Number, SparseModel
from sms.catalogue import key_policies, templates
from sms.compose.options import asking_for
from sms.models import USUAL_RECEIPTS, InboundMessage, Lane, Message
from sms.models.sql.clock import corrected_now
from sms.sends.replies.answer import AnswerRefused, WrittenAnswer, answer
from sms.sends.replies.canned import filled_text
from sms.values.msisdn.mention import masked
from sms.values.problems import Problem, ProblemCode


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
    conversation = serializers.SerializerMethodField(
        help_text="Which it belongs to: the same for all SMS between one person and one of your numbers."
    )
    matched_keyword = serializers.SerializerMethodField(help_text="A keyword of your own that it says.")
    message = serializers.SerializerMethodField()
    client_reference = serializers.SerializerMethodField(help_text="Of that send.")

    class Meta:
        model = InboundMessage
        fields = (
            *("id", "conversation", "number", "address", "text", "keyword", "sure", "matched_keyword"),
            *("send", "message", "client_reference", "received_at"),
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
    def get_conversation(self, one: InboundMessage) -> int | None:
        return one.conversation_id

    @extend_schema_field({"type": ["string", "null"]})
    def get_matched_keyword(self, one: InboundMessage) -> str | None:
        return one.matched or None

    @extend_schema_field({"type": ["integer", "null"]})
    def get_message(self, one: InboundMessage) -> int | None:
        return one.message_id or None

    @extend_schema_field({"type": ["string", "null"]})
    def get_client_reference(self, one: InboundMessage) -> str | None:
        return (one.send.client_reference if one.send else "") or None


class AnsweredShape(Answer):
    """What an answer became."""

    send = serializers.IntegerField(help_text="Id of the send: read its state there.")
    conversation = serializers.IntegerField()


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
    queryset = InboundMessage.objects.filter(why="").select_related("send", "conversation").defer("raw")
    scope = "read"
    scopes: ClassVar[dict[str, str]] = {"answer": "send"}
    owner = "send__owner"

    @once("inbound_answer", "Answer an incoming SMS", AnswerBody, {201: AnsweredShape})
    def answer(self, body: dict[str, Any], pk: int) -> Response:
        """Send a text back to who wrote it, from the number that they wrote to: a send of one, with every check of a send.

        409 where the person opted out, and where nothing can be sent from that number. Without the scope `all`, answers to the key's
        own sends only."""
        access.only_live(self.request)
        access.need_idempotency_key(self.request)
        sms: InboundMessage = self.found(pk)
        if sms.conversation is None:
            says = "It belongs to no conversation, so it cannot be answered."
            raise conflict(Problem(ProblemCode.NOT_USABLE, "", says))
        key = access.key_of(self.request)
        given = {name: body[name] for name in ("respect_quiet_hours",) if name in body}
        options = key_policies.complete(
            asking_for(lane=Lane.URGENT, **given),
            key,
            given=given,
            due_at=None,
            receipts=USUAL_RECEIPTS,
            now=corrected_now(),
        )
        reply = WrittenAnswer(
            text=self._text(body, sms),
            token=f"api-{uuid4().hex}",
            done=body["done"],
            options=options,
            key=key,
            transactional=key_policies.is_transactional(key),
        )
        try:
            made = answer(sms.conversation, reply, by=self.by)
        except AnswerRefused as problem:
            raise conflict(problem.problem) from None
        tell_caps(self.request._request, made.send.caps_left)
        return Response(
            AnsweredShape({"send": made.send_id, "conversation": made.conversation_id}).data, status=201
        )

    def _text(self, body: dict[str, Any], sms: InboundMessage) -> str:
        name = body.get("template")
        if bool(name) == bool(body.get("text")):
            code = ProblemCode.ONLY_ONE if name else ProblemCode.REQUIRED
            raise refused(Problem(code, "text", "Write a text or name a template, and not both."))
        if not name:
            return str(body["text"])
        template = self.service.templates.filter(active=True, name=name).first()
        version = templates.published(template) if template else None
        if version is None or not version.text:
            raise refused(
                Problem(
                    ProblemCode.NOT_USABLE,
                    "template",
                    "There is no template of this name with a text of ours.",
                )
            )
        message = Message.objects.filter(pk=sms.message_id).first() if sms.message_id else None
        written = filled_text(version, message)
        if written is None:
            says = "The template has a placeholder that the message did not fill which is answered. Write the text instead."
            raise refused(Problem(ProblemCode.MISSING_VALUE, "template", says))
        return written
