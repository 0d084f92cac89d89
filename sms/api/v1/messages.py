"""Messages: listed, one with its timeline, and found by number with a search whose body holds the number."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api.v1 import access
from sms.api.v1.access import key_of, shows_numbers
from sms.api.v1.bodies import MessageSearchBody, Moment
from sms.api.v1.filters import MessageFilter
from sms.api.v1.paging import read as read_cursor
from sms.api.v1.paging import written as written_cursor
from sms.api.v1.problems import ApiProblem, invalid
from sms.api.v1.resource import Collection, described, searched
from sms.api.v1.sparse import Answer, Known, MessageText, Number, SparseModel, Text
from sms.callbacks.bodies import name_of
from sms.compliance import archive
from sms.inbound.receipts import reason_in_words
from sms.models import Click, Message, MessageState, Receipt
from sms.sends.messages import find_called, find_messages, story_of
from sms.values import msisdn
from sms.values.lives import words_of
from sms.values.msisdn.mention import masked, starred
from sms.webex import codes
from sms.webex.errors import UnreadableBody
from sms.webex.receipts import parse_receipt

EVENTS = "composed posted accepted submitted delivered failed cancelled expired clicked receipt".split()


class MessageShape(SparseModel):
    """One SMS. `detail` explains `code`."""

    number = Number(source="msisdn")
    state = serializers.ChoiceField(choices=MessageState.values)
    detail = serializers.SerializerMethodField()
    correlation_id = Text(
        source="partner_correlation_id", allow_null=True, help_text="What the one who asked for it calls it."
    )
    test = serializers.BooleanField(
        source="send.simulated", help_text="Of a send with a test key: simulated, nothing reached a phone."
    )
    reference = Text(
        source="partner_reference",
        allow_null=True,
        help_text="What the one who asked for it calls the recipient.",
    )
    message_id = serializers.SerializerMethodField(
        help_text="The `messageId` of `/v2/messages`, where it came from there."
    )
    segments = Known(help_text="By our count; null where the provider makes the text.")
    segments_billed = serializers.IntegerField(allow_null=True, help_text="As the provider reported.")

    class Meta:
        model = Message
        fields: tuple[str, ...] = (
            *(
                "id",
                "send",
                "number",
                "row",
                "state",
                "code",
                "detail",
                "segments",
                "segments_billed",
                "test",
            ),
            *(
                "reference",
                "correlation_id",
                "message_id",
                "provider_id",
                "posted_at",
                "queued_at",
                "submitted_at",
                "final_at",
            ),
        )

    def get_message_id(self, message: Any) -> str | None:
        reference = message.send.reference
        return name_of(str(reference), row=message.row) if reference else None

    def get_detail(self, message: Any) -> str | None:
        """The provider's own words, or ours for its code."""
        said = codes.in_words(str(message.code), str(message.detail))
        return said if self.context.get("numbers") else starred(said, message.msisdn)


class TimelinePointShape(Answer):
    """One point of a message's life."""

    at = Moment()
    event = serializers.ChoiceField(choices=EVENTS)
    code = serializers.CharField(allow_null=True)
    detail = serializers.CharField(allow_null=True)


class MessageStory(MessageShape):
    """One SMS with its text and everything that happened to it, the earliest first."""

    text = MessageText(
        help_text="Null unless the key has the scope `texts`; with the recipient's own number hidden unless it has `numbers`."
    )
    timeline = TimelinePointShape(many=True, read_only=True)

    class Meta(MessageShape.Meta):
        fields = (*MessageShape.Meta.fields, "text", "timeline")


@described(
    "messages",
    "messages, newest first",
    "message with its timeline",
    listed="Newest first.",
    read="Why did or didn't this person get it?",
)
class Messages(Collection):
    serializer_class = MessageShape
    filterset_class = MessageFilter
    queryset = Message.objects.select_related("echo", "send")
    scope = "read"
    of_service = "send__service"
    owner = "send__owner"

    def retrieve(self, request: Request, pk: int) -> Response:
        try:
            story = story_of(self.service, pk, key=key_of(request)) if pk < 2**63 else None
        except archive.ArchiveError as problem:
            raise ApiProblem(503, "unavailable", str(problem)) from None
        if story is None:
            raise Http404
        hidden = "" if shows_numbers(request) else story.message.msisdn
        told = timeline(story, hidden=hidden, texts=access.shows_texts(request))
        story.message.timeline = told  # type: ignore[attr-defined]
        return self.shown(story.message)

    def get_serializer_class(self) -> Any:
        return MessageStory if self.action == "retrieve" else MessageShape

    @searched("messages_search", "Find messages by number or reference", MessageShape, MessageSearchBody)
    def search(self, request: Request) -> Response:
        """Newest first, archived ones too. A POST, so that no number stands in an address."""
        body = self.read(MessageSearchBody)
        before = read_cursor(body["cursor"]) if body.get("cursor") else None
        asked: dict[str, Any] = {"before": before, "page": body["limit"], "key": key_of(request)}
        if name := body.get("reference"):
            found = find_called(self.service, name, **asked)
        else:
            number = read_number(body["number"], country=self.service.default_country)
            found = find_messages(self.service, number, **asked)
        if found.problem:
            raise ApiProblem(503, "unavailable", found.problem)
        shown = found.messages[: body["limit"]]
        self.paginator.next_cursor = (
            written_cursor(shown[-1].pk) if len(found.messages) > len(shown) else None
        )
        return self.paged(shown)


def read_number(written: str, *, country: str) -> str:
    """E.164, or a problem, which does not repeat what was written."""
    try:
        return msisdn.parse(written, country=country).e164
    except msisdn.BadNumber as bad:
        raise invalid("number", str(bad), code=bad.code) from None


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    at: datetime
    event: str
    code: str = ""
    detail: str = ""


def timeline(story: archive.MessageHistory, *, hidden: str = "", texts: bool = True) -> list[TimelineEvent]:
    """The earliest first, with the number `hidden` starred in what the provider and people said. Without `texts`, no link of the text."""
    message, receipts, clicks = story.message, story.receipts, story.clicks
    events = [TimelineEvent(message.send.created_at, "composed", detail=f"Row {message.row}")]
    if message.posted_at:
        events.append(TimelineEvent(message.posted_at, "posted", detail=words_of(message.attempt)))
    if message.queued_at:
        events.append(
            TimelineEvent(message.queued_at, "accepted", detail=message.provider_id or message.detail)
        )
    failed = message.state == MessageState.FAILED and not receipts
    if message.final_at and (failed or message.state in (MessageState.CANCELLED, MessageState.EXPIRED)):
        events.append(TimelineEvent(message.final_at, str(message.state), message.code, message.detail))
    events += [
        _receipt_event(receipt, clicks.get(receipt.pk), hidden=hidden, texts=texts) for receipt in receipts
    ]
    events = [replace(event, detail=starred(event.detail, hidden)) for event in events]
    return sorted(events, key=lambda event: event.at)


def _receipt_event(receipt: Receipt, click: Click | None, *, hidden: str, texts: bool) -> TimelineEvent:
    try:
        note = parse_receipt(bytes(receipt.raw))
    except UnreadableBody:
        return TimelineEvent(receipt.received_at, "receipt", detail="It cannot be read.")
    if note.state == "clicked":
        who = f"{click.verdict}: {reason_in_words(click.reason)}" if click else "not judged yet"
        url = masked(note.url) if hidden else note.url
        return TimelineEvent(receipt.received_at, "clicked", note.code, f"{url} · {who}" if texts else who)
    kind = note.state if note.state in ("submitted", "delivered", "failed") else "receipt"
    return TimelineEvent(receipt.received_at, kind, note.code, codes.lookup(note.code).meaning)
