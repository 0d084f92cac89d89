"""`POST /v2/messages` and `GET /v2/messages/{messageId}`."""

import uuid
from collections.abc import Sequence
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.exceptions import (
    AuthenticationFailed,
    MethodNotAllowed,
    NotAuthenticated,
    PermissionDenied,
    Throttled,
)
from rest_framework.request import Request
from rest_framework.views import APIView

from sms import callbacks
from sms.api import idempotency
from sms.api.authentication import KeyAuthentication, KeyHasScope, NotFromHere, PartnerUser
from sms.api.drop_in import replies
from sms.api.drop_in.body import read
from sms.api.drop_in.errors import DropInRefused, invalid
from sms.api.drop_in.order import order_of, refusal_of
from sms.api.drop_in.requests import DropInRequest
from sms.api.idempotency import BadKey, OtherBody, StoredResponse, UnderWay
from sms.api.throttle import KeyThrottle, with_rate_limit
from sms.api.webex_posts import NoNegotiation
from sms.compose.create import create
from sms.compose.errors import ComposeError
from sms.models import Echo, Send
from sms.models.fields import UnreadableSecret
from sms.models.sql.insert import StatementBatch, insert

log = structlog.get_logger(__name__)

JSON = "application/json"
ECHO = ("message_id", "correlation_id", "destination")


class PartnerView(APIView):
    """What both addresses share: keys, rate, and refusals as the provider writes them."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (KeyHasScope,)
    throttle_classes = (KeyThrottle,)
    content_negotiation_class = NoNegotiation
    scopes = {"GET": "read", "POST": "send"}  # noqa: RUF012 - read only

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        answer = self._refusal(exc)
        if answer is None:
            raise exc
        answer.exception = True  # type: ignore[attr-defined]
        return answer

    def _refusal(self, exc: Exception) -> HttpResponse | None:
        match exc:
            case DropInRefused():
                wait = {"Retry-After": str(exc.wait)} if exc.wait else {}
                return HttpResponse(exc.body(), status=exc.status, content_type=JSON, headers=wait)
            case AuthenticationFailed() | NotAuthenticated():
                return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="Textdesk"'})
            case MethodNotAllowed():
                allow = ", ".join(name.upper() for name in self.http_method_names)
                return HttpResponse(status=405, headers={"Allow": allow})
            case NotFromHere():
                return self._refusal(DropInRefused("7127", "Source IP is not allowed"))
            case PermissionDenied():
                return self._refusal(
                    DropInRefused("7001", f"Authentication failed - {exc.detail}", status=403)
                )
            case Throttled():
                words = "You have reached the maximum transaction limit"
                return self._refusal(
                    DropInRefused("7020", words, status=429, wait=int(getattr(exc, "wait", None) or 1))
                )
            case DatabaseError() | InterfaceError() | UnreadableSecret():
                log.error("api_cannot_answer", error=f"{type(exc).__name__}: {exc}"[:300])
                return HttpResponse(status=503, headers={"Retry-After": "5"})
            case _:
                return None

    def finalize_response(  # type: ignore[override]
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        return with_rate_limit(request, super().finalize_response(request, response, *args, **kwargs))  # type: ignore[arg-type]


class MessagesView(PartnerView):
    http_method_names = ["post"]  # noqa: RUF012 - Django's own spelling

    def post(self, request: Request) -> HttpResponse:
        """201 with the messageId, once the send is committed."""
        partner: PartnerUser = request.user  # type: ignore[assignment]
        plain = request._request
        raw = plain.body
        try:
            key = idempotency.key_of(plain)
            answer = idempotency.once(
                key,
                by=partner.key,
                fingerprint=idempotency.fingerprint_of(plain, raw) if key else "",
                act=lambda: _send(raw, partner),
            )
        except BadKey as problem:
            raise invalid("Idempotency-Key", str(problem)) from None
        except OtherBody as problem:
            raise DropInRefused(
                "7004", f"Invalid parameter - Idempotency-Key: {problem}", status=422
            ) from None
        except UnderWay:
            words = "Invalid parameter - Idempotency-Key: the first request with it is still under way"
            raise DropInRefused("7004", words, status=409, wait=1) from None
        return HttpResponse(answer.body, status=answer.status, headers=answer.headers)


class MessageView(PartnerView):
    http_method_names = ["get", "head"]  # noqa: RUF012 - Django's own spelling

    def get(self, request: Request, message_id: str) -> HttpResponse:
        """200, or 404 without a body."""
        partner: PartnerUser = request.user  # type: ignore[assignment]
        found = replies.find(message_id, service_id=partner.service.pk)
        if found is None:
            return HttpResponse(status=404)
        return HttpResponse(replies.shown(found, message_id), content_type=JSON)


def _send(raw: bytes, partner: PartnerUser) -> StoredResponse:
    now = timezone.now()
    asked = read(raw, now=now)
    reference = uuid.uuid4()

    def stored(send: Send, ids: Sequence[int], batch: StatementBatch) -> None:
        _remember(asked, send, ids, reference, batch)

    order = order_of(asked, key=partner.key, known=partner.catalogue, reference=reference, on_stored=stored)
    try:
        create(order, by=partner.actor, now=now)
    except ComposeError as problem:
        raise refusal_of(problem) from None
    return StoredResponse(201, replies.accepted(reference, asked.destinations[0].correlation_id, at=now))


def _remember(
    asked: DropInRequest, send: Send, ids: Sequence[int], reference: uuid.UUID, batch: StatementBatch
) -> None:
    """What the partner calls each message, and where it wants to hear of them."""
    called = zip(ids, asked.destinations, strict=True)
    if not asked.notify_url:
        rows = [(pk, one.correlation_id, one.number[:40]) for pk, one in called if one.correlation_id]
        insert(Echo, ECHO, rows, batch=batch)
        return
    named = [callbacks.PartnerName(pk, one.correlation_id, one.number[:40]) for pk, one in called]
    try:
        callbacks.report_to(
            send,
            url=asked.notify_url,
            policy=callbacks.AddressPolicy(**settings.CALLBACKS),
            receipts=asked.receipts,
            callback_data=asked.callback_data,
            reference=str(reference),
            named=named,
        )
    except (callbacks.BadAddress, callbacks.TooMany) as problem:
        raise invalid("notifyUrl", str(problem)) from None
