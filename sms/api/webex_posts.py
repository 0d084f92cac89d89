"""What Webex Connect posts to a secret address of a service: receipts and incoming SMS.

Exactly 200 once the body is durable, since anything else either loses it (202–208, 3xx, most 4xx are not retried) or has it sent again
(5xx). No serializer or parser stands in the way: the body is stored as it came. One over 64 KB never gets here (`portal.bodies`).
"""

from collections.abc import Iterable
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from sms.inbound.receipts import ReceiptAddress, receipt_addresses
from sms.models.fields import UnreadableSecret

log = structlog.get_logger(__name__)

SIGNATURE = "HTTP_X_HUB_SIGNATURE"
RETRY = {"Retry-After": "30"}
DATABASE_AWAY = (DatabaseError, InterfaceError)
# of `WebexPostView.post`, for the OpenAPI document
SCHEMA: dict[str, Any] = {
    "tags": ["webex connect"],
    "request": OpenApiTypes.OBJECT,
    "responses": {
        200: OpenApiResponse(description="It is durable."),
        401: OpenApiResponse(description="The signature does not hold."),
        404: OpenApiResponse(description="No service has this address."),
        413: OpenApiResponse(description="It is larger than 64 KB."),
        503: OpenApiResponse(description="It could not be kept. Send it again."),
    },
}


class NoNegotiation(BaseContentNegotiation):
    """The answer has no body, so there is nothing to agree on; reading Accept took a tenth of a request's time."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> None:
        """None: views read the body themselves."""
        del request, parsers

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        del request, format_suffix
        first = next(iter(renderers))
        return first, first.media_type or ""


class NotStored(Exception):
    """The body is neither in the database nor on the disk; Webex Connect is to send it again. The text is for the log."""


class WebexPostView(APIView):
    """The address is a capability: its token is unguessable and names the service."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    content_negotiation_class = NoNegotiation
    http_method_names = ["head", "post"]  # noqa: RUF012 - Django's own spelling
    kind = ""  # of what is posted, in log events

    def checked(self, address: ReceiptAddress) -> None:
        """Called when a HEAD request found the address."""

    def store(self, raw: bytes, address: ReceiptAddress) -> None:
        """Make a genuine body durable. Raises NotStored."""
        raise NotImplementedError

    def head(self, request: Request, token: str) -> HttpResponse:
        """Webex Connect asks with HEAD before it saves a webhook and expects 200."""
        del request
        try:
            address = receipt_addresses.find(token)
        except (*DATABASE_AWAY, UnreadableSecret):
            return HttpResponse(status=503, headers=RETRY)
        if address is None:
            return HttpResponse(status=404)
        self.checked(address)
        return HttpResponse(status=200)

    def post(self, request: Request, token: str) -> HttpResponse:
        plain: HttpRequest = request._request
        try:
            address = receipt_addresses.find(token)
        except (*DATABASE_AWAY, UnreadableSecret) as problem:  # not 404: Webex Connect would not try again
            log.error("posted_address_unknown_now", kind=self.kind, error=str(problem)[:300])
            return HttpResponse(status=503, headers=RETRY)
        if address is None:
            return HttpResponse(status=404)
        raw = plain.body
        if not address.genuine(raw, plain.META.get(SIGNATURE, "")):
            log.warning("posted_forged", kind=self.kind, service=address.service_id)
            return HttpResponse(status=401)
        try:
            self.store(raw, address)
        except NotStored as problem:
            log.error(
                "posted_not_stored", kind=self.kind, service=address.service_id, error=str(problem)[:300]
            )
            return HttpResponse(status=503, headers=RETRY)
        return HttpResponse(status=200)
