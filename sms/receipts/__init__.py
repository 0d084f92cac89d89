"""Receipts: authenticated, stored raw, answered, and then folded into the messages.

`inbox` takes them in (called by the receipt endpoint), `fold` applies them (called by `sms.tasks`).
"""

from sms.receipts.fold import fold
from sms.receipts.inbox import Door, Incoming, doors, store

__all__ = ["Door", "Incoming", "doors", "fold", "store"]
