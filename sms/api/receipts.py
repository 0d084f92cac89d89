"""`HEAD` and `POST /receipts/<token>/`: the notifyUrl that Webex Connect reports to.

Exactly 200 once the receipt is durable, since anything else either loses it (202–208, 3xx, most 4xx are not retried) or has it sent
again (5xx). No serializer, parser or permission stands in the way: the body is evidence and is stored as it came. The one authentic
request that is refused for good is a body over LARGEST: no receipt is a tenth as long, and its signature could only be checked by
reading all of it.
"""

import contextlib
from collections.abc import Iterable

import structlog
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from sms.inbound.receipts import Incoming, Overloaded, Stuck, receipt_addresses, store
from sms.inbound.receipts.rotate import asked
from sms.ledger import wakeups
from sms.models.fields import UnreadableSecret

log = structlog.get_logger(__name__)

LARGEST = 64 * 1024
SIGNATURE = "HTTP_X_HUB_SIGNATURE"
RETRY = {"Retry-After": "30"}


class NoNegotiation(BaseContentNegotiation):
    """The answer has no body, so there is nothing to agree on; reading Accept took a tenth of a request's time."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> None:
        """None: views read the body themselves."""
        del request, parsers

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first."""
        del request, format_suffix
        first = next(iter(renderers))
        return first, first.media_type or ""


class ReceiptView(APIView):
    """The address is a capability: its token is unguessable and names the service."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    content_negotiation_class = NoNegotiation
    http_method_names = ["head", "post"]  # noqa: RUF012 - Django's own spelling

    def head(self, request: Request, token: str) -> HttpResponse:
        """Webex Connect asks with HEAD before it saves a webhook and expects 200."""
        del request
        try:
            door = receipt_addresses.find(token)
        except (DatabaseError, InterfaceError, UnreadableSecret):
            return HttpResponse(status=503, headers=RETRY)
        if door is not None:
            with contextlib.suppress(DatabaseError):  # only a note for the checklist
                asked(door.service_id)
        return HttpResponse(status=200 if door else 404)

    @extend_schema(
        operation_id="receipts_take",
        description="Webex Connect reports what became of a message. It signs with X-Hub-Signature where the service has a secret.",
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
        """Store one receipt."""
        plain: HttpRequest = request._request
        try:
            door = receipt_addresses.find(token)
        except (
            DatabaseError,
            InterfaceError,
            UnreadableSecret,
        ) as problem:  # not 404: Webex Connect would not try again
            log.error("receipt_address_unknown_now", error=str(problem)[:300])
            return HttpResponse(status=503, headers=RETRY)
        if door is None:
            return HttpResponse(status=404)
        try:
            raw = _body(plain)
        except OSError:  # the other end went away while it was sending
            return HttpResponse(status=503, headers=RETRY)
        if raw is None:
            log.warning("receipt_too_large", service=door.service_id)
            return HttpResponse(status=413)
        if not door.genuine(raw, plain.META.get(SIGNATURE, "")):
            log.warning("receipt_forged", service=door.service_id)
            return HttpResponse(status=401)
        try:
            stored = store(Incoming.of(raw, door=door))
        except (DatabaseError, InterfaceError, OSError, Overloaded, Stuck) as problem:
            log.error("receipt_not_stored", service=door.service_id, error=repr(problem)[:300])
            return HttpResponse(status=503, headers=RETRY)
        if stored:
            wakeups.fold()
        return HttpResponse(status=200)


def _body(request: HttpRequest) -> bytes | None:
    """The body as it came, None where it is over LARGEST. Without a length, as in a chunked request, it is read to its end."""
    written = request.META.get("CONTENT_LENGTH") or ""
    if written.isdecimal():
        return request.body if int(written) <= LARGEST else None
    raw: bytes = (
        request.META["wsgi.input"].read(LARGEST + 1) if "HTTP_TRANSFER_ENCODING" in request.META else b""
    )
    return raw if len(raw) <= LARGEST else None
