"""Working on preparations under a lease, and what happens to one that fails."""

import math
import time
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta

import structlog
from django.db import Error, connection
from django.utils.translation import gettext_noop, override

from sms.audiences.files import AudienceError
from sms.compose.background.check import check
from sms.compose.background.expand import expand
from sms.compose.background.lease import LeaseLost, PreparationLease
from sms.compose.background.read import read
from sms.compose.errors import ComposeError
from sms.models import AudienceVersion, Preparation, Upload
from sms.models.lease import new_owner
from sms.models.sql.clock import corrected_now
from sms.models.sql.session import database_now
from sms.models.sql.trouble import is_no_ones_fault
from sms.values.problems import Problem, ProblemCode
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

KEPT_FOR = timedelta(hours=1)  # before rows that nothing points to are deleted
DELETED_AT_A_TIME = 20  # files at a time
TRIES = 5  # of one that fails in the same block for an unexpected reason
PATIENCE = 8  # of one that the database refuses: it may be full or locked for some minutes
REFUSED = KeptSentence(
    gettext_noop(
        "The database refused this work %(tries)s times (%(error)s). What was done is kept. "
        "The reason is in the log (preparation %(preparation)s): have it corrected, then go on where it stopped."
    )
)
BROKE_OFF = KeptSentence(
    gettext_noop(
        "It broke off %(tries)s times (%(error)s). What was done is kept. "
        "The reason is in the log (preparation %(preparation)s): have it corrected, then go on where it stopped."
    )
)
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0  # seconds between tries; each is twice the last
Stopped = Callable[[], bool]
Steps = Callable[[Preparation, PreparationLease], Generator[None]]
KINDS: dict[str, Steps] = {
    Preparation.Kind.READ: read,
    Preparation.Kind.CHECK: check,
    Preparation.Kind.EXPAND: expand,
}


def has_work() -> bool:
    return Preparation.waiting().free().exists()


def run(*, stopped: Stopped) -> int:
    """Work on what waits, first on what people wait for at a page; returns how many ended."""
    ended = 0
    while not stopped():
        found = _next()
        if found is None:
            break
        ended += work_on(found, stopped=stopped)
    return ended


def delete_unused_versions() -> int:
    """Delete rows read for a draft that has another file now, or is gone, and that no send was made of; returns how many files."""
    old = database_now() - KEPT_FOR
    unused = {"audience": None, "drafts": None, "sends": None, "mended_by": None}
    loose = AudienceVersion.objects.filter(made_at__lt=old, **unused)
    gone = 0
    for version in loose.order_by("pk")[:DELETED_AT_A_TIME]:
        upload = version.upload_id
        version.delete()
        if upload is not None:
            Upload.objects.filter(pk=upload, drafts=None, versions=None).delete()
        gone += 1
    return gone


def _next() -> int | None:
    """Reading and checking first: they are short, and a person waits for them. Otherwise the oldest."""
    free = list(Preparation.waiting().free().values_list("kind", "pk").order_by("pk")[:100])
    return min(free, key=lambda row: (row[0] == Preparation.Kind.EXPAND, row[1]))[1] if free else None


def work_on(pk: int, *, stopped: Stopped = lambda: False, seconds: float = math.inf) -> bool:
    """Work on one for up to `seconds`; True where it ended. Does nothing where another worker has it.

    What goes wrong is kept, so it is said in English, also where a page did the work.
    """
    with override("en"):
        return _work_on(pk, stopped=stopped, seconds=seconds)


def _work_on(pk: int, *, stopped: Stopped, seconds: float) -> bool:
    lease = PreparationLease(pk, owner=new_owner())
    if not lease.take():
        return False
    until = time.monotonic() + seconds
    found = Preparation.objects.select_related("service").get(pk=pk)
    if found.began_at is None:
        found.began_at = corrected_now()
        Preparation.objects.filter(pk=pk).update(began_at=found.began_at)
    try:
        with closing(KINDS[found.kind](found, lease)) as steps:
            for _step in steps:
                if stopped() or time.monotonic() > until:
                    lease.drop()
                    return False
    except LeaseLost:
        return False
    except (AudienceError, ComposeError) as problem:
        first = problem.problems[0] if isinstance(problem, ComposeError) else problem.problem
        _fail(found, lease, replace(first, text=str(problem)))
    except Error as problem:
        if not is_no_ones_fault(problem):
            return _broke_off(found, lease, problem)
        # where the database is away this raises too: then nothing can be counted, the lease runs out, and another worker tries again
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        log.warning("preparation_refused", preparation=pk, kind=found.kind, error=repr(problem)[:300])
        return _try_again(found, lease, REFUSED, problem, most=PATIENCE)
    except Exception as problem:
        return _broke_off(found, lease, problem)
    return True


def _broke_off(found: Preparation, lease: PreparationLease, problem: Exception) -> bool:
    log.error(
        "preparation_broke_off",
        preparation=found.pk,
        kind=found.kind,
        error=repr(problem)[:300],
        exc_info=problem,
    )
    return _try_again(found, lease, BROKE_OFF, problem, most=TRIES)


def _fail(found: Preparation, lease: PreparationLease, problem: Problem) -> None:
    with suppress(LeaseLost):  # cancelled, or another worker's by now, which ends it
        lease.end(
            Preparation.State.FAILED,
            trouble=problem.text[:500],
            trouble_code=problem.code,
            trouble_field=problem.field[:20],
        )
    log.warning("preparation_failed", preparation=found.pk, kind=found.kind)


def _try_again(
    found: Preparation, lease: PreparationLease, kept: KeptSentence, problem: Exception, *, most: int
) -> bool:
    """Try again with growing pauses, each time from where it stopped; after `most` tries it fails, so that people see it.

    True where that was the last time.
    """
    tries = Preparation.objects.values_list("tries", flat=True).get(pk=found.pk) + 1
    if tries >= most:
        says = kept(tries=tries, error=type(problem).__name__, preparation=found.pk)
        _fail(found, lease, Problem(ProblemCode.INTERRUPTED, "", says))
        return True
    with suppress(LeaseLost):  # the worker that has it now counts its own
        lease.rest(min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE), tries=tries)
    return False
