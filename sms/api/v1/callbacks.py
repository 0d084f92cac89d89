"""Callback endpoints and callbacks, over `sms.callbacks`. The signing secret is shown once."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sms import callbacks
from sms.api.v1 import access
from sms.api.v1.bodies import EndpointBody, EndpointChange, NoBody, ReplayBody
from sms.api.v1.filters import CallbackFilter, EndpointFilter
from sms.api.v1.problems import ApiProblem, conflict, invalid, refused
from sms.api.v1.resource import Collection, described, once, posted
from sms.api.v1.sparse import Remark, SparseModel
from sms.callbacks.event_bodies import fill
from sms.models import Callback, CallbackEndpoint
from sms.values.problems import Problem, ProblemCode

SECRETS = ("endpoint__secret", "endpoint__secret_before")


class EndpointShape(SparseModel):
    """A receiver of callbacks. It gets nothing until `verified_at` is set."""

    kind = serializers.ChoiceField(choices=CallbackEndpoint.Kind.values)
    disabled_because = Remark(read_only=True)
    events = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = CallbackEndpoint
        fields: tuple[str, ...] = (
            *("id", "name", "kind", "url", "events", "full_numbers", "verified_at", "paused_at"),
            *("disabled_at", "disabled_because", "last_ok_at", "created_at"),
        )


class NewEndpoint(EndpointShape):
    """An endpoint with its secret, which is shown this once."""

    secret = serializers.CharField()

    class Meta(EndpointShape.Meta):
        fields = (*EndpointShape.Meta.fields, "secret")


class CallbackShape(SparseModel):
    """One event for one endpoint, delivered or waiting."""

    message = serializers.IntegerField(source="message_id")
    state = serializers.ChoiceField(choices=Callback.State.values)
    last_status = serializers.IntegerField(help_text="0 where no reply came.")

    class Meta:
        model = Callback
        fields: tuple[str, ...] = (
            *("id", "endpoint", "event_id", "kind", "message", "state", "created_at", "next_at", "done_at"),
            *("tries", "last_status", "last_error"),
        )


class TryShape(serializers.Serializer[Any]):
    """One try to deliver a callback."""

    at = serializers.DateTimeField()
    status = serializers.IntegerField(help_text="0 where no reply came.")
    milliseconds = serializers.IntegerField(source="ms")
    error = serializers.CharField(allow_blank=True)
    reply = Remark(allow_blank=True, help_text="The first 1,000 characters.")


class CallbackStory(CallbackShape):
    """One callback with what it says, and its latest tries."""

    body = serializers.SerializerMethodField(
        help_text="As it is posted; null where it holds a whole number that the key may not see."
    )
    log = TryShape(many=True)

    class Meta(CallbackShape.Meta):
        fields = (*CallbackShape.Meta.fields, "body", "log")

    @extend_schema_field({"type": ["string", "null"]})
    def get_body(self, callback: Any) -> str | None:
        """Receipts in the provider's shape hold the number, and so do events of endpoints that get whole ones."""
        endpoint = callback.endpoint
        whole = endpoint.full_numbers or endpoint.kind == CallbackEndpoint.Kind.NOTIFY
        if whole and not self.context.get("numbers"):
            return None
        fill([callback], numbers=endpoint.full_numbers, texts=endpoint.texts)
        return str(callback.body) or None


class SecretShape(serializers.Serializer[Any]):
    """A new signing secret, shown this once. The one before stays valid beside it until `before_until`."""

    secret = serializers.CharField()
    before_until = serializers.DateTimeField()


class ReplayedShape(serializers.Serializer[Any]):
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
    filterset_class = EndpointFilter
    queryset = CallbackEndpoint.objects.select_related("service").defer("secret", "secret_before")
    scope = "callbacks"
    owner = "key_owner"

    @once("endpoints_create", "Add a callback endpoint", EndpointBody, {201: NewEndpoint})
    def create(self, body: dict[str, Any]) -> Response:
        """It gets nothing until it is verified. The answer is the only one with its secret."""
        self._may_have_numbers(body)
        policy = callbacks.AddressPolicy(**settings.CALLBACKS)
        try:
            made = callbacks.add(self.service, by=self.by, policy=policy, **body)
        except callbacks.BadAddress as problem:
            raise invalid("url", str(problem)) from None
        except callbacks.TooMany as problem:
            raise conflict(Problem(ProblemCode.TOO_MANY, "", str(problem))) from None
        shown = NewEndpoint(made, context=self.get_serializer_context()).data
        return Response(shown, status=201, headers={"Location": f"/api/v1/callback-endpoints/{made.pk}"})

    @once("endpoints_change", "Change a callback endpoint", EndpointChange, EndpointShape)
    def partial_update(self, body: dict[str, Any], pk: int) -> Response:
        """Its name, its events, and whether it gets whole numbers; the address stays."""
        self._may_have_numbers(body)
        endpoint = self.found(pk)
        now = {"name": endpoint.name, "events": endpoint.events, "full_numbers": endpoint.full_numbers}
        callbacks.change(endpoint, by=self.by, **now | body)
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
        endpoint: CallbackEndpoint = self.found(pk)
        if endpoint.kind != CallbackEndpoint.Kind.OURS:
            says = "It stands for the host of notifyUrls, which needs no verification."
            raise ApiProblem(409, "conflict", says)
        connection = callbacks.ReceiverConnection(callbacks.AddressPolicy(**settings.CALLBACKS))
        try:
            why = callbacks.verify(endpoint, by=self.by, connection=connection)
        finally:
            connection.close()
        if why:
            raise refused(Problem(ProblemCode.NOT_USABLE, "url", why))
        return access.once(request, lambda: self.shown(endpoint))

    @once("endpoints_rotate_secret", "Make a new signing secret", NoBody, SecretShape)
    def rotate_secret(self, body: dict[str, Any], pk: int) -> Response:
        """The present one stays valid beside it for seven days."""
        endpoint = self.found(pk)
        secret = callbacks.rotate(endpoint, by=self.by)
        return Response(SecretShape({"secret": secret, "before_until": endpoint.secret_before_until}).data)

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
        count = callbacks.replay(self.found(pk), by=self.by, now=timezone.now(), **body)
        return Response(ReplayedShape({"replayed": count}).data)

    def _may_have_numbers(self, body: dict[str, Any]) -> None:
        if body.get("full_numbers") and not access.shows_numbers(self.request):
            says = "This key lacks the scope “numbers”, so it cannot have them posted to an endpoint."
            raise ApiProblem(403, "forbidden", says)


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
        count = callbacks.replay(found.endpoint, by=self.by, only=found.pk, now=timezone.now())
        return Response(ReplayedShape({"replayed": count}).data)
