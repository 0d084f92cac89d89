"""`POST /v2/messages` and `GET /v2/messages/{messageId}`."""

import uuid
from collections.abc import Sequence

import structlog
from django.db import Error
from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import (
    AuthenticationFailed,
    MethodNotAllowed,
    NotAuthenticated,
    PermissionDenied,
    Throttled,
)
from rest_framework.request import Request
from rest_framework.views import APIView

from sms.api import idempotency
from sms.api.authentication import KeyHasScope, KeyOrJwtAuthentication, NotFromHere, PartnerUser
from sms.api.drop_in import notices, replies, unused
from sms.api.drop_in.body import decode, read
from sms.api.drop_in.dialect import JSON, Dialect
from sms.api.drop_in.errors import DropInRefused, invalid
from sms.api.drop_in.order import order_of, refusal_of
from sms.api.drop_in.replies import AcceptedRequest
from sms.api.drop_in.v2 import V2
from sms.api.idempotency import HEADER, BadKey, OtherBody, UnderWay
from sms.api.throttle import KeyThrottle, RateLimited, tell_caps
from sms.api.v1.schema import SCHEMAS, header
from sms.api.webex_posts import NoNegotiation
from sms.compose.create import create
from sms.compose.errors import ComposeError
from sms.compose.resolved_order import resolve
from sms.models import Echo
from sms.models.fields import UnreadableSecret
from sms.models.sql.clock import corrected_now
from sms.models.sql.insert import StatementBatch, insert

log = structlog.get_logger(__name__)

ECHO = ("message_id", "service_id", "correlation_id", "destination")


class PartnerView(RateLimited, APIView):
    """What all addresses share: keys, rate, and refusals as the provider writes them."""

    authentication_classes = (KeyOrJwtAuthentication,)
    permission_classes = (KeyHasScope,)
    throttle_classes = (KeyThrottle,)
    content_negotiation_class = NoNegotiation
    dialect: Dialect = V2

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        refused = self._refused(exc)
        if refused is None:
            raise exc
        return self.dialect.refusal(refused)

    def _refused(self, exc: Exception) -> DropInRefused | None:
        match exc:
            case DropInRefused():
                return exc
            case AuthenticationFailed() | NotAuthenticated():
                missing = isinstance(exc, NotAuthenticated)
                code, words = (
                    ("7002", "Service Key Missing") if missing else ("7001", "Authentication failed.")
                )
                challenge = {"WWW-Authenticate": 'Bearer realm="Textdesk"'}
                return DropInRefused(code, words, status=401, headers=challenge)
            case MethodNotAllowed():
                allow = ", ".join(name.upper() for name in self.http_method_names)
                words = f"Invalid parameter - method: this address takes {allow}."
                return DropInRefused("7004", words, status=405, headers={"Allow": allow})
            case NotFromHere():
                return DropInRefused("7127", "Source IP is not allowed")
            case PermissionDenied():
                return DropInRefused("7001", f"Authentication failed - {exc.detail}", status=403)
            case Throttled():
                words = "You have reached the maximum transaction limit"
                wait = {"Retry-After": str(int(getattr(exc, "wait", None) or 1))}
                return DropInRefused("7020", words, status=429, headers=wait)
            case Error() | UnreadableSecret():
                log.error("api_cannot_answer", error=f"{type(exc).__name__}: {exc}"[:300])
                words = "Unknown exception: Textdesk cannot answer at the moment. Try again soon."
                return DropInRefused("7011", words, status=503, headers={"Retry-After": "5"})
            case _:
                return None


REFUSALS = {
    401: OpenApiResponse(description="No such key, or it is not usable. No body."),
    404: OpenApiResponse(description="No such message. No body."),
    "4XX": OpenApiResponse(SCHEMAS["v2_refusal"], description="The provider's code and words."),
    503: OpenApiResponse(description="Try again after Retry-After."),
}


class MessagesView(PartnerView):
    http_method_names = ["post"]  # noqa: RUF012 - Django's own spelling

    @extend_schema(
        operation_id="v2_send",
        tags=["webex connect"],
        summary="Send as through Webex Connect",
        parameters=[header(HEADER, "Ours: the same request with the same key gets the same answer.")],
        request={"application/json": SCHEMAS["v2_body"]},
        responses={201: SCHEMAS["v2_reply"]} | REFUSALS,
    )
    def post(self, request: Request) -> HttpResponse:
        """201 with the messageId, once the send is committed."""
        partner: PartnerUser = request.user  # type: ignore[assignment]
        plain = request._request
        raw = plain.body
        try:
            key = idempotency.key_of(plain)
            return idempotency.once(
                key,
                by=partner.key,
                fingerprint=idempotency.fingerprint_of(plain, raw, by=partner.key) if key else "",
                act=lambda: _send(plain, raw, partner, self.dialect),
            )
        except BadKey as problem:
            raise invalid(HEADER, str(problem)) from None
        except OtherBody as problem:
            says = f"Invalid parameter - {HEADER}: {problem}"
            raise DropInRefused("7004", says, status=422) from None
        except UnderWay:
            words = "Invalid parameter - Idempotency-Key: the first request with it is still under way"
            raise DropInRefused("7004", words, status=409, headers={"Retry-After": "1"}) from None


class MessageView(PartnerView):
    http_method_names = ["get", "head"]  # noqa: RUF012 - Django's own spelling

    @extend_schema(
        operation_id="v2_read",
        tags=["webex connect"],
        summary="Read the state of a message",
        responses={200: SCHEMAS["v2_message"]} | REFUSALS,
    )
    def get(self, request: Request, message_id: str) -> HttpResponse:
        """200, or 404 without a body. The whole number needs the scope `numbers`, its text `texts`."""
        partner: PartnerUser = request.user  # type: ignore[assignment]
        found = replies.find(message_id, key=partner.key)
        if found is None:
            raise DropInRefused("7600", "No results: no message of this key has this id.", status=404)
        if "numbers" not in partner.key.scopes:
            found = replies.without_number(found)
        idle = self.dialect.unused(unused.parameters(request._request.GET))
        if not (texts := partner.key.may("texts")):
            found = replies.without_words(found)
        textdesk = notices.of_message(found, self.dialect, texts=texts, also=idle, now=corrected_now())
        return HttpResponse(self.dialect.shown(found, message_id, textdesk), content_type=JSON)


def _send(plain: HttpRequest, raw: bytes, partner: PartnerUser, dialect: Dialect) -> HttpResponse:
    now = corrected_now()
    data = decode(raw)
    idle = dialect.unused([*unused.parameters(plain.GET), *unused.repeated(raw)])
    asked = read(dialect.as_v2(data), now=now)
    reference = uuid.uuid4()

    def stored(ids: Sequence[int], batch: StatementBatch) -> None:
        """What the partner calls each message."""
        called = zip(ids, asked.destinations, strict=True)
        rows = [(pk, partner.service.pk, one.correlation_id, one.number[:40]) for pk, one in called]
        wanted = "notify_url" in asked.passed_on
        kept = [row for at, row in enumerate(rows, start=1) if row[2] or wanted or at in unusable]
        insert(Echo, ECHO, kept, batch=batch)

    uncalled: list[unused.Notice] = []
    order = order_of(
        asked,
        key=partner.key,
        known=partner.catalogue,
        reference=reference,
        on_stored=stored,
        on_not_called=lambda why: uncalled.append(notices.not_called(why)),
        now=now,
    )
    unusable = {one.row for block in order.audience.blocks() for one in block.rejects}
    order = resolve(order)
    try:
        send = create(order, by=partner.actor, now=now)
    except ComposeError as problem:
        tell_caps(plain, getattr(problem, "left", ()))
        raise refusal_of(problem) from None
    tell_caps(plain, send.caps_left)
    noted = dialect.named([*idle, *asked.notices, *unused.about_text(order), *uncalled])
    textdesk = notices.of_reply(send, noted, now=now)
    return dialect.accepted(AcceptedRequest(reference, now, textdesk), asked)
