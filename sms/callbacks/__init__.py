"""Callbacks: events to partners, signed, until they have them. Rows are written by `sms.callbacks.outbox`, delivered by `run`.

    change → outbox row (same transaction) → lease an endpoint → POST, signed → delivered · tried again · given up after three days

Pages and APIs use `add`, `verify`, `rotate` … for endpoints, and `report_to` to have a send's receipts reported to a notifyUrl.
"""

from sms.callbacks.address import AddressPolicy, BadAddress
from sms.callbacks.endpoints import (
    HAND_OVER,
    PartnerName,
    TooMany,
    add,
    change,
    pause,
    remove,
    report_to,
    resume,
    retire,
    rotate,
    verify,
)
from sms.callbacks.notice import endpoint_disabled
from sms.callbacks.post import ReceiverConnection
from sms.callbacks.replay import forget, replay
from sms.callbacks.run import DeliveryRun, anything_due, run

__all__ = [
    "HAND_OVER",
    "AddressPolicy",
    "BadAddress",
    "DeliveryRun",
    "PartnerName",
    "ReceiverConnection",
    "TooMany",
    "add",
    "anything_due",
    "change",
    "endpoint_disabled",
    "forget",
    "pause",
    "remove",
    "replay",
    "report_to",
    "resume",
    "retire",
    "rotate",
    "run",
    "verify",
]
