"""The audit's chain: sealing rows, checkpoints outside the database, verifying, exporting, and the one way in which rows leave.

A row is written with its MAC by `sms.models.audit.audit`, in the transaction of its act. What is here runs beside that: see
`docs/decisions/0008-audit-chain.md` for why, and for the seconds in which a row is not sealed yet.
"""

from sms.compliance.audit.checkpoint import CheckpointFiles, checkpoint, heads_of
from sms.compliance.audit.export import csv_of, json_lines_of
from sms.compliance.audit.queries import Selection, rows_of
from sms.compliance.audit.retire import retire
from sms.compliance.audit.seal import Head, seal
from sms.compliance.audit.sealer import EVERY, Keeper
from sms.compliance.audit.stretches import verify_long
from sms.compliance.audit.verify import Broken, ChainVerdict, services, verify, wrong_with

__all__ = [
    "EVERY",
    "Broken",
    "ChainVerdict",
    "CheckpointFiles",
    "Head",
    "Keeper",
    "Selection",
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
