"""Receipts: authenticated, stored raw, answered, and then folded into the messages.

`receipt_addresses` says whose they are, `inbox` and `spool` make them durable (called by the receipt endpoint), `fold` applies
them (called by
`sms.worker.jobs`), `silence` tells what never came, `again` replays and imports, `clicks` judges who clicked.
"""

from sms.inbound.clicks.counts import judge_history
from sms.inbound.clicks.verdicts import reason_in_words
from sms.inbound.receipts.addresses import ReceiptAddress, receipt_addresses
from sms.inbound.receipts.fold import fold
from sms.inbound.receipts.inbox import Overloaded, Stuck, store, sweep
from sms.inbound.receipts.incoming import Incoming
from sms.inbound.receipts.replay import Imported, NotAnExport, how_many, import_export, replay, retry
from sms.inbound.receipts.silence import gaps, note_silence
from sms.inbound.receipts.spool import spool

__all__ = [
    "Imported",
    "Incoming",
    "NotAnExport",
    "Overloaded",
    "ReceiptAddress",
    "Stuck",
    "fold",
    "gaps",
    "how_many",
    "import_export",
    "judge_history",
    "note_silence",
    "reason_in_words",
    "receipt_addresses",
    "replay",
    "retry",
    "spool",
    "store",
    "sweep",
]
