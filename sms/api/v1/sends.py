"""Sends: made by `sms.compose`, held and stopped by `sms.sends.control`. `dry_run` answers with the plan instead."""

from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api.v1 import access
from sms.api.v1.bodies import HoldBody, NoBody
from sms.api.v1.filters import OfSendFilter, RejectFilter, SendFilter
from sms.api.v1.message_shapes import MessageShape
from sms.api.v1.orders import naming_rows, order_of, source_of
from sms.api.v1.plan_shape import PlanShape
from sms.api.v1.problems import ApiProblem
from sms.api.v1.reading import Json
from sms.api.v1.resource import Resource, once
from sms.api.v1.send_body import SendBody, SendChange
from sms.api.v1.send_shapes import RejectShape, SendShape, ShownSend, StoppedShape
from sms.audiences.files import Limits
from sms.compose.approval import queries
from sms.compose.create import create
from sms.compose.order import Order
from sms.models import Message, Reject, Send, SendState
from sms.sends import control, holds, plan, progress, reschedule


def shown_sends(sends: list[Send]) -> list[ShownSend]:
    """Sends with their counters, holds and approvals, in three queries for all."""
    held, asked = holds.held_among(sends), queries.approvals_of(sends)
    return [
        ShownSend(one, held=one.send.pk in held, approval=asked.get(one.send.pk))
        for one in progress.progress_of_page(sends)
    ]


class Sends(Resource):
    serializer_class = SendShape
    filterset_class = SendFilter
    parser_classes = (Json, MultiPartParser)
    queryset = (
        Send.objects.select_related(
            *("sender", "template", "policy_group", "link_domain", "service", "audience")
        )
        .defer("audience__rejects")
        .prefetch_related("labels")
    )
    scope = "send"
    scopes: ClassVar[dict[str, str]] = {"list": "read", "retrieve": "read"}

    @extend_schema(operation_id="sends_list", summary="List sends, newest first")
    def list(self, request: Request) -> Response:
        """Newest first, with their counters."""
        return self.page(self.rows(), shown_sends)

    @extend_schema(operation_id="sends_read", summary="Read one send")
    def retrieve(self, request: Request, pk: int) -> Response:
        """One send with its counters. Poll it with If-None-Match: 304 while nothing moved."""
        return self.shown(shown_sends([self.find(self.rows(), pk)])[0])

    @extend_schema(
        operation_id="sends_create",
        summary="Make a send, or plan it",
        request={"application/json": SendBody, "multipart/form-data": SendBody},
        responses={
            201: SendShape,
            200: OpenApiResponse(PlanShape, description="With `dry_run`: what would happen."),
        },
    )
    def create(self, request: Request) -> HttpResponse:
        """Commit a send; one that has to be approved waits as `awaiting`.

        With `dry_run` nothing is stored and no Idempotency-Key is needed."""
        body = self.read(SendBody)
        if body["dry_run"]:
            order = self._order(body)
            with naming_rows(order.audience, source_of(body)):
                planned = plan.build_plan(
                    order,
                    now=timezone.now(),
                    public_url=settings.PUBLIC_URL,
                    row=body.get("plan_row"),
                    masked=order.saved is not None and not access.shows_numbers(request),
                )
            return Response(plan.as_json(planned))
        access.only_sandbox(request)
        access.need_idempotency_key(request)
        return access.once(request, lambda: self._made(body))

    def _order(self, body: dict[str, Any]) -> Order:
        limits = Limits(bytes=settings.UPLOAD_MAX_BYTES, rows=settings.UPLOAD_MAX_ROWS)
        return order_of(body, service=self.service, limits=limits)

    def _made(self, body: dict[str, Any]) -> Response:
        order = self._order(body)
        with naming_rows(order.audience, source_of(body)):
            send = create(order, by=self.by)
        made = self.find(self.rows(), send.pk)
        response = self.shown(shown_sends([made])[0], status=201)
        response.headers["Location"] = f"/api/v1/sends/{send.pk}"
        return response

    @extend_schema(
        operation_id="sends_reschedule",
        summary="Put a send at another time",
        request=SendChange,
        responses=SendShape,
    )
    def partial_update(self, request: Request, pk: int) -> Response:
        """Only a send that has not begun: 409 afterwards. An approval was for the time before, so it is asked for again.

        Everything else of a send stays as it was made."""
        due_at = self.read(SendChange)["send_at"]
        send = self._open(pk)
        try:
            reschedule.reschedule(send, due_at=due_at, by=self.by)
        except reschedule.SendHasBegun as problem:
            raise ApiProblem(409, "conflict", str(problem)) from None
        return self.shown(shown_sends([self.find(self.rows(), pk)])[0])

    @once("sends_cancel", "Cancel a send that has not begun", NoBody, StoppedShape)
    def cancel(self, body: dict[str, Any], pk: int) -> Response:
        """Cancel all of a send that is scheduled or awaits approval.

        One that has begun is stopped instead, since part of it is on its way."""
        send = self._open(pk)
        if send.state not in (SendState.PREPARING, SendState.AWAITING, SendState.SCHEDULED):
            raise ApiProblem(409, "conflict", "It has begun. Use stop to cancel what was not posted yet.")
        return self._stopped(send)

    @once("sends_stop", "Stop a send for good", NoBody, StoppedShape)
    def stop(self, body: dict[str, Any], pk: int) -> Response:
        """Cancel whatever of it was not posted yet, for good."""
        return self._stopped(self._open(pk))

    def _stopped(self, send: Send) -> Response:
        stopped = control.stop(send, by=self.by)
        send.refresh_from_db(fields=["state"])
        return Response(StoppedShape({"stopped": stopped, "state": send.state}).data)

    @once("sends_pause", "Pause a send", HoldBody, SendShape)
    def pause(self, body: dict[str, Any], pk: int) -> Response:
        """Post nothing more of it until it is resumed. Pausing twice is pausing once."""
        send = self._open(pk)
        holds.hold(send, by=self.by, because=body["because"])
        return self.shown(shown_sends([send])[0])

    @once("sends_resume", "Resume a send", NoBody, SendShape)
    def resume(self, body: dict[str, Any], pk: int) -> Response:
        """Lift the pause of this send. What holds its sender, its domain or the whole service stays."""
        send = self._open(pk)
        if hold := holds.hold_on(send):
            holds.lift(hold, by=self.by)
        return self.shown(shown_sends([send])[0])

    def _open(self, pk: int) -> Send:
        access.only_sandbox(self.request)
        send: Send = self.find(self.rows(), pk)
        self.expect(shown_sends([send])[0])
        if send.state in (SendState.FINISHED, SendState.CANCELLED):
            raise ApiProblem(409, "conflict", f"It is {send.state} already; nothing of it can be changed.")
        return send


class OfSend(Resource):
    scope = "read"

    def send(self, pk: int) -> Send:
        found: Send = self.find(Send.objects.filter(service=self.service), pk)
        return found


class SendMessages(OfSend):
    serializer_class = MessageShape
    filterset_class = OfSendFilter
    queryset = Message.objects.all()

    @extend_schema(operation_id="sends_messages", summary="List the messages of a send")
    def list(self, request: Request, pk: int) -> Response:
        """The last row first."""
        return self.page(self.get_queryset().filter(send=self.send(pk)))


class SendRejects(OfSend):
    serializer_class = RejectShape
    filterset_class = RejectFilter
    queryset = Reject.objects.all()

    @extend_schema(operation_id="sends_rejects", summary="List the rows that a send left out")
    def list(self, request: Request, pk: int) -> Response:
        """The last row first."""
        return self.page(self.get_queryset().filter(send=self.send(pk)))
