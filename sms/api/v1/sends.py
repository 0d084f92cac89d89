"""Sends: made by `sms.compose`, held and stopped by `sms.sends.control`; `plan` answers with what one would do.

Times are ISO 8601 in UTC, and related things go by their names.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api.throttle import tell_caps
from sms.api.v1 import access
from sms.api.v1.bodies import HoldBody, NoBody
from sms.api.v1.filters import AnyRejectFilter, OfSendFilter, RejectFilter, SendFilter
from sms.api.v1.messages import MessageShape
from sms.api.v1.orders import naming_rows, order_of, source_of
from sms.api.v1.plan_shape import PlanShape
from sms.api.v1.problems import ApiProblem
from sms.api.v1.resource import Collection, Resource, described, once, posted
from sms.api.v1.send_body import PlanBody, PlanUpload, SendBody, SendChange, SendFields, SendUpload
from sms.api.v1.send_shapes import (
    LISTED,
    MadeMessageShape,
    MadeSendShape,
    SendRejectShape,
    SendShape,
    ShownSend,
    StoppedShape,
)
from sms.audiences.files import Limits
from sms.compose.approval import queries
from sms.compose.create import create
from sms.compose.order import Order
from sms.compose.resolved_order import resolve
from sms.models import OVER, Message, Reject, Send, SendState
from sms.models.sql.clock import corrected_now
from sms.sends import control, holds, progress, reschedule, waits
from sms.sends.plan import as_json, build_plan


@described(
    "sends",
    "sends, newest first",
    "send",
    listed="Newest first, with their counters.",
    read="One send with its counters. Poll it with If-None-Match: 304 while nothing moved.",
)
class Sends(Collection):
    serializer_class = SendShape
    filterset_class = SendFilter
    made = MadeSendShape
    forms = ("create", "plan")
    queryset = (
        Send.objects.select_related(
            *("sender", "template", "policy_group", "link_domain", "service", "audience")
        )
        .defer("audience__rejects")
        .prefetch_related("labels")
    )
    scope = "send"
    scopes: ClassVar[dict[str, str]] = {"list": "read", "retrieve": "read"}

    def prepared(self, rows: Sequence[Send]) -> Sequence[ShownSend]:
        """Sends with their counters, holds, approvals and waits, in a fixed number of queries for all."""
        held, asked = holds.held_among(rows), queries.approvals_of(rows)
        found = progress.progress_of_page(rows)
        wait = _waits_of([one.send for one in found if one.waiting or one.send.state == SendState.PREPARING])
        return [
            ShownSend(
                one.send,
                one.counts,
                outstanding=one.unanswered,
                held=one.send.pk in held,
                approval=asked.get(one.send.pk),
                waits=wait.get(one.send.pk, ()),
            )
            for one in found
        ]

    @extend_schema(
        operation_id="sends_create",
        summary="Make a send",
        request={"application/json": SendBody, "multipart/form-data": SendUpload},
        responses={201: MadeSendShape},
    )
    def create(self, request: Request) -> HttpResponse:
        """Commit a send; one that has to be approved waits as `awaiting`."""
        body = self._asked(SendBody, SendUpload)
        access.need_idempotency_key(request)
        return access.once(request, lambda: self._made(body))

    @extend_schema(
        operation_id="sends_plan",
        summary="Plan a send",
        request={"application/json": PlanBody, "multipart/form-data": PlanUpload},
        responses={200: PlanShape},
    )
    @posted(detail=False)
    def plan(self, request: Request) -> Response:
        """What would happen, and what is wrong with it, exactly as making it would say.

        Nothing is stored, and no Idempotency-Key is needed."""
        body = self._asked(PlanBody, PlanUpload)
        order = self._order(body)
        with naming_rows(source_of(body)):
            planned = build_plan(
                order,
                now=corrected_now(),
                public_url=settings.PUBLIC_URL,
                row=body.get("row"),
                masked=order.saved is not None and not access.shows_numbers(request),
                wordless=order.saved is not None and not access.shows_texts(request),
            )
        return Response(as_json(planned))

    def _asked(self, kind: type[SendFields], form: type[SendFields]) -> dict[str, Any]:
        body = self.read(kind, form)
        if body.get("audience") and body.get("notify_url") and not access.shows_numbers(self.request):
            says = "This key lacks the scope “numbers”, so it cannot have receipts of a saved audience passed on: they hold its numbers."
            raise ApiProblem(403, "forbidden", says)
        return body

    def _order(self, body: dict[str, Any]) -> Order:
        limits = Limits(bytes=settings.UPLOAD_MAX_BYTES, rows=settings.UPLOAD_MAX_ROWS)
        return order_of(body, key=access.key_of(self.request), service=self.service, limits=limits)

    def _made(self, body: dict[str, Any]) -> Response:
        order = resolve(self._order(body))
        with naming_rows(source_of(body)):
            send = create(order, by=self.by)
        tell_caps(self.request._request, send.caps_left)
        made = self.shown(self.find(self.rows(), send.pk), status=201)
        if self.get_serializer_context()["only"] is None:
            made.data["messages"] = self._messages_of(send)
            made.data["cautions"] = [{"code": one.code, "detail": one.text} for one in order.cautions]
        return made

    def _messages_of(self, send: Send) -> Any:
        if send.state == SendState.PREPARING or send.recipients > LISTED:
            return None
        rows = Message.objects.filter(send=send).select_related("echo").order_by("pk")
        found = list(rows.only("msisdn", "row", "echo__reference"))
        for one in found:
            one.send = send
        return MadeMessageShape(found, many=True, context=self.get_serializer_context()).data

    @once("sends_reschedule", "Put a send at another time", SendChange, SendShape)
    def partial_update(self, body: dict[str, Any], pk: int) -> Response:
        """Only a send that has not begun: 409 afterwards. An approval was for the time before, so it is asked for again.

        Everything else of a send stays as it was made."""
        send = self._open(pk)
        try:
            reschedule.reschedule(send, due_at=body["send_at"], by=self.by)
        except reschedule.SendHasBegun as problem:
            raise ApiProblem(409, "conflict", str(problem)) from None
        return self.retrieve(self.request, pk)

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
        send.refresh_from_db(fields=["state", "settled_at"])
        return Response(StoppedShape({"stopped": stopped, "state": send.shown_state}).data)

    @once("sends_pause", "Pause a send", HoldBody, SendShape)
    def pause(self, body: dict[str, Any], pk: int) -> Response:
        """Post nothing more of it until it is resumed. Pausing twice is pausing once."""
        send = self._open(pk)
        holds.hold(send, by=self.by, because=body["reason"])
        return self.shown(send)

    @once("sends_resume", "Resume a send", NoBody, SendShape)
    def resume(self, body: dict[str, Any], pk: int) -> Response:
        """Lift the pause that a program made. What holds its sender, its domain or the whole service stays, and so does what a person
        or a rule of the service paused: a person resumes it."""
        send = self._open(pk)
        if hold := holds.hold_on(send):
            if not hold.by_program:
                says = "It was not paused by a program. Ask a person to resume it on its page, where the reason stands."
                raise ApiProblem(409, "conflict", says)
            holds.lift(hold, by=self.by)
        return self.shown(send)

    def _open(self, pk: int) -> Send:
        send: Send = self.found(pk)
        if send.state in OVER:
            raise ApiProblem(409, "conflict", f"It is {send.state} already; nothing of it can be changed.")
        return send


def _waits_of(sends: Sequence[Send]) -> Mapping[int, Sequence[waits.Wait]]:
    now = corrected_now()
    if len(sends) == 1:  # its messages can be asked, also before a dispatcher looked at them
        return {sends[0].pk: waits.waits_of(sends[0], now=now)}
    return waits.waits_among(sends, now=now)


class OfSend(Resource):
    scope = "read"

    def send(self, pk: int) -> Send:
        rows = Send.objects.filter(service=self.service)
        found: Send = self.find(access.mine(self.request, rows), pk)
        return found


class SendMessages(OfSend):
    serializer_class = MessageShape
    filterset_class = OfSendFilter
    queryset = Message.objects.select_related("echo", "send")

    @extend_schema(operation_id="sends_messages", summary="List the messages of a send")
    def list(self, request: Request, pk: int) -> Response:
        """The last row first."""
        return self.page(self.get_queryset().filter(send=self.send(pk)))


class SendRejects(OfSend):
    serializer_class = SendRejectShape
    filterset_class = RejectFilter
    queryset = Reject.objects.select_related("send__service")

    @extend_schema(operation_id="sends_rejects", summary="List the rows that a send left out")
    def list(self, request: Request, pk: int) -> Response:
        """The last row first."""
        return self.page(self.get_queryset().filter(send=self.send(pk)))


class Rejects(Resource):
    scope = "read"
    of_service, owner = "send__service", "send__owner"
    serializer_class = SendRejectShape
    filterset_class = AnyRejectFilter
    queryset = Reject.objects.select_related("send__service")

    @extend_schema(operation_id="rejects_list", summary="List the rows that sends left out")
    def list(self, request: Request) -> Response:
        """The newest first. Find by your `reference` here what has no message."""
        return self.page(self.rows())
