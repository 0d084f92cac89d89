"""Sends: made by `sms.compose`, held and stopped by `sms.sends.control`. `dry_run` answers with the plan instead.

Times are ISO 8601 in UTC, and related things go by their names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api.throttle import tell_caps
from sms.api.v1 import access
from sms.api.v1.bodies import HoldBody, Json, NoBody
from sms.api.v1.filters import AnyRejectFilter, OfSendFilter, RejectFilter, SendFilter
from sms.api.v1.messages import MessageShape
from sms.api.v1.option_fields import WithShownOptions
from sms.api.v1.orders import naming_rows, order_of, source_of
from sms.api.v1.plan_shape import AskingShape, PlanShape, shape_of
from sms.api.v1.problems import ApiProblem, CodeField
from sms.api.v1.resource import Collection, Resource, described, once
from sms.api.v1.send_body import SendBody, SendChange
from sms.api.v1.sparse import Number, Sparse, SparseModel, Text, Words
from sms.audiences.files import Limits
from sms.compose.approval import queries
from sms.compose.create import create
from sms.compose.order import Order
from sms.compose.resolved_order import resolve
from sms.models import OVER, ApprovalState, Message, Reject, Send, SendOptions, SendState, ShownState
from sms.sends import control, holds, plan, progress, reschedule, waits
from sms.sends.own_numbers import without_recipients
from sms.sends.plan.shapes import Caution
from sms.sends.waits import WaitReason
from sms.values.msisdn.mention import masked

LISTED = 100  # messages in the answer to a send that was made
OWN_DIGITS = 7  # by which a number is known in another text


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


class WaitShape(serializers.Serializer[Any]):
    """What keeps the messages of a send from being posted now."""

    reason = serializers.ChoiceField(choices=[one.value for one in WaitReason])
    until = serializers.DateTimeField(allow_null=True, help_text="Null where nobody knows.")
    says = serializers.CharField()


class SendShape(Sparse, WithShownOptions):
    """A send with its counters. `counts` has messages by state; states without a message are left out."""

    id = serializers.IntegerField(source="send.pk")
    name = serializers.CharField(source="send.name")
    client_reference = serializers.CharField(source="send.client_reference")
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
    text = Words(source="send.text", help_text="Null unless the key has the scope `texts`.")
    template = serializers.CharField(source="send.template", allow_null=True)
    policy_group = serializers.CharField(source="send.policy_group", allow_null=True)
    link_domain = serializers.CharField(source="send.link_domain", allow_null=True)
    labels = serializers.ListField(child=serializers.CharField(), source="send.words")
    audience = serializers.IntegerField(
        source="send.audience.audience_id", allow_null=True, help_text="Where it was a saved one."
    )
    send_at = serializers.DateTimeField(source="send.due_at")
    test = serializers.BooleanField(
        source="send.test", help_text="A person's test of a draft, to their own number or a seed list."
    )
    recipients = serializers.IntegerField(source="send.recipients")
    rejected = serializers.IntegerField(source="send.rejected")
    counts = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Messages by state, from the first moment on: those still to be written are pending.",
    )
    outstanding = serializers.IntegerField(help_text="Messages without an end.")
    created_at = serializers.DateTimeField(source="send.created_at")
    posted_at = serializers.DateTimeField(
        source="send.posted_at", allow_null=True, help_text="When the last of it was handed over."
    )
    settled_at = serializers.DateTimeField(
        source="send.settled_at",
        allow_null=True,
        help_text="When the last message had its end. What is heard afterwards still changes `counts`.",
    )
    cancelled_at = serializers.DateTimeField(source="send.cancelled_at", allow_null=True)

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
    reference = Text(source="partner_reference", help_text="What you call the recipient.")

    class Meta:
        model = Message
        fields = ("id", "row", "number", "reference")


class MadeSendShape(SendShape):
    """A send that was just made, with what a careful colleague would say of its text."""

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

    row = serializers.IntegerField()
    value = serializers.SerializerMethodField(help_text="What stood there; needs the scope `numbers`.")
    code = CodeField()
    reason = serializers.CharField()

    def get_value(self, reject: Any) -> str:
        """May be a whole number, so it is a number's secret."""
        return str(reject.value) if self.context.get("numbers") else "•••"


class LeftOutShape(RejectShape):
    """A row of a send that was refused before a message existed."""

    id = serializers.IntegerField(source="pk")
    send = serializers.IntegerField(source="send_id")
    reference = serializers.SerializerMethodField(
        help_text="What the one who asked for it calls the recipient. Numbers in it are hidden without the scope `numbers`."
    )

    def get_reference(self, reject: Any) -> str:
        """May be the number itself."""
        said = str(reject.reference)
        if not said or self.context.get("numbers"):
            return said
        number = "".join(filter(str.isdigit, reject.value))[-OWN_DIGITS:]
        if len(number) == OWN_DIGITS and number in "".join(filter(str.isdigit, said)):
            return masked(said)
        return without_recipients(said, reject.send)


class StoppedShape(serializers.Serializer[Any]):
    """What a cancel or a stop did."""

    stopped = serializers.IntegerField(help_text="Messages that were kept from being posted.")
    state = serializers.ChoiceField(choices=ShownState.values)


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
        summary="Make a send, or plan it",
        request={"application/json": SendBody, "multipart/form-data": SendBody},
        responses={
            201: MadeSendShape,
            200: OpenApiResponse(PlanShape, description="With `dry_run`: what would happen."),
        },
    )
    def create(self, request: Request) -> HttpResponse:
        """Commit a send; one that has to be approved waits as `awaiting`.

        With `dry_run` nothing is stored and no Idempotency-Key is needed."""
        body = self.read(SendBody)
        if body.get("audience") and body.get("notify_url") and not access.shows_numbers(request):
            says = "This key lacks the scope “numbers”, so it cannot have receipts of a saved audience passed on: they hold its numbers."
            raise ApiProblem(403, "forbidden", says)
        if body["dry_run"]:
            order = self._order(body)
            with naming_rows(source_of(body)):
                planned = plan.build_plan(
                    order,
                    now=timezone.now(),
                    public_url=settings.PUBLIC_URL,
                    row=body.get("plan_row"),
                    masked=order.saved is not None and not access.shows_numbers(request),
                    wordless=order.saved is not None and not access.shows_texts(request),
                )
            return Response(plan.as_json(planned))
        access.only_sandbox(request)
        access.need_idempotency_key(request)
        return access.once(request, lambda: self._made(body))

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
            made.data["cautions"] = [{"code": one.code, "text": one.text} for one in order.cautions]
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
        holds.hold(send, by=self.by, because=body["because"])
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
        access.only_sandbox(self.request)
        send: Send = self.found(pk)
        if send.state in OVER:
            raise ApiProblem(409, "conflict", f"It is {send.state} already; nothing of it can be changed.")
        return send


def _waits_of(sends: Sequence[Send]) -> Mapping[int, Sequence[waits.Wait]]:
    now = timezone.now()
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
    serializer_class = LeftOutShape
    filterset_class = RejectFilter
    queryset = Reject.objects.select_related("send__service")

    @extend_schema(operation_id="sends_rejects", summary="List the rows that a send left out")
    def list(self, request: Request, pk: int) -> Response:
        """The last row first."""
        return self.page(self.get_queryset().filter(send=self.send(pk)))


class Rejects(Resource):
    scope = "read"
    of_service, owner = "send__service", "send__owner"
    serializer_class = LeftOutShape
    filterset_class = AnyRejectFilter
    queryset = Reject.objects.select_related("send__service")

    @extend_schema(operation_id="rejects_list", summary="List the rows that sends left out")
    def list(self, request: Request) -> Response:
        """The newest first. Find by your `reference` here what has no message."""
        return self.page(self.rows())
