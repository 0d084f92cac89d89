"""Every type of event: what it is called, and what its `data` holds. Pages, callbacks, the API's filters and `webhooks` read it here."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

OF_A_SEND = "send service name client_reference reference callback_data state sender"
OF_A_MESSAGE = (
    "message send service row number reference client_reference correlation_id callback_data"
    " state code detail provider_id attempt segments_billed"
)
OF_WHAT_IT_ANSWERS = "send message row reference client_reference correlation_id callback_data"
SHAPES = {  # of `data`, by name
    "SendData": OF_A_SEND,
    "RefusedSendData": f"{OF_A_SEND} reason",
    "HeldSendData": f"{OF_A_SEND} reason rule",
    "MessageData": OF_A_MESSAGE,
    "ClickData": f"{OF_A_MESSAGE} url verdict verdict_code",
    "RejectData": "send service row number reference client_reference correlation_id callback_data code detail field",
    "InboundData": f"inbound conversation service number address text keyword sure matched_keyword {OF_WHAT_IT_ANSWERS}",
    "OptOutData": f"opt_out service number source {OF_WHAT_IT_ANSWERS}",
}


@dataclass(frozen=True, slots=True)
class EventType:
    """`says` is for lists of types, `when` a sentence for partners, `shape` names what is always in `data`."""

    name: str
    says: "StrOrPromise"
    when: str
    shape: str

    @property
    def fields(self) -> tuple[str, ...]:
        return FIELDS[self.shape]


FIELDS = {name: tuple(fields.split()) for name, fields in SHAPES.items()}


def _types(*rows: "tuple[str, StrOrPromise, str, str]") -> dict[str, EventType]:
    return {row[0]: EventType(*row) for row in rows}


EVENT_TYPES = _types(
    ("message.queued", _("Accepted by the provider"), "The provider has accepted it.", "MessageData"),
    ("message.submitted", _("With the operator"), "It is with the operator.", "MessageData"),
    ("message.delivered", _("Delivered"), "The handset confirmed it.", "MessageData"),
    ("message.failed", _("Failed"), "It will not arrive; `code` says why.", "MessageData"),
    (
        "message.clicked",
        _("A link was opened"),
        "A link in it was opened; `verdict` says by whom: `human`, `machine` or `unsure`, and `verdict_code` why we think so.",
        "ClickData",
    ),
    (
        "message.unconfirmed",
        _("Not confirmed: it may have been sent"),
        "The connection broke, so it may have been sent.",
        "MessageData",
    ),
    (
        "message.no_report",
        _("No receipt for three days"),
        "Three days went by without a receipt.",
        "MessageData",
    ),
    (
        "message.cancelled",
        _("Cancelled before it was sent"),
        "It was cancelled and never sent.",
        "MessageData",
    ),
    (
        "message.expired",
        _("Expired before it was sent"),
        "Its time was over before it was sent.",
        "MessageData",
    ),
    (
        "message.rejected",
        _("A row was refused"),
        "A row of the send was refused before a message existed; `code` and `detail` say why.",
        "RejectData",
    ),
    (
        "inbound.received",
        _("An SMS came in"),
        "A person wrote to one of your numbers. `keyword` is what was read in it: `stop`, `start`, `help`, `maybe` (a refusal?) or null; "
        "`matched_keyword` is a keyword of your own.",
        "InboundData",
    ),
    ("opt_out.added", _("A person opted out"), "A person refuses further messages.", "OptOutData"),
    ("opt_out.lifted", _("An opt-out was lifted"), "A person may be written to again.", "OptOutData"),
    (
        "send.awaiting",
        _("A send waits for approval"),
        "A colleague has to approve it before anything is posted.",
        "SendData",
    ),
    ("send.approved", _("A send was approved"), "The last approval was given.", "SendData"),
    (
        "send.refused",
        _("A send was not approved"),
        "It was refused, or there was no answer in time; nothing more of it is posted.",
        "RefusedSendData",
    ),
    (
        "send.held",
        _("A send is held"),
        "A person, a program or a rule paused it.",
        "HeldSendData",
    ),
    ("send.resumed", _("A send goes on"), "The hold was lifted.", "SendData"),
    ("send.cancelled", _("A send was cancelled"), "What was not posted yet never will be.", "SendData"),
    (
        "send.posted",
        _("All of a send was posted"),
        "Nothing of it is left to post; receipts may still come.",
        "SendData",
    ),
    (
        "send.settled",
        _("A send is settled"),
        "The fate of every message is known, or will not be known any more.",
        "SendData",
    ),
)
EVENTS = tuple((one.name, one.says) for one in EVENT_TYPES.values())
