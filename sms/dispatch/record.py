"""Record: what the provider answered, written for many messages at once and forward only.

The class of an error is the decision (see `sms.webex.errors`); this file only spells it out for the ledger.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import structlog
from django.utils.translation import gettext_noop

from sms.dispatch import rate
from sms.dispatch.claim import ClaimedSlice, lock_sends, reopen
from sms.dispatch.post import Held, PostOutcome
from sms.dispatch.service_pause import pause_service
from sms.ledger import states
from sms.ledger.counters import CounterDeltas
from sms.ledger.crash_points import point
from sms.ledger.state_machine import StateChange
from sms.models import Actor, MessageState
from sms.models.sql.messages import Acceptance
from sms.values.spans import Said, spans
from sms.webex.errors import NotSent, ProviderError, RequestRefused, ServicePaused, Throttled
from sms.webex.replies import Accepted
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

RETURNED = (Held, NotSent, Throttled, ServicePaused)  # certainly not taken: pending again
RETRY_IN = 1.0  # seconds until messages that came back are due, where nothing says otherwise


CREDENTIALS_REFUSED = KeptSentence(
    gettext_noop("Webex Connect refused our credentials (%(code)s). Check them under Set-up, then resume.")
)


def lock_sends_of(outcomes: Sequence[PostOutcome]) -> None:
    """Of messages that come back: a transaction that does more than `record` calls this first."""
    lock_sends({lease.send_id for lease in _returned(outcomes)})


def _returned(outcomes: Sequence[PostOutcome]) -> list[ClaimedSlice]:
    back = (outcome.request.lease for outcome in outcomes if isinstance(outcome.result, RETURNED))
    return [lease for lease in back if lease]


def _recorded(_: None, outcomes: Sequence[PostOutcome]) -> dict[str, Said]:
    if not outcomes:
        return {}
    return {
        "sends": sorted({outcome.request.lease.send_id for outcome in outcomes if outcome.request.lease}),
        "requests": len(outcomes),
        "messages": sum(len(outcome.request.messages) for outcome in outcomes),
    }


@spans.around("dispatch.record", _recorded)
def record(outcomes: Sequence[PostOutcome], *, at: datetime, deltas: CounterDeltas) -> None:
    """Write the outcomes; call it inside a transaction, and write the deltas before its end."""
    if not outcomes:
        return
    lock_sends_of(outcomes)
    returned = {lease.slice_id for lease in _returned(outcomes)}
    # a single message has its own id; what the ids of a batch belong to is not documented, and each receipt brings its own
    accepted = [
        Acceptance(
            message.pk,
            message.attempt + 1,
            outcome.result.provider_id if len(outcome.request.messages) == 1 else "",
        )
        for outcome in outcomes
        if isinstance(outcome.result, Accepted)
        for message in outcome.request.messages
    ]
    changes = [
        item
        for outcome in outcomes
        if not isinstance(outcome.result, Accepted)
        for item in _state_changes(outcome, at)
    ]
    states.hold({one.message_id for one in accepted} | {one.message_id for one in changes})
    states.accept(accepted, at=at, deltas=deltas)
    states.answer(changes, deltas=deltas)
    if returned:
        reopen(sorted(returned), retry_in=RETRY_IN)
    _slow_down(outcomes)
    _pause_services(outcomes, at)
    for outcome in outcomes:
        if isinstance(outcome.result, ProviderError):
            log.info(
                "post_not_accepted",
                message=outcome.request.messages[0].pk,
                messages=len(outcome.request.messages),
                decision=type(outcome.result).__name__,
                code=outcome.result.code,
                status=outcome.result.status,
            )
    point("record_uncommitted")


def _state_changes(outcome: PostOutcome, at: datetime) -> list[StateChange]:
    result = outcome.result
    code, detail = (result.code, result.detail) if isinstance(result, ProviderError) else ("", "")
    back = isinstance(result, RETURNED)
    if back:
        state = MessageState.PENDING
    else:
        state = MessageState.FAILED if isinstance(result, RequestRefused) else MessageState.UNCONFIRMED
    return [
        StateChange(message.pk, state, at, message.attempt + 1, code=code, detail=detail, returned=back)
        for message in outcome.request.messages
    ]


def _slow_down(outcomes: Iterable[PostOutcome]) -> None:
    """A throttled contract is kept more carefully by every process; without a contracted rate the breaker alone holds back."""
    waits: dict[int, float | None] = {}
    for outcome in outcomes:
        if isinstance(outcome.result, Throttled) and outcome.request.paced:
            known = waits.get(outcome.request.service_id)
            wait = outcome.result.retry_after
            waits[outcome.request.service_id] = wait if known is None else max(known, wait or 0.0)
    for service_id, wait in sorted(waits.items()):
        rate.slow_down(service_id, retry_after=wait)
        log.warning("service_throttled", service=service_id, retry_after=wait)


def _pause_services(outcomes: Iterable[PostOutcome], at: datetime) -> None:
    """Credentials that are refused stop the service, once, and keep its messages."""
    troubles = {o.request.service_id: o.result for o in outcomes if isinstance(o.result, ServicePaused)}
    for service_id, trouble in troubles.items():
        reason = CREDENTIALS_REFUSED(code=trouble.code or trouble.status)
        pause_service(service_id, by=Actor.system(), because=reason, at=at, status=trouble.status)
