"""What pages of sends and messages say of a state: the mark that stands beside its word, and whether more of a send may be posted."""

from dataclasses import dataclass

from django.utils.translation import ngettext

from sms.models import ApprovalState, DomainState, MessageState, Send, SendState, ShownState
from sms.models.sql.clock import corrected_now
from sms.sends.progress import Progress
from sms.words import number

# Marks are the shapes of messages' states in static/icons.svg.
APPROVAL_MARKS = {
    ApprovalState.OPEN: "awaiting",
    ApprovalState.APPROVED: "delivered",
    ApprovalState.REJECTED: "failed",
    ApprovalState.VOID: "unconfirmed",
    ApprovalState.EXPIRED: "expired",
    ApprovalState.WITHDRAWN: "cancelled",
}
DOMAIN_MARKS = {
    DomainState.UNCHECKED: "pending",
    DomainState.HEALTHY: "delivered",
    DomainState.DEGRADED: "unconfirmed",
    DomainState.PENDING: "queued",
    DomainState.NOT_SET_UP: "pending",
    DomainState.BROKEN: "failed",
}


@dataclass(frozen=True, slots=True)
class StateWords:
    mark: str
    words: str


def state_words(progress: Progress) -> StateWords:
    """Of a send: what it is, and what that leaves open or did not reach. The green flag is for one that reached everybody."""
    state = progress.send.shown_state
    if state == ShownState.POSTED:
        left = progress.unanswered
        if not left:
            return StateWords("submitted", str(state.label))
        # Translators: state is the state of a send, like “Posted”.
        words = ngettext("%(state)s, %(n)s unanswered", "%(state)s, %(n)s unanswered", left)
        return StateWords("submitted", words % {"state": state.label, "n": number(left)})
    missed = progress.send.recipients - progress.counts.get(MessageState.DELIVERED, 0)
    if state == ShownState.SETTLED and missed:
        words = ngettext("%(state)s, %(n)s not delivered", "%(state)s, %(n)s not delivered", missed)
        return StateWords("settled", words % {"state": state.label, "n": number(missed)})
    return StateWords("finished" if state == ShownState.SETTLED else state.value, str(state.label))


def may_send_again(send: Send) -> bool:
    """Unconfirmed messages cannot be posted again after a cancellation or the expiry."""
    late = send.expires_at is not None and send.expires_at <= corrected_now()
    return send.state != SendState.CANCELLED and not late
