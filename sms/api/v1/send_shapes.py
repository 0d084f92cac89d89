"""What partners get of sends. Times are ISO 8601 in UTC, and related things go by their names."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sms.api.v1.plan_shape import AskingShape
from sms.api.v1.send_body import LANES
from sms.api.v1.sparse import NameField, Sparse
from sms.compose.approval.queries import ApprovalStatus
from sms.compose.options import SendOptions, from_stored
from sms.models import ApprovalState, Resend, Send, SendState
from sms.sends.progress import Progress

_LANES = {int(lane): name for name, lane in LANES.items()}


class ApprovalShape(serializers.Serializer[Any]):
    """How the approval of a send stands. People answer in the portal; nothing is posted before all of them have approved."""

    state = serializers.ChoiceField(choices=ApprovalState.values, source="request.state")
    needed = serializers.IntegerField(help_text="How many people must approve.")
    given = serializers.IntegerField(help_text="How many did.")
    rules = AskingShape(many=True, source="request.rules")
    asked_at = serializers.DateTimeField(source="request.asked_at")
    expires_at = serializers.DateTimeField(
        source="request.expires_at",
        help_text="Until then it can be answered; once approved, until then the send has to begin.",
    )


class SendShape(Sparse):
    """A send with its counters. `counts` has messages by state; states without a message are left out."""

    id = serializers.IntegerField(source="send.pk")
    name = serializers.CharField(source="send.name")
    client_reference = serializers.CharField(source="send.client_reference")
    state = serializers.ChoiceField(choices=SendState.values, source="send.state")
    held = serializers.BooleanField(help_text="Whether a pause keeps it from going on.")
    approval = ApprovalShape(allow_null=True, help_text="The latest request; null where none was made.")
    sender = NameField(source="send.sender")
    text = serializers.CharField(source="send.text")
    template = NameField(source="send.template", allow_null=True)
    policy_group = NameField(source="send.policy_group", allow_null=True)
    link_domain = NameField(source="send.link_domain", allow_null=True)
    labels = serializers.ListField(child=serializers.CharField(), source="send.words")
    audience = serializers.IntegerField(
        source="send.audience.audience_id", allow_null=True, help_text="Where it was a saved one."
    )
    send_at = serializers.DateTimeField(source="send.due_at")
    expires_at = serializers.DateTimeField(source="send.expires_at", allow_null=True)
    lane = serializers.SerializerMethodField()
    resend = serializers.ChoiceField(choices=Resend.values, source="send.resend")
    ramp = serializers.BooleanField(source="send.ramp")
    callback_data = serializers.CharField(source="send.callback_data")
    track_clicks = serializers.BooleanField(
        source="options.track_clicks", help_text="False where no link is shortened, too."
    )
    tag1 = serializers.CharField(source="options.tag1")
    tag2 = serializers.CharField(source="options.tag2")
    check_consent = serializers.BooleanField(
        source="options.check_consent",
        allow_null=True,
        help_text="At each message; null without a policy group.",
    )
    apply_frequency_cap = serializers.BooleanField(source="options.apply_frequency_cap", allow_null=True)
    receipts = serializers.ListField(child=serializers.CharField(), source="options.receipts")
    validity = serializers.IntegerField(
        source="options.validity", allow_null=True, help_text="Seconds from the hand-over to the provider."
    )
    test = serializers.BooleanField(
        source="send.test", help_text="A person's test of a draft, to their own number or a seed list."
    )
    recipients = serializers.IntegerField(source="send.recipients")
    rejected = serializers.IntegerField(source="send.rejected")
    counts = serializers.DictField(child=serializers.IntegerField(), source="progress.counts")
    created_at = serializers.DateTimeField(source="send.created_at")
    cancelled_at = serializers.DateTimeField(source="send.cancelled_at", allow_null=True)

    @extend_schema_field({"type": "string", "enum": list(LANES)})
    def get_lane(self, shown: "ShownSend") -> str:
        return _LANES[shown.send.lane]


class ShownSend:
    """A send, its counters, whether something holds it, and how its approval stands."""

    def __init__(self, progress: Progress, *, held: bool, approval: ApprovalStatus | None = None) -> None:
        self.send: Send = progress.send
        self.progress = progress
        self.options: SendOptions = from_stored(
            self.send.options, group=self.send.policy_group, domain=self.send.link_domain
        )
        self.held = held
        self.approval = approval


class RejectShape(Sparse):
    """A row refused before a message existed."""

    row = serializers.IntegerField()
    value = serializers.SerializerMethodField(help_text="What stood there; needs the scope `numbers`.")
    code = serializers.CharField()
    reason = serializers.CharField()

    def get_value(self, reject: Any) -> str:
        """May be a whole number, so it is a number's secret."""
        return str(reject.value) if self.context.get("numbers") else "•••"


class StoppedShape(serializers.Serializer[Any]):
    """What a cancel or a stop did."""

    stopped = serializers.IntegerField(help_text="Messages that were kept from being posted.")
    state = serializers.ChoiceField(choices=SendState.values)
