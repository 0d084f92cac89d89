"""The audit's chain: sealing rows, checkpoints outside the database, verifying, exporting, and the one way in which rows leave.

A row is written with its MAC by `sms.models.audit.audit`, in the transaction of its act. What is here runs apart from that: see
`docs/decisions/0008-audit-chain.md` for why, and for the seconds in which a row is not sealed yet.
"""

from sms.compliance.audit.check import EVERY as CHECK_EVERY
from sms.compliance.audit.check import Findings, check, check_and_keep, sentence, witnesses
from sms.compliance.audit.checkpoint import heads_of
from sms.compliance.audit.checkpoint_files import CheckpointFiles
from sms.compliance.audit.courier import EVERY as COURIER_EVERY
from sms.compliance.audit.courier import CheckpointCourier, undelivered
from sms.compliance.audit.export import Selection, csv_of, json_lines_of, rows_of
from sms.compliance.audit.retire import retire
from sms.compliance.audit.seal import Head, seal
from sms.compliance.audit.sealer import EVERY, ChainSealer, write_checkpoints
from sms.compliance.audit.stretches import verify_long
from sms.compliance.audit.verdict import ChainVerdict
from sms.compliance.audit.verify import services, verify
from sms.compliance.audit.walk import wrong_with
