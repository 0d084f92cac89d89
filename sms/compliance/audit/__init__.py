"""The audit's chain: sealing rows, checkpoints outside the database, verifying, exporting, and the one way in which rows leave.

A row is written with its MAC by `sms.models.audit.audit`, in the transaction of its act. What is here runs apart from that: see
`docs/decisions/0008-audit-chain.md` for why, and for the seconds in which a row is not sealed yet.
"""

from sms.compliance.audit.checkpoint import CheckpointFiles, heads_of, write_checkpoints
from sms.compliance.audit.export import csv_of, json_lines_of
from sms.compliance.audit.queries import Selection, rows_of
from sms.compliance.audit.retire import retire
from sms.compliance.audit.seal import Head, seal
from sms.compliance.audit.sealer import EVERY, ChainSealer
from sms.compliance.audit.stretches import verify_long
from sms.compliance.audit.verdict import Broken, ChainVerdict
from sms.compliance.audit.verify import services, verify
from sms.compliance.audit.walk import wrong_with

__all__ = [
    "EVERY",
    "Broken",
    "ChainSealer",
    "ChainVerdict",
    "CheckpointFiles",
    "Head",
    "Selection",
    "csv_of",
    "heads_of",
    "json_lines_of",
    "retire",
    "rows_of",
    "seal",
    "services",
    "verify",
    "verify_long",
    "write_checkpoints",
    "wrong_with",
]
