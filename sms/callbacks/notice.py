"""An endpoint that is switched off by itself: audited, logged, and announced by the signal `endpoint_disabled`."""

from datetime import datetime

import structlog
from django.db import transaction
from django.dispatch import Signal

from sms.models import Actor, CallbackEndpoint
from sms.models.audit import audit

log = structlog.get_logger(__name__)

endpoint_disabled = Signal()  # sender: CallbackEndpoint; endpoint: the row. Sent after the commit.


def disable(endpoint: CallbackEndpoint, *, because: str, now: datetime) -> None:
    """Deliver nothing more to it until it is switched on again. Its callbacks go on being written and wait."""
    endpoint.disabled_at, endpoint.disabled_because = now, because
    endpoint.save(update_fields=["disabled_at", "disabled_because"])
    audit("callback_endpoint.disabled", endpoint, by=Actor.system(), because=because)
    log.error("callback_endpoint_disabled", endpoint=endpoint.pk, because=because)

    def announce() -> None:
        for _, answer in endpoint_disabled.send_robust(CallbackEndpoint, endpoint=endpoint):
            if isinstance(answer, Exception):
                log.error("callback_notice_lost", endpoint=endpoint.pk, error=repr(answer)[:300])

    transaction.on_commit(announce)
