"""What pages of sends and messages say of a state: the mark that stands beside its word, and whether more of a send may be posted."""

from django.utils import timezone

from sms.models import ApprovalState, DomainState, Send, SendState

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


def may_send_again(send: Send) -> bool:
    """Unconfirmed messages cannot be posted again after a cancellation or the expiry."""
    late = send.expires_at is not None and send.expires_at <= timezone.now()
    return send.state != SendState.CANCELLED and not late
