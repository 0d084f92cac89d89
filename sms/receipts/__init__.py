"""Receipts: authenticated, stored raw, answered, and then folded into the messages.

`inbox` takes them in (called by the receipt endpoint), `fold` applies them (called by `sms.tasks`), `clicks`
judges who clicked.
"""

from sms.receipts.click_book import judge_history
from sms.receipts.clicks import reason_in_words
from sms.receipts.fold import fold
from sms.receipts.inbox import Door, Incoming, doors, store

__all__ = ["Door", "Incoming", "doors", "fold", "judge_history", "reason_in_words", "store"]
