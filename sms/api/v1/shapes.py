"""What partners get: the JSON of every resource. Times are ISO 8601 in UTC, related things go by their names, numbers are masked."""

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sms.api.v1.plan_shape import AskingShape
from sms.api.v1.send_body import LANES
from sms.api.v1.sparse import NameField, Number, Sparse
from sms.compose.approval.queries import ApprovalStatus
from sms.compose.options import SendOptions, from_stored
from sms.models import (
    ApprovalState,
    Callback,
    CallbackEndpoint,
    DomainState,
    MessageState,
    OptOut,
    Resend,
    Send,
    SenderKind,
    SendState,
)
from sms.sends.progress import Progress
from sms.webex import codes

HIDDEN = "•"  # what `sms.values.msisdn.mask` hides digits with
_LANES = {int(lane): name for name, lane in LANES.items()}
COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}


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
    """A send with its counters. `counts` has messages by state; states nobody is in are left out."""

    id = serializers.IntegerField(source="send.pk")
    name = serializers.CharField(source="send.name")
    client_reference = serializers.CharField(source="send.client_reference")
    state = serializers.ChoiceField(choices=SendState.values, source="send.state")
    held = serializers.BooleanField(help_text="Whether a pause keeps it from going on.")
    approval = ApprovalShape(allow_null=True, help_text="The latest request; null where nobody was asked.")
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
            self.send.wishes, group=self.send.policy_group, domain=self.send.link_domain
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


class MessageShape(Sparse):
    """One SMS. `detail` explains `code`."""

    id = serializers.IntegerField()
    send = serializers.IntegerField(source="send_id")
    number = Number(source="msisdn")
    row = serializers.IntegerField()
    state = serializers.ChoiceField(choices=MessageState.values)
    code = serializers.CharField()
    detail = serializers.SerializerMethodField()
    segments = serializers.IntegerField(help_text="By our count; 0 where the provider makes the text.")
    segments_billed = serializers.IntegerField(allow_null=True, help_text="As the provider reported.")
    provider_id = serializers.CharField()
    posted_at = serializers.DateTimeField(allow_null=True)
    queued_at = serializers.DateTimeField(allow_null=True)
    submitted_at = serializers.DateTimeField(allow_null=True)
    final_at = serializers.DateTimeField(allow_null=True)

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

    @extend_schema_field(EventShape(many=True))
    def get_timeline(self, message: Any) -> Any:
        return EventShape(self.context.get("timeline", []), many=True).data


class TemplateShape(Sparse):
    """A message template."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    text = serializers.CharField(help_text="Empty where the template is kept at the provider.")
    provider_template_id = serializers.CharField()
    placeholders = serializers.ListField(child=serializers.CharField())
    active = serializers.BooleanField()
    changed_at = serializers.DateTimeField()


class SenderShape(Sparse):
    """A sender ID that messages can come from."""

    id = serializers.IntegerField()
    address = serializers.CharField()
    kind = serializers.ChoiceField(choices=SenderKind.values)
    is_default = serializers.BooleanField()
    active = serializers.BooleanField()


class PolicyGroupShape(Sparse):
    """A contact-policy group of the provider."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    group_id = serializers.CharField()
    check_consent = serializers.BooleanField()
    apply_frequency_cap = serializers.BooleanField()
    description = serializers.CharField()
    active = serializers.BooleanField()


class DomainShape(Sparse):
    """A host name that links are shortened on."""

    id = serializers.IntegerField()
    host = serializers.CharField()
    region = serializers.CharField(source="region.key")
    dns_kind = serializers.CharField(source="region.dns_kind", help_text="CNAME or A.")
    dns_target = serializers.CharField(source="region.dns_target")
    state = serializers.ChoiceField(
        choices=DomainState.choices,
        help_text="Of the last check. Sends are refused on broken and not_set_up.",
    )
    says = serializers.CharField(help_text="The state in a sentence, with the way out.")
    checked_at = serializers.DateTimeField(allow_null=True)
    active = serializers.BooleanField()


class OptOutShape(Sparse):
    """A person's refusal. It is in force while `lifted_at` is null."""

    id = serializers.IntegerField()
    number = Number(source="msisdn")
    source = serializers.ChoiceField(choices=OptOut.Source.values)  # type: ignore[assignment]
    evidence = serializers.CharField()
    send = serializers.IntegerField(source="send_id", allow_null=True)
    at = serializers.DateTimeField()
    lifted_at = serializers.DateTimeField(allow_null=True)
    lifted_because = serializers.CharField()


class EndpointShape(Sparse):
    """A receiver of callbacks. It gets nothing until `verified_at` is set."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=CallbackEndpoint.Kind.values)
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    full_numbers = serializers.BooleanField()
    verified_at = serializers.DateTimeField(allow_null=True)
    paused_at = serializers.DateTimeField(allow_null=True)
    disabled_at = serializers.DateTimeField(allow_null=True)
    disabled_because = serializers.CharField()
    last_ok_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class NewEndpoint(EndpointShape):
    """An endpoint with its secret, which is shown this once."""

    secret = serializers.CharField()


class CallbackShape(Sparse):
    """One thing that was, or is to be, told to one endpoint."""

    id = serializers.IntegerField()
    endpoint = serializers.IntegerField(source="endpoint_id")
    event_id = serializers.CharField()
    kind = serializers.CharField()
    message = serializers.IntegerField(source="message_id")
    state = serializers.ChoiceField(choices=Callback.State.values)
    created_at = serializers.DateTimeField()
    next_at = serializers.DateTimeField(allow_null=True)
    done_at = serializers.DateTimeField(allow_null=True)
    tries = serializers.IntegerField()
    last_status = serializers.IntegerField(help_text="0 where no reply came.")
    last_error = serializers.CharField()


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

    @extend_schema_field({"type": ["string", "null"]})
    def get_body(self, callback: Any) -> str | None:
        """Receipts in the provider's shape hold the number, and so do events of endpoints that get whole ones."""
        if self.context.get("numbers"):
            return str(callback.body)
        found = json.loads(callback.body)
        told = found.get("data", {}).get("to", "") if isinstance(found, dict) else ""
        return str(callback.body) if HIDDEN in told else None


class FiguresShape(Sparse):
    """Messages and what became of them. `coverage` is the share of posted messages whose end is known; null if none was posted."""

    recipients = serializers.IntegerField()
    posted = serializers.IntegerField()
    delivered = serializers.IntegerField()
    failed = serializers.IntegerField()
    unconfirmed = serializers.IntegerField()
    no_report = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    coverage = serializers.FloatField(allow_null=True, min_value=0, max_value=1)


class SendFigures(FiguresShape):
    """The figures of one send."""

    send = serializers.IntegerField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=SendState.values)
    send_at = serializers.DateTimeField()


class DayFigures(FiguresShape):
    """The figures of the messages of one day, in UTC."""

    day = serializers.DateField()


class StoppedShape(serializers.Serializer[Any]):
    """What a cancel or a stop did."""

    stopped = serializers.IntegerField(help_text="Messages that were kept from being posted.")
    state = serializers.ChoiceField(choices=SendState.values)


class OptedOutShape(serializers.Serializer[Any]):
    """What recording refusals did."""

    added = serializers.IntegerField()
    already = serializers.IntegerField(help_text="Were opted out before.")


class LiftedShape(serializers.Serializer[Any]):
    """What lifting refusals did."""

    lifted = serializers.IntegerField()


class SecretShape(serializers.Serializer[Any]):
    """A new signing secret, shown this once. The one before stays valid beside it until `before_until`."""

    secret = serializers.CharField()
    before_until = serializers.DateTimeField()


class ReplayedShape(serializers.Serializer[Any]):
    """How many callbacks are delivered again."""

    replayed = serializers.IntegerField()
