"""Every type of event: what it is called, and what its `data` holds. Pages, callbacks, the API's filters and `webhooks` read it here."""

from dataclasses import dataclass

DONE_TO_A_SEND = "send service name client_reference reference callback_data state sender"
OF_A_MESSAGE = (
    "message send service row number reference client_reference correlation_id callback_data"
    " state code detail provider_id attempt segments"
)
OF_A_REJECT = "send service row number reference client_reference callback_data code detail field"
OF_A_REFUSAL = "opt_out service number source send message reference client_reference callback_data"


@dataclass(frozen=True, slots=True)
class EventType:
    """`says` is for lists of types, `when` a sentence for partners, `fields` the names in `data`, which are always there."""

    name: str
    says: str
    when: str
    fields: tuple[str, ...]


def _types(*rows: tuple[str, str, str, str]) -> dict[str, EventType]:
    return {name: EventType(name, says, when, tuple(fields.split())) for name, says, when, fields in rows}


EVENT_TYPES = _types(
    ("message.queued", "Accepted by the provider", "The provider has accepted it.", OF_A_MESSAGE),
    ("message.submitted", "With the operator", "It is with the operator.", OF_A_MESSAGE),
    ("message.delivered", "Delivered", "The handset confirmed it.", OF_A_MESSAGE),
    ("message.failed", "Failed", "It will not arrive; `code` says why.", OF_A_MESSAGE),
    (
        "message.clicked",
        "A link was opened",
        "A link in it was opened; `verdict` says by whom: `human`, `machine` or `unsure`, and `reason` why we think so.",
        f"{OF_A_MESSAGE} url verdict reason",
    ),
    (
        "message.unconfirmed",
        "Not confirmed: it may have been sent",
        "The connection broke, so it may have been sent.",
        OF_A_MESSAGE,
    ),
    ("message.no_report", "No receipt for three days", "Three days went by without a receipt.", OF_A_MESSAGE),
    (
        "message.cancelled",
        "Cancelled before it was sent",
        "It was cancelled and never sent.",
        OF_A_MESSAGE,
    ),
    (
        "message.expired",
        "Expired before it was sent",
        "Its time was over before it was sent.",
        OF_A_MESSAGE,
    ),
    (
        "message.rejected",
        "A row was refused",
        "A row of the send was refused before a message existed; `code` and `detail` say why.",
        OF_A_REJECT,
    ),
    (
        "inbound.received",
        "An SMS came in",
        "A person wrote to one of your numbers. `keyword` is what was read in it: `stop`, `start`, `help`, `maybe` (a refusal?) or null.",
        "inbound service number address text keyword sure send message reference client_reference callback_data",
    ),
    ("opt_out.added", "A person opted out", "A person refuses further messages.", OF_A_REFUSAL),
    ("opt_out.lifted", "An opt-out was lifted", "A person may be written to again.", OF_A_REFUSAL),
    (
        "send.awaiting",
        "A send waits for approval",
        "A colleague has to approve it before anything is posted.",
        DONE_TO_A_SEND,
    ),
    ("send.approved", "A send was approved", "The last approval was given.", DONE_TO_A_SEND),
    (
        "send.refused",
        "A send was not approved",
        "It was refused, or nobody answered in time; nothing more of it is posted.",
        f"{DONE_TO_A_SEND} reason",
    ),
    (
        "send.held",
        "A send is held",
        "A person, a program or a rule paused it.",
        f"{DONE_TO_A_SEND} reason rule",
    ),
    ("send.resumed", "A send goes on", "The hold was lifted.", DONE_TO_A_SEND),
    ("send.cancelled", "A send was cancelled", "What was not posted yet never will be.", DONE_TO_A_SEND),
    (
        "send.posted",
        "All of a send was posted",
        "Nothing of it is left to post; receipts may still come.",
        DONE_TO_A_SEND,
    ),
    (
        "send.settled",
        "A send is settled",
        "The fate of every message is known, or will not be known any more.",
        DONE_TO_A_SEND,
    ),
)
EVENTS = tuple((one.name, one.says) for one in EVENT_TYPES.values())
MANY = ("message.queued", "message.submitted", "message.delivered")  # nearly all events are of these types
