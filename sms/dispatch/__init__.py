"""Dispatch: from committed messages to the provider and back, by the ledger's protocol.

claim (lease a slice) → arm (last look, "posting", commit) → post (no transaction) → record (in bulk, forward only) → sweep (leases
that ran out). Called by `sms.worker.tasks` and `manage.py dispatch`; both run the same code, as many at once as one likes.
"""

from sms.dispatch.claim import due_within, sweep
from sms.dispatch.coordinator import DispatchRun, run, run_simulated
from sms.dispatch.epochs import epochs
from sms.dispatch.recovery import recover
from sms.dispatch.settle import Settlement, by_person
from sms.dispatch.unproven import end_unproven
from sms.dispatch.watch import watch
