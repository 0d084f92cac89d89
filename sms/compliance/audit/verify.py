"""Verifying: walk a chain from its first seal to its last and say which row is the first that is not as it was written.

What is in the database alone cannot show that its end was cut off; the checkpoints that `CheckpointFiles` or the log stream kept do.
"""

import time
from collections.abc import Iterable

import structlog
from django.db import Error
from django.db.models import Count
from django.utils.translation import gettext_noop

from sms.compliance.audit.checkpoint import Checkpoint
from sms.compliance.audit.seal import head_of, seal_what_can_be_read
from sms.compliance.audit.verdict import Broken, ChainVerdict
from sms.compliance.audit.walk import walked
from sms.models import AuditEvent, AuditSeal
from sms.models.audit_proof import START
from sms.models.sql import audit_guard
from sms.models.sql.trouble import is_damage
from sms.words import KeptSentence

log = structlog.get_logger(__name__)


def services() -> list[str]:
    """The slugs of all chains, with the empty one, for acts of no service, first. What is no text is sealed as one."""
    found: set[object] = set()
    for model in (AuditSeal, AuditEvent):
        try:
            found |= set(model.objects.order_by().values_list("service_slug", flat=True).distinct())
        except Error as problem:
            if not is_damage(problem):
                raise
            log.exception(
                "audit_damaged", table=model._meta.db_table
            )  # the walk of its chain says which row it is
    return sorted(slug for slug in found if isinstance(slug, str))


def verify(
    service_slug: str,
    *,
    checkpoints: Iterable[Checkpoint] = (),
    after: tuple[int, str] = (0, START),
    seconds: float | None = None,
) -> ChainVerdict:
    """Check a chain, sealing what is not sealed first.

    `checkpoints` are heads known from elsewhere. With `seconds` it stops at the next page once they are over, `complete` then being False,
    and goes on with `after`, the `number` and `hash` of the verdict before.
    """
    seal_what_can_be_read()
    started = time.monotonic()
    verdict = walked(service_slug, after=after, seconds=seconds)
    if verdict.complete and not verdict.broken:
        verdict.broken = first_copy(service_slug)
    compare(verdict, checkpoints)
    verdict.guarded = audit_guard.installed()
    verdict.seconds = time.monotonic() - started
    return verdict


COPY = KeptSentence(gettext_noop("Row id %(id)s is a copy of number %(number)s."))
CUT_OFF = KeptSentence(
    gettext_noop(
        "The chain ends at %(last)s, and a checkpoint of %(time)s knows number %(number)s. "
        "Rows were cut off, or the database is an older copy."
    )
)
ANOTHER_ONE = KeptSentence(
    gettext_noop(
        "Number %(number)s is another one than the checkpoint of %(time)s knows; all up to %(agreed)s is as it was."
    )
)


def first_copy(service_slug: str) -> Broken | None:
    """The first row that is a copy of an earlier one: no two say the same, because each has a nonce."""
    mine = AuditSeal.objects.filter(service_slug=service_slug)
    twice = mine.order_by().values("digest").annotate(times=Count("pk")).filter(times__gt=1)
    digests = list(twice.values_list("digest", flat=True)[:1000])
    seen: dict[str, int] = {}
    for one in mine.filter(digest__in=digests).order_by("number"):
        if one.digest in seen:
            why = COPY(id=one.event_id, number=f"{seen[one.digest]:,}")
            return Broken(one.number, one.event_id, why)
        seen[one.digest] = one.number
    return None


def compare(verdict: ChainVerdict, checkpoints: Iterable[Checkpoint]) -> None:
    """Whether the chain holds what was known of it elsewhere; names the first number that cannot be as it was."""
    agreed, mine = 0, [one for one in checkpoints if one.service == verdict.service_slug]
    for known in sorted(mine, key=lambda one: one.number):
        if known.number > verdict.number and not verdict.complete:
            return
        stored = AuditSeal.objects.filter(service_slug=verdict.service_slug, number=known.number).first()
        if stored is not None and stored.hash == known.hash:
            agreed = known.number
            verdict.checkpoints += 1
            continue
        last = head_of(verdict.service_slug).number
        if stored is None and last < known.number:
            first, why = last + 1, CUT_OFF(last=f"{last:,}", time=known.at, number=f"{known.number:,}")
        else:
            first = agreed + 1
            if verdict.broken and first <= verdict.broken.number <= known.number:
                return  # the walk knows it exactly
            why = ANOTHER_ONE(number=f"{known.number:,}", time=known.at, agreed=f"{agreed:,}")
        if verdict.broken is None or first < verdict.broken.number:
            verdict.broken = Broken(first, None, why)
        return
