"""Which outcome a message has, by its state, its code, its receipts, and what its send waits for."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from sms.compliance.archive import MessageHistory
from sms.ledger.state_machine import CONFLICT
from sms.models import ApprovalState, Click, Message, MessageState, Receipts, Send, SendState
from sms.models.message import GIVEN_UP, NO_PROOF
from sms.sends.outcomes.answers import ApprovalAnswer
from sms.sends.outcomes.table import DeliveryOutcome, outcome
from sms.sends.waits import Wait, WaitCode
from sms.values.msisdn.hidden import ERASED
from sms.webex import codes
from sms.webex.errors import UnreadableBody
from sms.webex.receipts import parse_receipt
from sms.words import retold

READ = "7502"
OPTED_OUT = "opted_out"
_BY_CODE = {
    **dict.fromkeys(("9002", "20002"), "not_consented"),
    **dict.fromkeys(("9003", "20003"), "not_in_group"),
    **dict.fromkeys(("9010", "20012"), "consent_expired"),
    **dict.fromkeys(("9006", "20007"), "frequency_cap"),
    **dict.fromkeys(("7109", "7720"), "blocked"),
    "7113": "provider_hours",
    **{one: one for one in ("wire", GIVEN_UP, NO_PROOF, OPTED_OUT)},
}
_BY_KIND = {"expired": "expired_on_its_way", "rate": "too_fast", "recipient": "wrong_number"}
_KINDS = ("operator", "platform", "content", "sender", "request", "account", "policy")
_BY_WAIT = {
    WaitCode.PREPARING: "preparing",
    WaitCode.TROUBLE: "trouble",
    WaitCode.APPROVAL: "awaiting_approval",
    WaitCode.PAUSE: "paused",
    WaitCode.SEND_AT: "scheduled",
    WaitCode.QUIET_HOURS: "quiet_hours",
}


def outcome_of(
    story: MessageHistory, *, waits: Sequence[Wait] = (), answers: Sequence[ApprovalAnswer] = ()
) -> DeliveryOutcome:
    """`waits` are those of its send (`sms.sends.waits`), `answers` what approvers said of it; neither matters for most messages."""
    message, send = story.message, story.message.send
    also = [
        name
        for name, holds in (
            ("also_test", send.test),
            ("also_simulated", send.simulated),
            ("also_erased", message.msisdn == ERASED),
        )
        if holds
    ]
    words = {
        "meaning": retold(codes.lookup(message.code).meaning if message.code else message.detail),
        "detail": retold(message.detail),
    }
    match message.state:
        case MessageState.PENDING:
            return _pending(message, send, waits, answers, also, words)
        case MessageState.CANCELLED:
            return _cancelled(message, send, answers, also)
        case MessageState.DELIVERED:
            return outcome(_delivered(story), *also, said=words)
        case MessageState.FAILED:
            return outcome(_failed(message.code), *also, said=words)
        case MessageState.QUEUED if not message.provider_id and message.detail:
            return outcome("treated_as_sent", *also, said=words)
        case MessageState.QUEUED | MessageState.SUBMITTED | MessageState.NO_REPORT:
            if Receipts.DELIVERED not in send.requested_receipts:
                return outcome("accepted_unasked", *also, said=words)
            name = "accepted" if message.state == MessageState.QUEUED else message.state
            return outcome(name, *also, said=words)
        case _:
            return outcome(message.state, *also, said=words)


def _pending(
    message: Message,
    send: Send,
    waits: Sequence[Wait],
    answers: Sequence[ApprovalAnswer],
    also: Sequence[str],
    words: dict[str, str],
) -> DeliveryOutcome:
    if send.state == SendState.AWAITING and answers and answers[-1].state == ApprovalState.EXPIRED:
        return outcome("approval_expired", *also)
    if waits:
        first = min(waits, key=lambda one: [*_BY_WAIT].index(one.code))
        return outcome(_BY_WAIT[first.code], *also, until=first.until, said={"why": first.detail})
    if message.attempt and message.code:
        return outcome("tried_again", *also, said=words)
    return outcome("sent_again" if message.attempt else "next", *also)


def _cancelled(
    message: Message, send: Send, answers: Sequence[ApprovalAnswer], also: Sequence[str]
) -> DeliveryOutcome:
    if message.code == OPTED_OUT:
        return outcome(OPTED_OUT, *also)
    refused = next((one for one in reversed(answers) if one.by and not one.approved), None)
    if refused is not None:
        because = (
            _("Their reason: “%(reason)s”") % {"reason": retold(refused.comment)} if refused.comment else ""
        )
        return outcome("refused", *also, said={"by": refused.by, "because": because})
    return outcome("cancelled", *also, said={"by": send.cancelled_by or _("A person")})


def _delivered(story: MessageHistory) -> str:
    if story.message.detail.startswith(CONFLICT):
        return "contradicted"
    if any(click.verdict == Click.Verdict.HUMAN for click in story.clicks.values()):
        return "clicked"
    if story.message.code == READ or any(_says_read(bytes(one.raw)) for one in story.receipts):
        return "read"
    return "delivered"


def _says_read(raw: bytes) -> bool:
    try:
        return READ.encode() in raw and parse_receipt(raw).code == READ
    except UnreadableBody:
        return False


def _failed(code: str) -> str:
    if code in _BY_CODE:
        return _BY_CODE[code]
    known = codes.lookup(code)
    if known.kind == "recipient" and known.resend == "later":
        return "phone_away"
    return _BY_KIND.get(known.kind) or (known.kind if known.kind in _KINDS else "unexplained")
