"""Callbacks: events to partners, signed, until they have them. Rows are written by `sms.callbacks.outbox`, delivered by `run`.

    change → outbox row (same transaction) → lease an endpoint → POST, signed → delivered · tried again · given up after three days

Pages and APIs use `add`, `verify`, `rotate` … for endpoints, and `pass_receipts_on` for a send that names an address.
"""

from sms.callbacks.address import AddressPolicy, BadAddress, address_problem, allowed_addresses
from sms.callbacks.bodies import RECEIPT_CODES
from sms.callbacks.endpoints import TooMany, add, change, pause, remove, resume
from sms.callbacks.notify import expect, pass_receipts_on
from sms.callbacks.post import ReceiverConnection
from sms.callbacks.proof import try_out, verify
from sms.callbacks.replay import forget, replay
from sms.callbacks.run import DeliveryRun, anything_due, run
from sms.callbacks.signing import retire, rotate, secret_problem
