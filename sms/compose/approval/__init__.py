"""Approval: which sends need a yes from somebody else, what exactly a yes is to, and what ends it.

rules.py        which of a service's rules apply to an order, and how many people they ask for
fingerprint.py  what a yes is bound to, in parts, read from the database
requests.py     asking, and whatever ends a request without a person's answer: an edit, another time, the clock
look.py         what pages and the API show of requests
mailed.py       who is told by e-mail, and when

Called by `sms.compose` (the one door asks), `sms.dispatch` (which compares before it begins), `sms.sends.control`,
`sms.sends.plan` and `sms.worker.jobs`.
A person's yes or no is in `sms.sends.answers`, because a no cancels the send.
"""

from sms.compose.approval.fingerprint import PARTS, Print, Read, Reader, read, words_of
from sms.compose.approval.fingerprint import of as fingerprint_of
from sms.compose.approval.mail import send_due
from sms.compose.approval.queries import (
    ApprovalStatus,
    RequestDetails,
    approvals_of,
    decided,
    listed,
    mine,
    nothing,
    shown,
    standing,
    still_open,
    to_answer,
    waiting_for,
)
from sms.compose.approval.requests import (
    as_approved,
    ask,
    ask_again,
    ask_as_carried,
    carried,
    expire_due,
    moved,
    moved_since_last,
    of_send,
    release,
    void,
    withdraw,
)
from sms.compose.approval.rules import (
    NOBODY,
    ApprovalReason,
    Needed,
    authors_of,
    eligible,
    needed,
    needed_for,
)

__all__ = [
    "NOBODY",
    "PARTS",
    "ApprovalReason",
    "ApprovalStatus",
    "Needed",
    "Print",
    "Read",
    "Reader",
    "RequestDetails",
    "approvals_of",
    "as_approved",
    "ask",
    "ask_again",
    "ask_as_carried",
    "authors_of",
    "carried",
    "decided",
    "eligible",
    "expire_due",
    "fingerprint_of",
    "listed",
    "mine",
    "moved",
    "moved_since_last",
    "needed",
    "needed_for",
    "nothing",
    "of_send",
    "read",
    "release",
    "send_due",
    "shown",
    "standing",
    "still_open",
    "to_answer",
    "void",
    "waiting_for",
    "withdraw",
    "words_of",
]
