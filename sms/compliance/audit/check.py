"""The whole check: every chain, the folder of checkpoints, the triggers. Made each night by a job, and by `manage.py verify_audit`.

What is absent is a finding as well: an audit whose witnesses are gone does not hold.
"""

import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from django.contrib.auth import get_user_model
from django.dispatch import Signal
from django.utils import timezone

from sms.compliance.audit import folder
from sms.compliance.audit.checkpoint import Checkpoint
from sms.compliance.audit.checkpoint_files import CheckpointFiles
from sms.compliance.audit.stretches import verify_long
from sms.compliance.audit.verdict import ChainVerdict
from sms.compliance.audit.verify import services
from sms.models import AuditCheck, AuditEvent, AuditSeal
from sms.models.sql import audit_guard

log = structlog.get_logger(__name__)

EVERY = 86_400.0  # seconds between checks
OVERDUE = timedelta(days=2)
KEPT = 100  # checks
# sent with `check` (an AuditCheck) each time that one finds something
does_not_hold = Signal()


@dataclass(slots=True)
class Findings:
    """`witnesses` are sentences about what is missing or altered around the chains."""

    verdicts: list[ChainVerdict] = field(default_factory=list)
    witnesses: list[str] = field(default_factory=list)

    @property
    def broken(self) -> list[ChainVerdict]:
        return [one for one in self.verdicts if one.broken]

    @property
    def sentences(self) -> list[str]:
        return [*(one.sentence for one in self.broken), *self.witnesses]


def check(
    files: CheckpointFiles,
    *,
    checkpoints: Iterable[Checkpoint] = (),
    chosen: str | None = None,
    processes: int = 1,
) -> Findings:
    """Verify all chains, or that of one service, against the folder's checkpoints and those that are given."""
    found = Findings(witnesses=witnesses(files))  # first, since verifying seals
    known = [*files.read_all(), *checkpoints]
    slugs = sorted({*services(), *(one.service for one in known)}) if chosen is None else [chosen]
    found.verdicts = [verify_long(slug, checkpoints=known, processes=processes) for slug in slugs]
    return found


def witnesses(files: CheckpointFiles) -> list[str]:
    """What is missing or altered: folder, checkpoints, triggers, or the whole audit."""
    here = folder.missing(files) or (files.wrong() if files.begun else "")
    found = [here] if here else []
    found += [f"Checkpoints were lost or altered. {one}" for one in folder.losses()]
    if not audit_guard.installed():
        found.append(
            "The triggers that refuse changes are not all there; manage.py migrate makes them again."
        )
    if _is_empty_after_use():
        found.append("The audit is empty, although people have signed in.")
    return found


def _is_empty_after_use() -> bool:
    if AuditEvent.objects.exists() or AuditSeal.objects.exists():
        return False
    return get_user_model().objects.filter(last_login__isnull=False).exists()


def check_and_keep(files: CheckpointFiles) -> AuditCheck:
    """Check everything, keep the result for pages and metrics, and tell the admins what does not hold."""
    found = check(files)
    says = found.sentences
    made = AuditCheck.objects.create(
        host=socket.gethostname()[:100],
        rows=sum(one.rows for one in found.verdicts),
        holds=not says,
        findings="\n".join(says),
    )
    old = AuditCheck.objects.order_by("-pk").values_list("pk", flat=True)[KEPT:]
    AuditCheck.objects.filter(pk__in=list(old)).delete()
    if says:
        log.error("audit_does_not_hold", findings=says[:5], sentence="Run manage.py verify_audit.")
        does_not_hold.send(sender=AuditCheck, check=made)
    return made


def sentence() -> str:
    """What the last check found, for people who should act; empty while all holds, and before the first check."""
    last = AuditCheck.objects.order_by("-pk").first()
    if last is None:
        return ""
    when = f"{last.at:%-d %B %Y, %H:%M} UTC"
    if not last.holds:
        return (
            f"The audit does not stand as it was written (checked on {when}). {last.findings.splitlines()[0]}"
        )
    if timezone.now() - last.at > OVERDUE:
        return f"The audit was last checked on {when}: no process has done its nightly check since."
    return ""
