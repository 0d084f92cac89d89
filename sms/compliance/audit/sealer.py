"""Periodic work for the audit: seal every few seconds, and once an hour write a checkpoint of each chain.

Called in a loop of their own by `manage.py qcluster` and `manage.py dispatch`. Any number of processes may do it at once.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import structlog
from django.db.models import Max

from sms.compliance.audit.checkpoint import EVENT, Checkpoint, heads_of
from sms.compliance.audit.checkpoint_files import CheckpointFiles, FolderAltered
from sms.compliance.audit.folder import look_after
from sms.compliance.audit.seal import Head, seal
from sms.compliance.audit.verify import services
from sms.models import AuditSeal

log = structlog.get_logger(__name__)

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
            try:
                self._files.keep(heads_of(self._fresh()))
            except FolderAltered:
                look_after(self._files)
                self._files.keep(heads_of(services()))
            return
        seal(thorough=True)  # first: a disk that cannot be written must not stop it
        look_after(self._files)
        seal()
        self._fresh()
        write_checkpoints(self._files, heads_of(services()))
        self._next = time.monotonic() + HOUR

    def _fresh(self) -> list[str]:
        """The services that any process sealed for since the run before."""
        seals = AuditSeal.objects.filter(event_id__gt=self._seen).order_by()
        found = dict(seals.values_list("service_slug").annotate(last=Max("event_id")))
        self._seen = max([self._seen, *found.values()])
        return list(found)


def write_checkpoints(
    files: CheckpointFiles, heads: Mapping[str, Head], *, now: datetime | None = None
) -> list[Checkpoint]:
    """Write heads to the files and to the log stream. What the files know and the chain does not hold is logged as an error."""
    files.keep(heads)
    made = files.note(heads.values(), now=now)
    for one in made:
        log.info(EVENT, **asdict(one))
    return made
