"""What the audit says about the folders of checkpoints: which host began one, which was lost, and that somebody said why.

So a folder that is removed is missed, and one that was altered is not just written over.
"""

import socket
from datetime import datetime
from typing import Any

import structlog
from django.utils.translation import gettext_noop

from sms.compliance.audit.checkpoint_files import CheckpointFiles
from sms.models import Actor, AuditEvent
from sms.models.audit import audit
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

BEGUN, LOST, ACCEPTED = "audit.folder_begun", "audit.folder_lost", "audit.loss_accepted"
BY = Actor.system()


def look_after(files: CheckpointFiles) -> None:
    """Begin the folder of this host. One that is gone or altered since is begun anew, its files set aside, and the loss recorded."""
    known = _is_known(files)
    if not files.begun and not known:
        files.begin()
    elif wrong := files.set_aside():
        log.error(
            "audit_folder_lost", folder=str(files.folder), sentence=f"{wrong} Run manage.py verify_audit."
        )
        _record(LOST, files, why=wrong)
    if not known:
        _record(BEGUN, files)


# Translators: why is a sentence
LOST_ON = KeptSentence(gettext_noop("%(time)s UTC, on %(host)s: %(why)s"))
GONE = KeptSentence(gettext_noop("%(folder)s is gone, which held this host's checkpoints."))


def missing(files: CheckpointFiles) -> str:
    """A sentence where this host had a folder that is there no longer."""
    if files.begun or not _is_known(files):
        return ""
    return GONE(folder=files.folder)


def losses() -> list[str]:
    """A sentence for each folder, of any host, that was lost after somebody last accepted a loss."""
    rows = AuditEvent.objects.filter(service_slug="", noun="audit", act__in=(LOST, ACCEPTED)).order_by("pk")
    found: list[str] = []
    for row in rows:
        if row.act == ACCEPTED:
            found.clear()
        else:
            details: Any = row.details
            host, why = details.get("host", "?"), details.get("why", "")
            found.append(LOST_ON(time=f"{row.at:%Y-%m-%d %H:%M}", host=host, why=why))
    return found


def accepted_at() -> datetime | None:
    rows = AuditEvent.objects.filter(service_slug="", noun="audit", act=ACCEPTED)
    return rows.order_by("-pk").values_list("at", flat=True).first()


def accept(because: str, *, by: Actor) -> None:
    """A person knows why folders were lost, for instance with a host that was replaced; from now on that is no finding."""
    audit(ACCEPTED, by=by, noun="audit", because=because, losses=len(losses()))


def _is_known(files: CheckpointFiles) -> bool:
    begun = AuditEvent.objects.filter(service_slug="", noun="audit", act=BEGUN)
    named = (socket.gethostname(), str(files.folder))
    known: Any = begun.values_list("details", flat=True)
    return any((one.get("host"), one.get("folder")) == named for one in known)


def _record(act: str, files: CheckpointFiles, **details: str) -> None:
    audit(
        act,
        None,
        by=BY,
        noun="audit",
        host=socket.gethostname(),
        folder=str(files.folder),
        batch=None,
        **details,
    )
