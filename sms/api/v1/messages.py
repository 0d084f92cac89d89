"""Messages: listed, one with its timeline, and found by number with a search whose body holds the number."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api.v1.bodies import SearchBody
from sms.api.v1.filters import MessageFilter
from sms.api.v1.message_shapes import MessageShape, MessageStory
from sms.api.v1.paging import read as read_cursor
from sms.api.v1.paging import written as written_cursor
from sms.api.v1.problems import ApiProblem, invalid
from sms.api.v1.resource import Resource
from sms.api.v1.timeline import timeline
from sms.compliance import archive
from sms.models import Message
from sms.sends.messages import find_messages, story_of
from sms.values import msisdn


class Messages(Resource):
    serializer_class = MessageShape
    filterset_class = MessageFilter
    queryset = Message.objects.all()
    scope = "read"
    owner = "send__service"

    @extend_schema(operation_id="messages_list", summary="List messages, newest first")
    def list(self, request: Request) -> Response:
        """Newest first."""
        return self.page(self.rows())

    @extend_schema(
        operation_id="messages_read", summary="Read one message with its timeline", responses=MessageStory
    )
    def retrieve(self, request: Request, pk: int) -> Response:
        """Why did or didn't this person get it?"""
        try:
            story = story_of(self.service, pk) if pk < 2**63 else None
        except archive.ArchiveError as problem:
            raise ApiProblem(503, "unavailable", str(problem)) from None
        if story is None:
            raise Http404
        self._events = timeline(story)
        return self.shown(story.message)

    def get_serializer_class(self) -> Any:
        return MessageStory if self.action == "retrieve" else MessageShape

    def get_serializer_context(self) -> dict[str, Any]:
        return super().get_serializer_context() | {"timeline": getattr(self, "_events", [])}

    @extend_schema(
        operation_id="messages_search",
        summary="Find messages by number",
        request=SearchBody,
        responses=MessageShape(many=True),
        filters=False,
    )
    def search(self, request: Request) -> Response:
        """Newest first, archived ones too. A POST, so that no number stands in an address."""
        body = self.read(SearchBody)
        number = read_number(body["number"], country=self.service.default_country)
        before = read_cursor(body["cursor"]) if body.get("cursor") else None
        found = find_messages(self.service, number, before=before, page=body["limit"])
        if found.problem:
            raise ApiProblem(503, "unavailable", found.problem)
        shown = found.messages[: body["limit"]]
        pages: Any = self.paginator
        pages.next_cursor = written_cursor(shown[-1].pk) if len(found.messages) > len(shown) else None
        return self.get_paginated_response(self.get_serializer(shown, many=True).data)


def read_number(written: str, *, country: str, field: str = "number", row: int = 0) -> str:
    """E.164, or a problem that names the field; it does not repeat what was written."""
    try:
        return msisdn.parse(written, country=country).e164
    except msisdn.BadNumber as bad:
        raise invalid(field, str(bad), row=row) from None
