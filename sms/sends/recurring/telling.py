"""The one place that tells people what became of a recurring send while nobody looked."""

import structlog

from sms import notices
from sms.models import NoticeKind, RecurringSend

log = structlog.get_logger(__name__)


def tell(recurring: RecurringSend, says: str, *, once: str) -> None:
    """Something of it was not made, or it goes on otherwise than was planned; in the transaction that notes it.

    Told are who runs it, who wrote what it says, and the admins of the service; of what `once` names, one time.
    """
    log.warning("recurring_send_needs_a_look", recurring=recurring.pk, what=once)
    people = {
        recurring.run_by_id,
        recurring.draft.created_by_id,
        *notices.holding(recurring.service, "admin"),
    }
    notices.tell(
        NoticeKind.RECURRING,
        people,
        event=f"recurring:{recurring.pk}:{once}"[:100],
        says=says,
        service=recurring.service,
        page="recurring_send",
        page_id=recurring.pk,
    )
