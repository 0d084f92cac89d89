"""The event log for programs that nobody can call: what is posted to endpoints, read from where they were, the oldest first."""

from typing import Any

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from sms.api.v1 import access
from sms.api.v1.problems import invalid, of_many, unknown
from sms.api.v1.resource import Resource
from sms.api.v1.wrong_fields import wrong_in_body
from sms.api.waiting import ask_again, asked_before
from sms.callbacks import feed
from sms.callbacks.event_bodies import envelopes
from sms.callbacks.feed import EventsWanted
from sms.models import Message, Send
from sms.models.event_types import EVENT_TYPES
from sms.models.sql.clock import corrected_now

USUAL, MOST = 100, 1000
LONGEST_WAIT = 30  # seconds
KEY: dict[str, Any] = {"min_value": 1, "max_value": 2**63 - 1, "required": False}
TYPES = OpenApiParameter(
    "types",
    {"type": "array", "items": {"$ref": "#/components/schemas/EventType"}},
    description="Only these, separated by commas.",
    style="form",
    explode=False,
)
PAGE = {
    "type": "object",
    "required": ["items", "next_cursor", "has_more"],
    "properties": {
        "items": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}},
        "next_cursor": {
            "type": "string",
            "description": "Pass it as `after` for what follows, now or later. It is good for thirty days.",
        },
        "has_more": {
            "type": "boolean",
            "description": "More can be read at once, also where this page is short or empty.",
        },
    },
}


class EventQuery(serializers.Serializer[Any]):
    """Which events, and from where on."""

    after = serializers.CharField(
        required=False,
        max_length=60,
        help_text="`next_cursor` of the page before, or `now` for what comes from now on. Without it, the oldest that is kept.",
    )
    send = serializers.IntegerField(**KEY, help_text="Of one send.")
    client_reference = serializers.CharField(
        required=False, max_length=100, help_text="Of the send that has this `client_reference`."
    )
    message = serializers.IntegerField(**KEY, help_text="Of one message.")
    limit = serializers.IntegerField(default=USUAL, min_value=1, max_value=MOST)
    wait = serializers.IntegerField(
        default=0,
        min_value=0,
        max_value=LONGEST_WAIT,
        help_text="Seconds to wait for the first event where there is none. It may be answered sooner, with an empty page.",
    )


class Events(Resource):
    scope = "read"
    pagination_class = None
    filter_backends = ()

    def parameters(self) -> set[str]:
        return {"types", *EventQuery().fields}

    @extend_schema(
        operation_id="events_list",
        summary="Read events, the oldest first",
        parameters=[EventQuery, TYPES],
        responses={(200, "application/json"): PAGE},
    )
    def follow(self, request: Request) -> HttpResponse:
        """The very events that are posted to endpoints, kept for thirty days. Without the scope `all`, those of the key's own sends."""
        asked = EventQuery(data={name: value for name, value in request.query_params.items() if value})
        if not asked.is_valid():
            raise of_many(wrong_in_body(asked))
        given, now, before = asked.validated_data, corrected_now(), asked_before(request._request)
        wanted = self._wanted(given, request.query_params.get("types", ""))
        try:
            cursor = before.remembered or given.get("after", "")
            after = feed.read(cursor, service_id=wanted.service_id, now=now)
        except feed.BadPlace as problem:
            raise invalid("after", str(problem)) from None
        page = feed.page(wanted, after, limit=given["limit"])
        key = access.key_of(request)
        cursor = feed.written(page, now=now)
        shown = {
            "items": envelopes(page.events, numbers=key.may("numbers"), texts=key.may("texts")),
            "next_cursor": cursor,
            "has_more": page.more,
        }
        answer = HttpResponse(msgspec.json.encode(shown), content_type="application/json")
        if not page.events and not page.more and before.seconds < given["wait"]:
            ask_again(answer, until=given["wait"], remember=cursor, of=key.prefix)
        return answer

    def _wanted(self, given: dict[str, Any], types: str) -> EventsWanted:
        key = access.key_of(self.request)
        sends: set[int] | None = None
        if reference := given.get("client_reference"):
            rows = access.mine(self.request, Send.objects.filter(service=key.service_id))
            sends = set(rows.filter(client_reference=reference).values_list("pk", flat=True))
        if message := given.get("message"):
            its = Message.objects.filter(pk=message, send__service=key.service_id)
            sends = _both(sends, set(its.values_list("send_id", flat=True)))
        if send := given.get("send"):
            sends = _both(sends, {send})
        return EventsWanted(
            service_id=key.service_id,
            owner=None if key.sees_all else key.identity,
            sends=sends,
            message=message,
            types=_types(types),
        )


def _both(one: set[int] | None, other: set[int]) -> set[int]:
    return other if one is None else one & other


def _types(written: str) -> list[str]:
    names = [name.strip() for name in written.split(",") if name.strip()]
    for name in names:
        if name not in EVENT_TYPES:
            raise unknown("types", "type", EVENT_TYPES, name)
    return names
