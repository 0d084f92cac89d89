"""What a running desk does for its audit: seal every few seconds, and once an hour tell the log stream where each chain stands.

Called in a loop of their own by `manage.py qcluster` and `manage.py dispatch`. Any number of processes may do it at once.
"""

import time
from pathlib import Path

from django.db.models import Max

from sms.compliance.audit.checkpoint import CheckpointFiles, checkpoint, heads_of
from sms.compliance.audit.seal import seal
from sms.compliance.audit.verify import services
from sms.models import AuditSeal

EVERY = 3.0  # seconds between looks; for so long a committed row has no place in the chain yet
HOUR = 3600.0


class Keeper:
    """One process's part in it."""

    def __init__(self, folder: Path) -> None:
        self._book = CheckpointFiles(folder)
        self._next = time.monotonic()
        self._seen = 0

    def turn(self) -> None:
        """One look. Raises the database's troubles, and OSError where the folder cannot be written."""
        if time.monotonic() < self._next:
            seal()
            self._book.keep(heads_of(self._fresh()))
            return
        seal(thorough=True)
        self._fresh()
        checkpoint(self._book, heads_of(services()))
        self._next = time.monotonic() + HOUR

    def _fresh(self) -> list[str]:
        """The services that were sealed for since the look before, by whichever process."""
        seals = AuditSeal.objects.filter(event_id__gt=self._seen).order_by()
        found = dict(seals.values_list("service_slug").annotate(last=Max("event_id")))
        self._seen = max([self._seen, *found.values()])
        return list(found)
