"""`HEAD` and `POST /receipts/<token>/`: the notifyUrl that Webex Connect reports to.

Exactly 200 once the receipt is durable, since anything else either loses it (202–208, 3xx, most 4xx are not retried) or has it sent
again (5xx). No serializer, parser or permission stands in the way: the body is evidence and is stored as it came.
"""

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from sms import wake
from sms.receipts import Incoming, doors, store

log = structlog.get_logger(__name__)

LARGEST = 64 * 1024
SIGNATURE = "x-hub-signature"


class ReceiptView(APIView):
    """The address is a capability: its token is unguessable and names the service."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    http_method_names = ["head", "post"]  # noqa: RUF012 - Django's own spelling

    def head(self, request: Request, token: str) -> HttpResponse:
        """Webex Connect asks with HEAD before it saves a webhook and expects 200."""
        del request
        return HttpResponse(status=200 if doors.find(token) else 404)

    def post(self, request: Request, token: str) -> HttpResponse:
        """Store one receipt."""
        plain: HttpRequest = request._request
        try:
            door = doors.find(token)
        except DatabaseError:
            return HttpResponse(status=503)  # not 404: Webex Connect would not try again
        if door is None:
            return HttpResponse(status=404)
        if int(plain.META.get("CONTENT_LENGTH") or 0) > LARGEST:
            return HttpResponse(status=413)
        raw = plain.body
        if not door.genuine(raw, plain.headers.get(SIGNATURE, "")):
            log.warning("receipt_forged", service=door.service_id)
            return HttpResponse(status=401)
        try:
            store(Incoming.of(raw, door=door))
        except DatabaseError as problem:
            log.error("receipt_not_stored", service=door.service_id, error=str(problem))
            return HttpResponse(status=503)
        wake.fold()
        return HttpResponse(status=200)
