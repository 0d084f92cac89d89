"""Receipts: authenticated, stored raw, answered, and then folded into the messages.

`receipt_addresses` says whose they are, `inbox` makes them durable (called by the receipt endpoint and the simulator),
`fold` applies them (called by `sms.worker.jobs`), `silence` finds what never came, `replay` applies receipts again, `provider_export`
imports them.
"""

from sms.inbound.clicks.counts import judge_history
from sms.inbound.clicks.verdicts import reason_in_words
from sms.inbound.receipts.addresses import ReceiptAddress, Verdict, receipt_addresses
from sms.inbound.receipts.fold import fold
from sms.inbound.receipts.inbox import Overloaded, Stuck, insert, spool, store, sweep, take_in_kept
from sms.inbound.receipts.incoming import Incoming
from sms.inbound.receipts.missing import tell_missing
from sms.inbound.receipts.provider_export import ImportResult, NotAnExport, import_export
from sms.inbound.receipts.replay import count_since, replay, retry
from sms.inbound.receipts.silence import gaps, note_silence
from sms.models.sql.receipt_months import keep_months
