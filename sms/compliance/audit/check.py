"""The whole check: every chain, the folder of checkpoints, the triggers. Made each night by a job, and by `manage.py verify_audit`.

What is absent is a finding as well: an audit whose witnesses are gone does not hold.
"""

import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_noop

from sms import notices
from sms.compliance.audit import elsewhere, folder
from sms.compliance.audit.checkpoint import Checkpoint
from sms.compliance.audit.checkpoint_files import CheckpointFiles
from sms.compliance.audit.stretches import verify_long
from sms.compliance.audit.verdict import Broken, ChainVerdict
from sms.compliance.audit.verify import services
from sms.models import AuditCheck, AuditEvent, AuditLeave, AuditSeal, NoticeKind, Send, Service, audit_proof
from sms.models.sql import audit_guard
from sms.models.sql.clock import corrected_now
from sms.models.sql.trouble import may_work_again
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

# as they are kept, and answered to programs; pages and mails retell them
RED = gettext_noop("The audit does not stand as it was written.")
RED_MORE = KeptSentence(
    gettext_noop(
        "The check of %(time)s UTC on %(host)s found:\n\n%(findings)s\n\n"
        "Keep the database as it is, and find out who could write to it. The page shows what was seen, with a button to look again."
    )
)
CHAIN_UNREAD = KeptSentence(gettext_noop("The chain cannot be read: %(problem)s"))
GUARDS_UNREAD = KeptSentence(gettext_noop("What guards the audit cannot be read: %(problem)s"))
# Translators: what is a sentence
LOST = KeptSentence(gettext_noop("Checkpoints were lost or altered. %(what)s"))
TRIGGERS_ALTERED = KeptSentence(
    gettext_noop(
        "The triggers that refuse changes were removed or altered (%(name)s and %(more)s more); manage.py migrate makes them again."
    )
)
TRIGGER_ALTERED = KeptSentence(
    gettext_noop(
        "The triggers that refuse changes were removed or altered (%(name)s); manage.py migrate makes them again."
    )
)
PERMIT_STANDS = gettext_noop(
    "A permit to remove rows stands in sms_auditleave, where only retention's own step has one."
)
KEY_MISSING = gettext_noop("The key that wrote the audit is not among today's AUDIT_KEYS.")
EMPTY_AFTER_SIGN_IN = gettext_noop("The audit is empty, although people have signed in.")
EMPTY_AFTER_USE = gettext_noop("The audit is empty, although this Textdesk was used.")
EMPTY_OF_SERVICE = KeptSentence(gettext_noop("%(service)s: the audit is empty, although sends were made."))
NEVER_CHECKED = gettext_noop("The audit was never checked, or what its checks found was removed.")
RESULT_ALTERED = gettext_noop("What the last check of the audit found was altered, or made with another key.")
# Translators: finding is a sentence
DOES_NOT_STAND = KeptSentence(
    gettext_noop("The audit does not stand as it was written (checked on %(time)s UTC). %(finding)s")
)
CHECK_OVERDUE = KeptSentence(
    gettext_noop("The audit was last checked on %(time)s UTC: no process has done its nightly check since.")
)


EVERY = 86_400.0  # seconds between checks
OVERDUE = timedelta(days=2)
KEPT = 100  # checks


@dataclass(slots=True)
class Findings:
    """`witnesses` are sentences about what is missing or altered around the chains, `unread` about places that a person compares."""

    verdicts: list[ChainVerdict] = field(default_factory=list)
    witnesses: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def broken(self) -> list[ChainVerdict]:
        return [one for one in self.verdicts if one.broken]

    @property
    def sentences(self) -> list[str]:
        return [*(one.sentence for one in self.broken), *self.witnesses]


def check(
    files: CheckpointFiles,
    *,
    places: Sequence[str] = (),
    checkpoints: Iterable[Checkpoint] = (),
    chosen: str | None = None,
    processes: int = 1,
) -> Findings:
    """Verify all chains, or that of one service, against the folder's checkpoints, those of `places`, and those that are given."""
    found = Findings(witnesses=witnesses(files))  # first, since verifying seals
    there, altered, found.unread = elsewhere.read_back(
        places, now=corrected_now(), accepted=folder.accepted_at()
    )
    found.witnesses += altered
    known = [*files.read_all(), *there, *checkpoints]
    slugs = sorted({*services(), *(one.service for one in known)}) if chosen is None else [chosen]
    found.verdicts = [_verdict(slug, known, processes) for slug in slugs]
    return found


def _verdict(slug: str, known: Sequence[Checkpoint], processes: int) -> ChainVerdict:
    """Something written into the tables that ends a check must not be what keeps it from being found."""
    try:
        return verify_long(slug, checkpoints=known, processes=processes)
    except Exception as problem:
        if may_work_again(problem):
            raise  # the database's trouble, not the audit's
        log.exception("audit_check_failed", service=slug)
        return ChainVerdict(slug, broken=Broken(1, None, CHAIN_UNREAD(problem=repr(problem))[:300]))


def witnesses(files: CheckpointFiles) -> list[str]:
    """What is missing or altered around the chains, a sentence each."""
    try:
        return _look(files)
    except Exception as problem:
        if may_work_again(problem):
            raise
        log.exception("audit_check_failed")
        return [GUARDS_UNREAD(problem=repr(problem))[:300]]


def _look(files: CheckpointFiles) -> list[str]:
    """What is missing or altered: key, folder, checkpoints, triggers, or the whole audit."""
    here = folder.missing(files) or (files.wrong() if files.begun else "")
    found = [here] if here else []
    found += [LOST(what=one) for one in folder.losses()]
    if altered := audit_guard.altered():
        more = len(altered) - 1
        found.append((TRIGGERS_ALTERED if more else TRIGGER_ALTERED)(name=altered[0], more=more))
    if AuditLeave.objects.exists():
        found.append(PERMIT_STANDS)
    if _is_key_missing():
        found.append(KEY_MISSING)
    return [*found, *_empty()]


def _is_key_missing() -> bool:
    """Not one chain begins with a seal of ours."""
    firsts = list(AuditSeal.objects.filter(number=1))
    return bool(firsts) and not any(
        audit_proof.seal_mac(key, one.hash) == one.mac
        for one in firsts
        for key in audit_proof.audit_keys.of(one.service_slug)
    )


def _empty() -> Iterator[str]:
    """Where there is nothing, although other tables say that something was done."""
    chains = services()
    sent = Service.objects.exclude(slug__in=chains).filter(
        Exists(Send.objects.filter(service=OuterRef("pk")))
    )
    if not chains:
        if get_user_model().objects.filter(last_login__isnull=False).exists():
            yield EMPTY_AFTER_SIGN_IN
        elif sent.exists() or AuditCheck.objects.filter(rows__gt=0).exists():
            yield EMPTY_AFTER_USE
        return
    for slug in sent.order_by("slug").values_list("slug", flat=True):
        yield EMPTY_OF_SERVICE(service=slug)


def check_and_keep(files: CheckpointFiles, *, places: Sequence[str] = ()) -> AuditCheck:
    """Check everything, keep the result for pages and metrics, and tell the admins of findings that are new."""
    found = check(files, places=places)
    says = found.sentences
    before = AuditCheck.objects.order_by("-pk").first()
    told = before.findings.splitlines() if before else []
    made = AuditCheck(
        host=socket.gethostname()[:100],
        rows=sum(one.rows for one in found.verdicts),
        holds=not says,
        findings="\n".join(says),
    )
    made.mac = _mac(audit_proof.audit_keys.of("")[0], made)
    with transaction.atomic():
        made.save()
        if not set(says) <= set(told):
            _tell_admins(made)
    old = AuditCheck.objects.order_by("-pk").values_list("pk", flat=True)[KEPT:]
    AuditCheck.objects.filter(pk__in=list(old)).delete()
    if says:
        log.error("audit_does_not_hold", findings=says[:5], sentence="Run manage.py verify_audit.")
    return made


def _tell_admins(made: AuditCheck) -> None:
    """Superusers, and the admins of every service."""
    told: dict[str, Any] = {
        "event": f"audit_red:{made.pk}",
        "says": RED,
        "more": RED_MORE(time=f"{made.at:%-d %B %Y, %H:%M}", host=made.host, findings=made.findings),
        "now": made.at,
    }
    notices.tell(NoticeKind.AUDIT_RED, notices.superusers(), page="installation_audit_list", **told)
    for service in Service.objects.defer(*Service.secrets()):
        admins = notices.holding(service, "admin")
        notices.tell(NoticeKind.AUDIT_RED, admins, service=service, page="audit_list", **told)


def _mac(key: audit_proof.MacKey, check: AuditCheck) -> str:
    """So that nobody makes a good result with SQL, or one that is never overdue."""
    said = (audit_proof.written(check.at), check.host, str(check.rows), str(check.holds), check.findings)
    return key.mac(b"check " + audit_proof.body(said))


def sentence() -> str:
    """What the last check found, for people who should act; empty while all holds, and in the first days."""
    last = AuditCheck.objects.order_by("-pk").first()
    if last is None:
        old = AuditEvent.objects.filter(at__lt=corrected_now() - OVERDUE).exists()
        return NEVER_CHECKED if old else ""
    if not any(_mac(key, last) == last.mac for key in audit_proof.audit_keys.of("")):
        return RESULT_ALTERED
    when = f"{last.at:%-d %B %Y, %H:%M}"
    if not last.holds:
        first = last.findings.partition("\n")[0]
        return DOES_NOT_STAND(time=when, finding=first)
    if corrected_now() - last.at > OVERDUE:
        return CHECK_OVERDUE(time=when)
    return ""
