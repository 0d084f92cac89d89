"""Record: what the provider answered, written for many messages at once and forward only.

The class of an error is the decision (see `sms.webex.errors`); this file only spells it out for the ledger.
"""

from collections.abc import Iterable, Sequence

import structlog

from sms.dispatch.claim import database_now, reopen
from sms.dispatch.post import Outcome
from sms.models import Actor, AuditEvent, MessageState, Service, ledger
from sms.models.ledger import News, Tally
from sms.webex.errors import NotSent, ProviderError, Refused, ServicePaused, Throttled

log = structlog.get_logger(__name__)

RETRY_IN = 1.0  # seconds until messages that came back are looked at again, where nothing says otherwise


def record(outcomes: Sequence[Outcome]) -> None:
    """Write the outcomes; call it inside a transaction."""
    if not outcomes:
        return
    tally = Tally.new()
    at = database_now()
    ledger.apply([_news(outcome, at) for outcome in outcomes], tally=tally)
    tally.write()
    returned = {
        outcome.job.lease.slice_id
        for outcome in outcomes
        if isinstance(outcome.result, NotSent | Throttled | ServicePaused)
    }
    if returned:
        reopen(sorted(returned), retry_in=RETRY_IN)
    _pause_services(outcomes, at)
    for outcome in outcomes:
        if isinstance(outcome.result, ProviderError):
            log.info(
                "post_not_accepted",
                message=outcome.job.message_id,
                decision=type(outcome.result).__name__,
                code=outcome.result.code,
                status=outcome.result.status,
            )


def _news(outcome: Outcome, at: object) -> News:
    job, result = outcome.job, outcome.result
    shared = {"message_id": job.message_id, "attempt": job.attempt, "at": at}
    if not isinstance(result, ProviderError):
        return News(state=MessageState.QUEUED, provider_id=result.provider_id, **shared)  # type: ignore[arg-type]
    shared |= {"code": result.code, "detail": result.detail}
    if isinstance(result, Refused):
        return News(state=MessageState.FAILED, **shared)  # type: ignore[arg-type]
    if isinstance(result, NotSent | Throttled | ServicePaused):
        return News(state=MessageState.PENDING, returned=True, **shared)  # type: ignore[arg-type]
    return News(state=MessageState.UNCONFIRMED, **shared)  # type: ignore[arg-type]


def _pause_services(outcomes: Iterable[Outcome], at: object) -> None:
    """Credentials that are refused stop the service, once, and keep its messages."""
    troubles = {o.job.lease.service_id: o.result for o in outcomes if isinstance(o.result, ServicePaused)}
    for service_id, trouble in troubles.items():
        reason = f"Webex Connect refused our credentials ({trouble.code or trouble.status}). Check them under Settings, then resume."
        if Service.objects.filter(pk=service_id, paused_at__isnull=True).update(
            paused_at=at, paused_because=reason[:200]
        ):
            slug = Service.objects.values_list("slug", flat=True).get(pk=service_id)
            AuditEvent.record(
                "service.paused",
                by=Actor.system(),
                service_slug=slug,
                noun="service",
                noun_key=service_id,
                status=trouble.status,
            )
            log.error("service_paused", service=slug, status=trouble.status)
