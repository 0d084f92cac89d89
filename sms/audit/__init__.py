"""The audit's chain: sealing rows, checkpoints outside the database, verifying, exporting, and the one way in which rows leave.

A row is written with its MAC by `AuditEvent.record`, in the transaction of its act. What is here runs beside that: see
`docs/decisions/0008-audit-chain.md` for why, and for the seconds in which a row is not sealed yet.
"""

from sms.audit.checkpoint import Book, checkpoint, heads_of
from sms.audit.export import csv_of, json_lines_of
from sms.audit.keeper import EVERY, Keeper
from sms.audit.leave import retire
from sms.audit.look import Selection, rows_of
from sms.audit.seal import Head, seal
from sms.audit.stretches import verify_long
from sms.audit.verify import Broken, Verdict, services, verify, wrong_with

__all__ = [
    "EVERY",
    "Book",
    "Broken",
    "Head",
    "Keeper",
    "Selection",
    "Verdict",
    "checkpoint",
    "csv_of",
    "heads_of",
    "json_lines_of",
    "retire",
    "rows_of",
    "seal",
    "services",
    "verify",
    "verify_long",
    "wrong_with",
]
