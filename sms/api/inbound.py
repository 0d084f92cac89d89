"""`HEAD` and `POST /inbound/<token>/`: the address that Webex Connect posts incoming SMS to."""

import structlog
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view

from sms.api.webex_posts import DATABASE_AWAY, SCHEMA, NotStored, WebexPostView
from sms.inbound import optouts
from sms.inbound.receipts import ReceiptAddress

log = structlog.get_logger(__name__)


@extend_schema_view(
    post=extend_schema(
        operation_id="inbound_take",
        description="Webex Connect passes on an SMS that a person wrote to us.",
        **SCHEMA,
    )
)
class InboundView(WebexPostView):
    """An SMS goes to the database, where what it asks for counts from the commit on, or to the disk while the database is away."""

    kind = "inbound"

    def store(self, raw: bytes, address: ReceiptAddress) -> None:
        now = timezone.now()
        try:
            optouts.take(raw, service_id=address.service_id, received_at=now)
        except DATABASE_AWAY as problem:
            log.error("inbound_goes_to_the_disk", error=f"{type(problem).__name__}: {problem}"[:300])
            try:
                optouts.inbound_spool.append([optouts.IncomingPost(address.service_id, raw, now)])
            except OSError as trouble:
                raise NotStored(repr(trouble)) from trouble
