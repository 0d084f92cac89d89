"""What Webex Connect posts to a secret address of a service: receipts at `/receipts/<token>/`, incoming SMS at `/inbound/<token>/`.

Both paths take the token of either address: the one in messages, and the one for webhooks, which is signed. What is refused is kept
beside (`sms.inbound.refused`).
Exactly 200 once the body is durable, since anything else either loses it (202–208, 3xx, most 4xx are not retried) or has it sent again
(5xx). No serializer or parser stands in the way: the body is stored as it came. One over 64 KB never gets here (`portal.bodies`).
"""

import contextlib
from collections.abc import Iterable
from typing import Any

import structlog
from django.db import Error
from django.http import HttpRequest, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from sms.catalogue import tenant_probe
from sms.inbound import optouts, receipts, refused
from sms.inbound.receipts import ReceiptAddress, Verdict, receipt_addresses
from sms.inbound.receipts.rotate import asked
from sms.ledger import wakeups
from sms.models import CameTo, PostKind
from sms.models.fields import UnreadableSecret
from sms.models.sql.availability import database
from sms.models.sql.clock import corrected_now
from sms.models.sql.trouble import is_away

log = structlog.get_logger(__name__)

SIGNATURE = "HTTP_X_HUB_SIGNATURE"
RETRY = {"Retry-After": "30"}
ANSWERS = {
    200: OpenApiResponse(description="It is durable."),
    401: OpenApiResponse(
        description="The signature is missing or does not fit. It is kept for a person to look at."
    ),
    404: OpenApiResponse(description="No service has this address. It is kept for a while."),
    413: OpenApiResponse(description="It is larger than 64 KB."),
    503: OpenApiResponse(description="It could not be kept. Send it again."),
}


class NoNegotiation(BaseContentNegotiation):
    """The answer has no body, so there is nothing to agree on; reading Accept took a tenth of a request's time."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> None:
        """None: views read the body themselves."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
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
    kind = ""  # `PostKind`

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Without what DRF does around a view: nobody signs in here, nothing is negotiated, and it took a tenth of a request's time."""
        if request.method not in ("POST", "HEAD"):
            return super().dispatch(request, *args, **kwargs)
        self.request = request  # type: ignore[assignment]
        return (self.post if request.method == "POST" else self.head)(request, *args, **kwargs)

    def checked(self, address: ReceiptAddress) -> None:
        """Called when a HEAD request found the address."""

    def store(self, raw: bytes, address: ReceiptAddress) -> None:
        """Make a genuine body durable. Raises NotStored."""
        raise NotImplementedError

    def head(self, request: HttpRequest, token: str) -> HttpResponse:
        """Webex Connect asks with HEAD before it saves a webhook and expects 200."""
        try:
            address = receipt_addresses.find(token)
        except (Error, UnreadableSecret):
            return HttpResponse(status=503, headers=RETRY)
        if address is None:
            return HttpResponse(status=404)
        self.checked(address)
        return HttpResponse(status=200)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        raw, header = request.body, request.META.get(SIGNATURE, "")
        try:
            address = receipt_addresses.find(token)
            if address is not None and address.judge(raw, header, kind=self.kind) is Verdict.REFUSED:
                receipt_addresses.look_again(address.service_id)  # its secret may be a moment old
                address = receipt_addresses.find(token)
        except (Error, UnreadableSecret) as problem:  # not 404: Webex Connect would not try again
            log.error("posted_address_unknown_now", kind=self.kind, error=str(problem)[:300])
            return HttpResponse(status=503, headers=RETRY)
        if address is None:
            return self._of_no_address(raw, token)
        verdict = address.judge(raw, header, kind=self.kind)
        if verdict is Verdict.REFUSED:
            return self._refuse(raw, came_to=address.came_to, service_id=address.service_id, status=401)
        try:
            self.store(raw, address)
        except NotStored as problem:
            log.error(
                "posted_not_stored", kind=self.kind, service=address.service_id, error=str(problem)[:300]
            )
            return HttpResponse(status=503, headers=RETRY)
        refused.note(verdict, address=address, kind=self.kind)
        return HttpResponse(status=200)

    def _of_no_address(self, raw: bytes, token: str) -> HttpResponse:
        service_id, came_to = receipt_addresses.owner_of_retired(token), CameTo.RETIRED
        if service_id is None and not database.away():
            came_to = CameTo.UNKNOWN
            try:
                service_id = refused.whose(raw, kind=self.kind)
            except Error:
                return HttpResponse(status=503, headers=RETRY)
        return self._refuse(raw, came_to=came_to, service_id=service_id, status=404)

    def _refuse(self, raw: bytes, *, came_to: str, service_id: int | None, status: int) -> HttpResponse:
        """Refused, and kept for a person to look at; where it cannot be, Webex Connect is to send it again."""
        now = corrected_now()
        if database.away():
            return HttpResponse(status=503, headers=RETRY)
        try:
            kept = refused.keep(raw, kind=self.kind, came_to=came_to, service_id=service_id, now=now)
        except Error as problem:
            log.error("refused_not_kept", kind=self.kind, service=service_id, error=str(problem)[:300])
            return HttpResponse(status=503, headers=RETRY)
        log.warning("posted_refused", kind=self.kind, service=service_id, came_to=str(came_to), kept=kept)
        return HttpResponse(status=status)


def taken(name: str, says: str) -> Any:
    """What the OpenAPI document says of a view's `post`."""
    answers: Any = {"tags": ["webex connect"], "request": OpenApiTypes.OBJECT, "responses": ANSWERS}
    return extend_schema_view(post=extend_schema(operation_id=name, description=says, **answers))


@taken(
    "receipts_take",
    "Webex Connect reports the state of a message. At the address for webhooks it signs with X-Hub-Signature where there is a secret.",
)
class ReceiptView(WebexPostView):
    """Receipts go to the database, or to the spool while it is away."""

    kind = PostKind.RECEIPT.value

    def checked(self, address: ReceiptAddress) -> None:
        """A webhook is looked at when it is saved. Nobody but a person who tries it out looks at the address in messages."""
        if address.came_to == CameTo.WEBHOOK:
            with contextlib.suppress(Error):
                asked(address.service_id)

    def store(self, raw: bytes, address: ReceiptAddress) -> None:
        came = receipts.Incoming.each(
            raw, service_id=address.service_id, key=address.correlation_key, received_at=corrected_now()
        )
        stored = [self._store(one, address) for one in came]
        if any(stored):
            wakeups.fold()

    def _store(self, incoming: receipts.Incoming, address: ReceiptAddress) -> bool:
        """Whether it reached the database, where somebody has to look at it."""
        if not incoming.message_id and self._of_a_probe(incoming.raw, address):
            return False
        try:
            return receipts.store(incoming)
        except (Error, OSError, receipts.Overloaded, receipts.Stuck) as problem:
            raise NotStored(repr(problem)) from problem

    def _of_a_probe(self, raw: bytes, address: ReceiptAddress) -> bool:
        """Whether it is about a message of a tenant probe, and is kept with that."""
        if database.away():
            return False
        with contextlib.suppress(Error):
            return tenant_probe.take(
                raw,
                service_id=address.service_id,
                correlation_key=address.correlation_key,
                webhook=address.came_to == CameTo.WEBHOOK,
                signed=bool(self.request.META.get(SIGNATURE)),
                now=corrected_now(),
            )
        return False


@taken("inbound_take", "Webex Connect passes on an SMS that a person wrote to us.")
class InboundView(WebexPostView):
    """An SMS goes to the database, where what it asks for counts from the commit on, or to the disk while the database is away."""

    kind = PostKind.INBOUND.value

    def store(self, raw: bytes, address: ReceiptAddress) -> None:
        now = corrected_now()
        if not database.away():
            try:
                optouts.take(raw, service_id=address.service_id, received_at=now)
            except Error as problem:
                if is_away(problem):
                    database.report(problem)
                log.warning("inbound_goes_to_the_disk", error=f"{type(problem).__name__}: {problem}"[:300])
            else:
                return
        try:
            optouts.inbound_spool.append([optouts.IncomingPost(address.service_id, raw, now)])
        except OSError as trouble:
            raise NotStored(repr(trouble)) from trouble
