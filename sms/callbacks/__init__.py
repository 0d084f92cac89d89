"""Callbacks: what partners are told, signed, until they have it. Rows are written by `sms.callbacks.outbox`, delivered by `run`.

    change → outbox row (same transaction) → lease an endpoint → POST, signed → delivered · later · given up after three days

Doors use `add`, `verify`, `rotate` … for endpoints, and `ask` to have a send's receipts reported to a notifyUrl.
"""

from sms.callbacks.address import AddressPolicy, BadAddress
from sms.callbacks.endpoints import (
    HAND_OVER,
    Named,
    TooMany,
    add,
    ask,
    change,
    check_notify_url,
    pause,
    remove,
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
    "Named",
    "ReceiverConnection",
    "TooMany",
    "add",
    "anything_due",
    "ask",
    "change",
    "check_notify_url",
    "endpoint_disabled",
    "forget",
    "pause",
    "remove",
    "replay",
    "resume",
    "retire",
    "rotate",
    "run",
    "verify",
]
