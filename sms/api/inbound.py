"""`HEAD` and `POST /inbound/<token>/`: the address that Webex Connect posts incoming SMS to.

Exactly 200 once the SMS is durable, as for receipts: in the database, where what it asks for counts from the commit on, or on the
disk while the database is away. The one genuine request that is refused for good is a body over LARGEST.
"""

import structlog
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from sms.inbound import optouts
from sms.inbound.receipts import receipt_addresses
from sms.models.fields import UnreadableSecret

log = structlog.get_logger(__name__)

LARGEST = 64 * 1024
SIGNATURE = "HTTP_X_HUB_SIGNATURE"
RETRY = {"Retry-After": "30"}
AWAY = (DatabaseError, InterfaceError)


class InboundView(APIView):
    """The address is a capability: its token is unguessable and names the service."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    http_method_names = ["head", "post"]  # noqa: RUF012 - Django's own spelling

    def head(self, request: Request, token: str) -> HttpResponse:
        """Webex Connect asks with HEAD before it saves a webhook and expects 200."""
        del request
        try:
            return HttpResponse(status=200 if receipt_addresses.find(token) else 404)
        except (*AWAY, UnreadableSecret):
            return HttpResponse(status=503, headers=RETRY)

    @extend_schema(
        operation_id="inbound_take",
        description="Webex Connect passes on an SMS that somebody wrote to us.",
        tags=["webex connect"],
        request=OpenApiTypes.OBJECT,
        responses={
            200: OpenApiResponse(description="It is durable."),
            401: OpenApiResponse(description="The signature does not hold."),
            404: OpenApiResponse(description="No service has this address."),
            413: OpenApiResponse(description="It is larger than 64 KB."),
            503: OpenApiResponse(description="It could not be kept. Send it again."),
        },
    )
    def post(self, request: Request, token: str) -> HttpResponse:
        """Store one SMS and do what it asks for."""
        plain: HttpRequest = request._request
        try:
            door = receipt_addresses.find(token)
        except (*AWAY, UnreadableSecret) as problem:  # not 404: Webex Connect would not try again
            log.error("inbound_address_unknown_now", error=str(problem)[:300])
            return HttpResponse(status=503, headers=RETRY)
        if door is None:
            return HttpResponse(status=404)
        try:
            raw = _body(plain)
        except OSError:  # the other end went away while it was sending
            return HttpResponse(status=503, headers=RETRY)
        if raw is None:
            log.warning("inbound_too_large", service=door.service_id)
            return HttpResponse(status=413)
        if not door.genuine(raw, plain.META.get(SIGNATURE, "")):
            log.warning("inbound_forged", service=door.service_id)
            return HttpResponse(status=401)
        now = timezone.now()
        try:
            optouts.take(raw, service_id=door.service_id, received_at=now)
        except AWAY as problem:
            log.error("inbound_goes_to_the_disk", error=f"{type(problem).__name__}: {problem}"[:300])
            try:
                optouts.inbound_spool.put(optouts.SpooledMessage(door.service_id, raw, now))
            except OSError as trouble:
                log.error("inbound_not_stored", service=door.service_id, error=repr(trouble)[:300])
                return HttpResponse(status=503, headers=RETRY)
        return HttpResponse(status=200)


def _body(request: HttpRequest) -> bytes | None:
    """The body as it came, None where it is over LARGEST. Without a length, as in a chunked request, it is read to its end."""
    written = request.META.get("CONTENT_LENGTH") or ""
    if written.isdecimal():
        return request.body if int(written) <= LARGEST else None
    chunked = "HTTP_TRANSFER_ENCODING" in request.META
    raw: bytes = request.META["wsgi.input"].read(LARGEST + 1) if chunked else b""
    return raw if len(raw) <= LARGEST else None
