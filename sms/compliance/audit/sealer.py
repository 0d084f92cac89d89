"""Periodic work for the audit: seal every few seconds, and once an hour write a checkpoint of each chain.

Called in a loop of their own by `manage.py qcluster` and `manage.py dispatch`. Any number of processes may do it at once.
"""

import time
from pathlib import Path

from django.db.models import Max

from sms.compliance.audit.checkpoint import CheckpointFiles, heads_of, write_checkpoints
from sms.compliance.audit.seal import seal
from sms.compliance.audit.verify import services
from sms.models import AuditSeal

EVERY = 3.0  # seconds between runs; for so long a committed row has no place in the chain yet
HOUR = 3600.0


class ChainSealer:
    """Seals, and writes checkpoints to the files of one folder."""

    def __init__(self, folder: Path) -> None:
        self._files = CheckpointFiles(folder)
        self._next = time.monotonic()
        self._seen = 0

    def run(self) -> None:
        """Seal once. Raises the database's errors, and OSError where the folder cannot be written."""
        if time.monotonic() < self._next:
            seal()
            self._files.keep(heads_of(self._fresh()))
            return
        seal(thorough=True)
        self._fresh()
        write_checkpoints(self._files, heads_of(services()))
        self._next = time.monotonic() + HOUR

    def _fresh(self) -> list[str]:
        """The services that any process sealed for since the run before."""
        seals = AuditSeal.objects.filter(event_id__gt=self._seen).order_by()
        found = dict(seals.values_list("service_slug").annotate(last=Max("event_id")))
        self._seen = max([self._seen, *found.values()])
        return list(found)
