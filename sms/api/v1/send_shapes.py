"""What `/api/v1` answers about sends: the send itself, what was made with it, and the rows that it left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from sms.api.v1.bodies import Moment
from sms.api.v1.option_fields import WithShownOptions
from sms.api.v1.plan_shape import AskingShape, shape_of
from sms.api.v1.problems import CodeField
from sms.api.v1.sparse import Answer, Number, Sparse, SparseModel, Text, Words
from sms.compose.approval import queries
from sms.models import ApprovalState, Message, Send, SendOptions, ShownState
from sms.sends import waits
from sms.sends.own_numbers import without_recipients
from sms.sends.plan.shapes import Caution
from sms.sends.waits import WaitCode
from sms.values.msisdn.mention import has_end_of, masked

LISTED = 100  # messages in the answer to a send that was made


class ApprovalShape(Answer):
    """How the approval of a send stands. People answer in the portal; nothing is posted before all of them have approved."""

    state = serializers.ChoiceField(choices=ApprovalState.values, source="request.state")
    approvers = serializers.IntegerField(source="needed", help_text="How many people must approve.")
    given = serializers.IntegerField(help_text="How many did.")
    rules = AskingShape(many=True, source="request.rules")
    asked_at = Moment(source="request.asked_at")
    expires_at = Moment(
        source="request.expires_at",
        help_text="Until then it can be answered; once approved, until then the send has to begin.",
    )


class WaitShape(Answer):
    """What keeps the messages of a send from being posted now."""

    code = serializers.ChoiceField(choices=[one.value for one in WaitCode])
    until = Moment(allow_null=True, help_text="Null where it is not known.")
    detail = serializers.CharField()


class SendShape(Sparse, WithShownOptions):
    """A send with its counters. `counts` has messages by state; states without a message are left out."""

    id = serializers.IntegerField(source="send.pk")
    name = serializers.CharField(source="send.name")
    client_reference = serializers.CharField(source="send.client_reference", allow_null=True)
    message_id = serializers.UUIDField(
        source="send.reference",
        allow_null=True,
        help_text="The `messageId` of `/v2/messages`, where it came from there.",
    )
    state = serializers.ChoiceField(
        choices=ShownState.values,
        source="send.shown_state",
        help_text="`posted`: all of it was handed over. `settled`: each message has its end as well. "
        "Wait for `settled` or `cancelled`; neither is taken back.",
    )
    held = serializers.BooleanField(help_text="Whether a pause keeps it from going on.")
    waits = WaitShape(many=True, help_text="What its messages wait for; empty where nothing keeps them back.")
    approval = ApprovalShape(allow_null=True, help_text="The latest request; null where none was made.")
    sender = serializers.CharField(source="send.sender")
    text = Words(
        source="send.text",
        help_text="Null unless the key has the scope `texts`, and where the template is kept at the provider.",
    )
    template = serializers.CharField(source="send.template", allow_null=True)
    policy_group = serializers.CharField(source="send.policy_group", allow_null=True)
    link_domain = serializers.CharField(source="send.link_domain", allow_null=True)
    labels = serializers.ListField(child=serializers.CharField(), source="send.words")
    audience = serializers.IntegerField(
        source="send.audience.audience_id", allow_null=True, help_text="Where it was a saved one."
    )
    send_at = Moment(source="send.due_at")
    test = serializers.BooleanField(
        source="send.simulated", help_text="Made with a test key: simulated, nothing reached a phone."
    )
    draft_test = serializers.BooleanField(
        source="send.test", help_text="A person's test of a draft, to their own number or a seed list."
    )
    recipient_count = serializers.IntegerField(source="send.recipients")
    rejected = serializers.IntegerField(source="send.rejected")
    counts = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Messages by state, from the first moment on: those still to be written are pending.",
    )
    outstanding = serializers.IntegerField(help_text="Messages without an end.")
    created_at = Moment(source="send.created_at")
    posted_at = Moment(
        source="send.posted_at", allow_null=True, help_text="When the last of it was handed over."
    )
    settled_at = Moment(
        source="send.settled_at",
        allow_null=True,
        help_text="When the last message had its end. What is heard afterwards still changes `counts`.",
    )
    cancelled_at = Moment(source="send.cancelled_at", allow_null=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Numbers of its recipients are hidden in its own texts unless the key has the scope `numbers`."""
        shown: dict[str, Any] = super().to_representation(instance)
        if not self.context.get("numbers"):
            for name in ("text", *SendOptions.TEXTS.split()):
                if isinstance(shown.get(name), str):
                    shown[name] = without_recipients(shown[name], instance.send)
        return shown


class MadeMessageShape(SparseModel):
    """A message of a send that was just made."""

    number = Number(source="msisdn")
    reference = Text(source="partner_reference", allow_null=True, help_text="What you call the recipient.")

    class Meta:
        model = Message
        fields = ("id", "row", "number", "reference")


class MadeSendShape(SendShape):
    """A send that was just made, with what a careful colleague would say of its text."""

    identity = ""

    messages = MadeMessageShape(
        many=True,
        allow_null=True,
        help_text=f"In the order of the rows, where they are {LISTED} at most and written already; otherwise null: "
        "`/sends/{id}/messages` has them.",
    )
    cautions = shape_of(Caution)(many=True)


@dataclass(frozen=True, slots=True)
class ShownSend:
    """A send, its counters, whether something holds it, what it waits for, and how its approval stands."""

    send: Send
    counts: dict[str, int]
    outstanding: int
    held: bool
    approval: queries.ApprovalStatus | None
    waits: Sequence[waits.Wait]


class RejectShape(Sparse):
    """A row refused before a message existed."""

    identity = "row"

    row = serializers.IntegerField()
    number = serializers.SerializerMethodField(
        help_text="What stood in its place, also where it is none; needs the scope `numbers`."
    )
    code = CodeField()
    detail = serializers.CharField(source="reason")

    def get_number(self, reject: Any) -> str:
        """May be a whole number, so it is a number's secret."""
        return str(reject.value) if self.context.get("numbers") else "•••"


class SendRejectShape(RejectShape):
    """A row of a send that was refused before a message existed."""

    identity = "id"

    id = serializers.IntegerField(source="pk")
    send = serializers.IntegerField(source="send_id")
    reference = serializers.SerializerMethodField(
        help_text="What the one who asked for it calls the recipient. Numbers in it are hidden without the scope `numbers`."
    )

    def get_reference(self, reject: Any) -> str | None:
        """May be the number itself."""
        said = str(reject.reference)
        if not said or self.context.get("numbers"):
            return said
        if has_end_of(str(reject.value), said):
            return masked(said)
        return without_recipients(said, reject.send)


class StoppedShape(Answer):
    """What a cancel or a stop did."""

    stopped = serializers.IntegerField(help_text="Messages that were kept from being posted.")
    state = serializers.ChoiceField(choices=ShownState.values)
