"""Receipts: authenticated, stored raw, answered, and then folded into the messages.

`doors` says whose they are, `inbox` and `spool` make them durable (called by the receipt endpoint), `fold` applies them (called by
`sms.rounds`), `silence` tells what never came, `again` replays and imports, `clicks` judges who clicked.
"""

from sms.receipts.again import Imported, NotAnExport, how_many, import_export, replay, retry
from sms.receipts.click_book import judge_history
from sms.receipts.clicks import reason_in_words
from sms.receipts.doors import Door, doors
from sms.receipts.fold import fold
from sms.receipts.inbox import Overloaded, Stuck, store, sweep
from sms.receipts.incoming import Incoming
from sms.receipts.silence import gaps, note_silence
from sms.receipts.spool import spool

__all__ = [
    "Door",
    "Imported",
    "Incoming",
    "NotAnExport",
    "Overloaded",
    "Stuck",
    "doors",
    "fold",
    "gaps",
    "how_many",
    "import_export",
    "judge_history",
    "note_silence",
    "reason_in_words",
    "replay",
    "retry",
    "spool",
    "store",
    "sweep",
]
