"""Dispatch: from committed messages to the provider and back, by the ledger's protocol.

claim (lease a slice) → arm (last look, "posting", commit) → post (no transaction) → record (in bulk, forward only) → sweep (leases
that ran out). Called by `sms.worker.tasks` and `manage.py dispatch`; both run the same code, as many at once as one likes.
"""

from sms.dispatch.claim import sweep
from sms.dispatch.coordinator import DispatchRun
from sms.dispatch.run import due_within, run
from sms.dispatch.settle import Settlement, by_person
from sms.dispatch.watch import watch

__all__ = [
    "DispatchRun",
    "Settlement",
    "by_person",
    "due_within",
    "run",
    "sweep",
    "watch",
]
