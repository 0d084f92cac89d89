"""`HEAD` and `POST /receipts/<token>/`: the notifyUrl that Webex Connect reports to."""

import contextlib

from django.db import DatabaseError
from drf_spectacular.utils import extend_schema, extend_schema_view

from sms.api.webex_posts import DATABASE_AWAY, SCHEMA, NotStored, WebexPostView
from sms.inbound.receipts import Incoming, Overloaded, ReceiptAddress, Stuck, store
from sms.inbound.receipts.rotate import asked
from sms.ledger import wakeups


@extend_schema_view(
    post=extend_schema(
        operation_id="receipts_take",
        description="Webex Connect reports the state of a message. It signs with X-Hub-Signature where the service has a secret.",
        **SCHEMA,
    )
)
class ReceiptView(WebexPostView):
    """Receipts go to the database, or to the spool while it is away."""

    kind = "receipt"

    def checked(self, address: ReceiptAddress) -> None:
        with contextlib.suppress(DatabaseError):
            asked(address.service_id)

    def store(self, raw: bytes, address: ReceiptAddress) -> None:
        try:
            stored = store(Incoming.of(raw, address=address))
        except (*DATABASE_AWAY, OSError, Overloaded, Stuck) as problem:
            raise NotStored(repr(problem)) from problem
        if stored:
            wakeups.fold()
