"""Callback endpoints and callbacks, over `sms.callbacks`. The signing secret is shown once."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from sms import callbacks
from sms.api.v1 import access
from sms.api.v1.bodies import EndpointBody, EndpointChange, NoBody, ReplayBody
from sms.api.v1.callback_shapes import (
    CallbackShape,
    CallbackStory,
    EndpointShape,
    NewEndpoint,
    ReplayedShape,
    SecretShape,
)
from sms.api.v1.filters import CallbackFilter, EndpointFilter
from sms.api.v1.problems import ApiProblem, Fault, invalid
from sms.api.v1.resource import Collection, described, once
from sms.models import Callback, CallbackEndpoint

SECRETS = ("endpoint__secret", "endpoint__secret_before")


@described(
    "endpoints",
    "callback endpoints",
    "callback endpoint",
    listed="The newest first.",
    read="How it is doing. Its ETag can be given to a change as If-Match.",
)
class Endpoints(Collection):
    """The receivers of the key's service. Those of kind `notify` stand for hosts of notifyUrls."""

    serializer_class = EndpointShape
    filterset_class = EndpointFilter
    queryset = CallbackEndpoint.objects.select_related("service").defer("secret", "secret_before")
    scope = "callbacks"

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
            raise ApiProblem(409, "conflict", str(problem)) from None
        shown = NewEndpoint(made, context=self.get_serializer_context()).data
        return Response(shown, status=201, headers={"Location": f"/api/v1/callback-endpoints/{made.pk}"})

    @extend_schema(
        operation_id="endpoints_change",
        summary="Change a callback endpoint",
        request=EndpointChange,
        responses=EndpointShape,
    )
    def partial_update(self, request: Request, pk: int) -> Response:
        """Its name, its events, and whether it gets whole numbers; the address stays."""
        body = self.read(EndpointChange)
        self._may_have_numbers(body)
        endpoint = self._found(pk)
        now = {"name": endpoint.name, "events": endpoint.events, "full_numbers": endpoint.full_numbers}
        callbacks.change(endpoint, by=self.by, **now | body)
        return self.shown(endpoint)

    @extend_schema(
        operation_id="endpoints_remove", summary="Remove a callback endpoint", responses={204: None}
    )
    def destroy(self, request: Request, pk: int) -> Response:
        """With its log and with what waits."""
        callbacks.remove(self._found(pk), by=self.by)
        return Response(status=204)

    @extend_schema(
        operation_id="endpoints_verify",
        summary="Verify a callback endpoint",
        request=NoBody,
        responses=EndpointShape,
    )
    def verify(self, request: Request, pk: int) -> HttpResponse:
        """Post it a challenge. It answers with `data.challenge` as its whole body, or as `challenge` in a JSON object."""
        self.read(NoBody)
        if answered := access.before(request):
            return answered
        endpoint = self._found(pk)
        if endpoint.kind != CallbackEndpoint.Kind.OURS:
            raise ApiProblem(
                409, "conflict", "It stands for the host of notifyUrls, which needs no verification."
            )
        connection = callbacks.ReceiverConnection(callbacks.AddressPolicy(**settings.CALLBACKS))
        try:
            why = callbacks.verify(endpoint, by=self.by, connection=connection)
        finally:
            connection.close()
        if why:
            raise ApiProblem(422, "refused", why, faults=[Fault("url", why)])
        return access.once(request, lambda: self.shown(endpoint))

    @once("endpoints_rotate_secret", "Make a new signing secret", NoBody, SecretShape)
    def rotate(self, body: dict[str, Any], pk: int) -> Response:
        """The present one stays valid beside it for seven days."""
        endpoint = self._found(pk)
        secret = callbacks.rotate(endpoint, by=self.by)
        return Response(SecretShape({"secret": secret, "before_until": endpoint.secret_before_until}).data)

    @once("endpoints_pause", "Pause a callback endpoint", NoBody, EndpointShape)
    def pause(self, body: dict[str, Any], pk: int) -> Response:
        """Callbacks go on being written, and wait."""
        callbacks.pause(self._found(pk), by=self.by)
        return self.shown(self.find(self.rows(), pk))

    @once("endpoints_resume", "Resume a callback endpoint", NoBody, EndpointShape)
    def resume(self, body: dict[str, Any], pk: int) -> Response:
        """Also after it was switched off by itself; what waits is due at once."""
        callbacks.resume(self._found(pk), by=self.by)
        return self.shown(self.find(self.rows(), pk))

    @once("endpoints_replay", "Deliver a range of callbacks again", ReplayBody, ReplayedShape)
    def replay(self, body: dict[str, Any], pk: int) -> Response:
        """With their ids of then, so a receiver that had one drops it."""
        if body.get("until") and body["until"] <= body["since"]:
            raise invalid("until", "It ends before it begins.")
        count = callbacks.replay(self._found(pk), by=self.by, now=timezone.now(), **body)
        return Response(ReplayedShape({"replayed": count}).data)

    def _found(self, pk: int) -> CallbackEndpoint:
        endpoint: CallbackEndpoint = self.find(self.rows(), pk)
        self.expect(endpoint)
        return endpoint

    def _may_have_numbers(self, body: dict[str, Any]) -> None:
        if body.get("full_numbers") and not access.shows_numbers(self.request):
            raise ApiProblem(
                403,
                "forbidden",
                "This key lacks the scope “numbers”, so it cannot have them posted to an endpoint.",
            )


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

    owner = "endpoint__service"

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
