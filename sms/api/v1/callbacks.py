"""Callback endpoints and callbacks, over `sms.callbacks`. The signing secret is shown once."""

from contextlib import closing
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sms import callbacks
from sms.api.v1 import access
from sms.api.v1.bodies import Moment, NoBody, ReplayBody
from sms.api.v1.endpoint_body import (
    KIND,
    EndpointBody,
    EndpointChange,
    SecretBody,
    TestBody,
    check_fits,
    check_secret,
    wanted,
)
from sms.api.v1.filters import CallbackFilter, EndpointFilter
from sms.api.v1.problems import ApiProblem, conflict, invalid, refused
from sms.api.v1.resource import Collection, described, once, posted
from sms.api.v1.sparse import Answer, Known, Remark, SparseModel
from sms.callbacks.event_bodies import fill
from sms.models import ApiKey, Callback, CallbackEndpoint, Sender
from sms.models.sql.clock import corrected_now
from sms.values.problems import Problem, ProblemCode

SECRETS = ("endpoint__secret", "endpoint__secret_before")


class EndpointShape(SparseModel):
    """A receiver of callbacks. It gets nothing until `verified_at` is set."""

    kind = serializers.ChoiceField(choices=CallbackEndpoint.Kind.values, help_text=KIND)
    disabled_reason = Remark(source="disabled_because", read_only=True, allow_null=True)
    events = serializers.ListField(child=serializers.CharField())
    keys = serializers.SerializerMethodField(help_text="Names of the API keys whose sends it hears of.")
    senders = serializers.SerializerMethodField(help_text="Addresses; empty means all senders.")
    labels = serializers.ListField(child=serializers.CharField())
    secret_before_until = Moment(
        read_only=True, allow_null=True, help_text="Until then it is signed with the previous secret as well."
    )

    class Meta:
        model = CallbackEndpoint
        fields: tuple[str, ...] = (
            *("id", "name", "kind", "url", "events", "keys", "all_keys", "senders", "labels"),
            *("full_numbers", "texts", "batch_size", "verified_at", "paused_at"),
            *("disabled_at", "disabled_reason", "secret_before_until", "last_ok_at", "created_at"),
        )

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_keys(self, endpoint: CallbackEndpoint) -> list[str]:
        names = self._names_of(ApiKey, "identity", "name", endpoint)
        return sorted({names[one] for one in endpoint.keys if one in names})

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_senders(self, endpoint: CallbackEndpoint) -> list[str]:
        names = self._names_of(Sender, "pk", "address", endpoint)
        return [names[str(pk)] for pk in endpoint.senders if str(pk) in names]

    def _names_of(self, model: Any, by: str, name: str, endpoint: CallbackEndpoint) -> dict[str, str]:
        """Read once for a list."""
        read: Any = self.context
        if model not in read:
            rows = model.objects.filter(service=endpoint.service_id).values_list(by, name)
            read[model] = {str(one): word for one, word in rows}
        known: dict[str, str] = read[model]
        return known


class NewEndpoint(EndpointShape):
    """An endpoint with its secret, which is shown this once."""

    identity = ""
    secret = serializers.CharField()

    class Meta(EndpointShape.Meta):
        fields = (*EndpointShape.Meta.fields, "secret")


class CallbackShape(SparseModel):
    """One event for one endpoint, delivered or waiting."""

    type = serializers.CharField(source="kind", help_text="Of the event, as in its body.")
    message = serializers.IntegerField(source="message_id")
    state = serializers.ChoiceField(choices=Callback.State.values)
    last_status = Known(help_text="Null where no reply came.")
    last_detail = serializers.CharField(
        source="last_error",
        allow_null=True,
        help_text="What went wrong with the last try; null where it was taken.",
    )

    class Meta:
        model = Callback
        fields: tuple[str, ...] = (
            *("id", "endpoint", "event_id", "type", "message", "state", "created_at", "next_at", "done_at"),
            *("tries", "last_status", "last_detail"),
        )


class DeliveryTryShape(Answer):
    """One try to deliver a callback."""

    at = Moment()
    status = Known(help_text="Null where no reply came.")
    milliseconds = serializers.IntegerField(source="ms")
    detail = serializers.CharField(
        source="error", allow_null=True, help_text="What went wrong; null where it was taken."
    )
    reply = Remark(allow_null=True, help_text="The first 1,000 characters.")


class CallbackStory(CallbackShape):
    """One callback with what it says, and its latest tries."""

    body = serializers.SerializerMethodField(
        help_text="As it is posted; null where it holds a whole number or a text that the key may not see."
    )
    log = DeliveryTryShape(many=True)

    class Meta(CallbackShape.Meta):
        fields = (*CallbackShape.Meta.fields, "body", "log")

    @extend_schema_field({"type": ["string", "null"]})
    def get_body(self, callback: Any) -> str | None:
        """A body that is stored is as it was written, like receipts in the provider's shape, which hold the number; others are written as
        the endpoint wants them now."""
        endpoint = callback.endpoint
        whole = callback.body or endpoint.full_numbers or endpoint.kind == CallbackEndpoint.Kind.NOTIFY
        if whole and not self.context.get("numbers"):
            return None
        if endpoint.texts and not self.context.get("texts"):
            return None
        fill([callback], numbers=endpoint.full_numbers, texts=endpoint.texts)
        return str(callback.body) or None


class SecretShape(Answer):
    """A new signing secret, shown this once. The one before stays valid beside it until `before_until`.

    Where nobody has seen the one before, as of the host of notifyUrls that came with a message, it is null: the new one holds at once.
    """

    secret = serializers.CharField()
    before_until = Moment(allow_null=True)


class TestedShape(Answer):
    """What the endpoint answered to a test event."""

    delivered = serializers.BooleanField()
    status = Known(help_text="Null where no reply came.")
    milliseconds = serializers.IntegerField()
    detail = serializers.CharField(allow_null=True, help_text="What went wrong; null where it was taken.")
    reply = Remark(allow_null=True, help_text="The first 1,000 characters.")
    event = serializers.DictField(help_text="As it was posted.")


class ReplayedShape(Answer):
    """How many callbacks are delivered again."""

    replayed = serializers.IntegerField()


@described(
    "endpoints",
    "callback endpoints",
    "callback endpoint",
    read="How it is doing. Its ETag can be given to a change as If-Match.",
)
class Endpoints(Collection):
    """The receivers of the key's service. Those of kind `notify` stand for hosts of notifyUrls."""

    serializer_class = EndpointShape
    made = NewEndpoint
    filterset_class = EndpointFilter
    queryset = CallbackEndpoint.objects.select_related("service").defer("secret", "secret_before")
    scope = "callbacks"
    owner = "key_owner"

    @once("endpoints_create", "Add a callback endpoint", EndpointBody, {201: NewEndpoint})
    def create(self, body: dict[str, Any]) -> Response:
        """It gets nothing until it is verified. The answer is the only one with its secret."""
        check_fits(body)
        about = {"url": body["url"], "secret": body.get("secret", ""), "by": self.by, "policy": _policy()}
        try:
            if body["kind"] == CallbackEndpoint.Kind.NOTIFY:
                made = callbacks.expect(self.service, **about)
            else:
                made = callbacks.add(self.service, **about, **wanted(body, key=access.key_of(self.request)))
        except callbacks.BadAddress as problem:
            raise invalid("url", str(problem)) from None
        except callbacks.TooMany as problem:
            raise conflict(Problem(ProblemCode.TOO_MANY, "", str(problem))) from None
        shown = NewEndpoint(made, context=self.get_serializer_context()).data
        return Response(shown, status=201, headers={"Location": f"/api/v1/callback-endpoints/{made.pk}"})

    @once("endpoints_change", "Change a callback endpoint", EndpointChange, EndpointShape)
    def partial_update(self, body: dict[str, Any], pk: int) -> Response:
        """What it gets, and where. Nothing goes to another address before that is verified; what happens meanwhile is kept."""
        endpoint = self.found(pk)
        wants = wanted(body, key=access.key_of(self.request), endpoint=endpoint)
        try:
            callbacks.change(endpoint, by=self.by, policy=_policy(), url=body.get("url", ""), **wants)
        except callbacks.BadAddress as problem:
            raise invalid("url", str(problem)) from None
        return self.shown(endpoint)

    @extend_schema(
        operation_id="endpoints_remove", summary="Remove a callback endpoint", responses={204: None}
    )
    def destroy(self, request: Request, pk: int) -> Response:
        """With its log and with what waits."""
        callbacks.remove(self.found(pk), by=self.by)
        return Response(status=204)

    @extend_schema(
        operation_id="endpoints_verify",
        summary="Verify a callback endpoint",
        request=NoBody,
        responses=EndpointShape,
    )
    @posted(detail=True)
    def verify(self, request: Request, pk: int) -> HttpResponse:
        """Post it a challenge. It answers with `data.challenge` as its whole body, or as `challenge` in a JSON object."""
        self.read(NoBody)
        if answered := access.before(request):
            return answered
        endpoint = self._ours(pk, "which needs no verification")
        with closing(callbacks.ReceiverConnection(_policy())) as connection:
            why = callbacks.verify(endpoint, by=self.by, connection=connection)
        if why:
            raise refused(Problem(ProblemCode.NOT_USABLE, "url", why))
        return access.once(request, lambda: self.shown(endpoint))

    @extend_schema(
        operation_id="endpoints_test",
        summary="Post a test event to a callback endpoint",
        request=TestBody,
        responses=TestedShape,
    )
    @posted(detail=True)
    def test(self, request: Request, pk: int) -> HttpResponse:
        """At once, with example data and `"test": true`, signed like every other. It is tried once and not in the log."""
        body = self.read(TestBody)
        if answered := access.before(request):
            return answered
        endpoint = self._ours(pk, "so send a message with a notifyUrl to it")
        if endpoint.verified_at is None:
            raise ApiProblem(409, "conflict", "It is not verified yet. Verify it first.")
        with closing(callbacks.ReceiverConnection(_policy())) as connection:
            reply, event = callbacks.try_out(
                endpoint, kind=body["type"], by=self.by, connection=connection, now=corrected_now()
            )
        said: dict[str, Any] = {
            "delivered": reply.ok,
            "status": reply.status,
            "milliseconds": reply.milliseconds,
        }
        said |= {"detail": reply.error, "reply": reply.text, "event": event}
        return access.once(
            request, lambda: Response(TestedShape(said, context=self.get_serializer_context()).data)
        )

    @once("endpoints_rotate_secret", "Make a new signing secret", SecretBody, SecretShape)
    def rotate_secret(self, body: dict[str, Any], pk: int) -> Response:
        """The present one stays valid beside it for seven days, if anybody has seen it."""
        endpoint = self._with_own_secret(pk)
        check_secret(body, endpoint.kind)
        secret = callbacks.rotate(endpoint, by=self.by, secret=body.get("secret", ""))
        return Response(SecretShape({"secret": secret, "before_until": endpoint.secret_before_until}).data)

    @once("endpoints_retire_secret", "End the previous signing secret", NoBody, EndpointShape)
    def retire_secret(self, body: dict[str, Any], pk: int) -> Response:
        """Now, not after seven days. Where there is none any more, nothing changes."""
        endpoint = self._with_own_secret(pk)
        callbacks.retire(endpoint, by=self.by)
        return self.shown(endpoint)

    @once("endpoints_pause", "Pause a callback endpoint", NoBody, EndpointShape)
    def pause(self, body: dict[str, Any], pk: int) -> Response:
        """Callbacks go on being written, and wait."""
        callbacks.pause(self.found(pk), by=self.by)
        return self.retrieve(self.request, pk)

    @once("endpoints_resume", "Resume a callback endpoint", NoBody, EndpointShape)
    def resume(self, body: dict[str, Any], pk: int) -> Response:
        """Also after it was switched off by itself; what waits is due at once."""
        callbacks.resume(self.found(pk), by=self.by)
        return self.retrieve(self.request, pk)

    @once("endpoints_replay", "Deliver a range of callbacks again", ReplayBody, ReplayedShape)
    def replay(self, body: dict[str, Any], pk: int) -> Response:
        """With their ids of then, so a receiver that had one drops it."""
        if body.get("until") and body["until"] <= body["since"]:
            raise invalid("until", "It ends before it begins.")
        count = callbacks.replay(self.found(pk), by=self.by, now=corrected_now(), **body)
        return Response(ReplayedShape({"replayed": count}).data)

    def _ours(self, pk: int, otherwise: str) -> CallbackEndpoint:
        endpoint: CallbackEndpoint = self.found(pk)
        if endpoint.kind != CallbackEndpoint.Kind.EVENTS:
            raise ApiProblem(409, "conflict", f"It stands for the host of notifyUrls, {otherwise}.")
        return endpoint

    def _with_own_secret(self, pk: int) -> CallbackEndpoint:
        """Whoever knows another key's secret could sign as us to that key's receiver: that is nobody's, whatever its scopes."""
        endpoint: CallbackEndpoint = self.found(pk)
        if endpoint.key_owner not in (None, access.key_of(self.request).identity):
            raise ApiProblem(403, "forbidden", "It belongs to another key: only that one changes its secret.")
        return endpoint


def _policy() -> callbacks.AddressPolicy:
    return callbacks.AddressPolicy(**settings.CALLBACKS)


@described(
    "callbacks",
    "callbacks, newest first",
    "callback",
    listed="Newest first, kept for thirty days.",
    read="Where it stands, what it says, and how its latest tries went.",
)
class Callbacks(Collection):
    serializer_class = CallbackShape
    filterset_class = CallbackFilter
    queryset = Callback.objects.select_related("endpoint__service").defer("body", "log", *SECRETS)
    scope = "callbacks"
    unmatched = ("replay",)
    of_service = "endpoint__service"
    owner = "endpoint__key_owner"

    def rows(self) -> Any:
        rows = super().rows()
        return rows.defer(None).defer(*SECRETS) if self.action == "retrieve" else rows

    def get_serializer_class(self) -> Any:
        return CallbackStory if self.action == "retrieve" else CallbackShape

    @once("callbacks_replay", "Deliver one callback again", NoBody, ReplayedShape)
    def replay(self, body: dict[str, Any], pk: int) -> Response:
        """With its id of then, so a receiver that had it drops it."""
        found: Callback = self.find(self.rows(), pk)
        count = callbacks.replay(found.endpoint, by=self.by, only=found.pk, now=corrected_now())
        return Response(ReplayedShape({"replayed": count}).data)
