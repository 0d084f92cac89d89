"""Leases and blocks: who works on which preparation, and what becomes of one that breaks off."""

import math
import time
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from datetime import timedelta

import structlog
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from sms.audiences.files import AudienceError
from sms.compose.background.check import check
from sms.compose.background.expand import expand
from sms.compose.background.lease import LeaseLost, PreparationLease
from sms.compose.background.read import read
from sms.compose.errors import ComposeError
from sms.models import AudienceVersion, Preparation, Upload
from sms.models.lease import new_owner

log = structlog.get_logger(__name__)

KEPT = timedelta(hours=1)  # that something may point to rows which were just read
FORGOTTEN = 20  # files at a time
TRIES = 5  # of one that breaks off in the same block, for a reason that nobody foresaw
PATIENCE = 8  # of one that the database refuses, which may be full or locked, and well again in ten minutes
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0  # seconds between tries; each is twice the last
Stopped = Callable[[], bool]
Steps = Callable[[Preparation, PreparationLease], Generator[None]]
KINDS: dict[str, Steps] = {
    Preparation.Kind.READ: read,
    Preparation.Kind.CHECK: check,
    Preparation.Kind.EXPAND: expand,
}


def waits() -> bool:
    """Whether something waits that nobody is at."""
    return Preparation.waiting().free().exists()


def run(*, stopped: Stopped) -> int:
    """Whatever waits, those of people at a page first; returns how many came to an end."""
    ended = 0
    while not stopped():
        found = _next()
        if found is None:
            break
        ended += go_on(found, stopped=stopped)
    return ended


def forget() -> int:
    """Rows that were read for a draft which has another file by now, or is gone, and that no send was made of; returns how many files."""
    old = timezone.now() - KEPT
    loose = AudienceVersion.objects.filter(
        audience=None, made_at__lt=old, drafts=None, sends=None, mended_by=None
    )
    gone = 0
    for version in loose.order_by("pk")[:FORGOTTEN]:
        upload = version.upload_id
        version.delete()
        if upload is not None:
            Upload.objects.filter(pk=upload, drafts=None, versions=None).delete()
        gone += 1
    return gone


def _next() -> int | None:
    """Reading and checking are short, and somebody looks at them; the order of waiting otherwise."""
    free = list(Preparation.waiting().free().values_list("kind", "pk").order_by("pk")[:100])
    return min(free, key=lambda row: (row[0] == Preparation.Kind.EXPAND, row[1]))[1] if free else None


def go_on(pk: int, *, stopped: Stopped = lambda: False, seconds: float = math.inf) -> bool:
    """Work on one for up to `seconds`; True where it came to its end. Nothing happens where somebody else is at it."""
    lease = PreparationLease(pk, owner=new_owner())
    if not lease.take():
        return False
    until = time.monotonic() + seconds
    found = Preparation.objects.select_related("service").get(pk=pk)
    if found.began_at is None:
        found.began_at = timezone.now()
        Preparation.objects.filter(pk=pk).update(began_at=found.began_at)
    try:
        with closing(KINDS[found.kind](found, lease)) as steps:
            for _ in steps:
                if stopped() or time.monotonic() > until:
                    lease.drop()
                    return False
    except LeaseLost:
        return False
    except (AudienceError, ComposeError) as problem:
        _fail(found, lease, str(problem), field=_field(problem))
    except (OperationalError, InterfaceError) as problem:
        # where the database is away this raises too: then nothing can be counted, the lease runs out, and somebody tries again
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        log.warning("preparation_refused", preparation=pk, kind=found.kind, error=repr(problem)[:300])
        said = f"The database refused this work {{tries}} times ({type(problem).__name__})."
        return _try_again(found, lease, said, most=PATIENCE)
    except Exception as problem:
        log.exception("preparation_broke_off", preparation=pk, kind=found.kind, error=repr(problem)[:300])
        return _try_again(
            found, lease, f"It broke off {{tries}} times ({type(problem).__name__}).", most=TRIES
        )
    return True


def _field(problem: AudienceError | ComposeError) -> str:
    if isinstance(problem, ComposeError):
        return problem.problems[0].field
    return "column" if problem.code in {"unknown_column", "no_column"} else "audience"


def _fail(found: Preparation, lease: PreparationLease, sentence: str, *, field: str) -> None:
    with suppress(LeaseLost):  # cancelled, or somebody else's by now: it is theirs to end
        lease.end(Preparation.State.FAILED, trouble=sentence[:500], trouble_field=field[:20])
    log.warning("preparation_failed", preparation=found.pk, kind=found.kind)


def _try_again(found: Preparation, lease: PreparationLease, said: str, *, most: int) -> bool:
    """A few times with growing pauses, each from where it stopped; then people are told, since trying for ever tells nobody.

    True where that was the last time.
    """
    tries = Preparation.objects.values_list("tries", flat=True).get(pk=found.pk) + 1
    if tries >= most:
        way_out = (
            f"What was done is kept. The log tells the reason (preparation {found.pk}): "
            "have it mended, then go on where it stopped."
        )
        _fail(found, lease, f"{said.format(tries=tries)} {way_out}", field="")
        return True
    with suppress(LeaseLost):  # whoever has it now counts for themselves
        lease.rest(min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE), tries=tries)
    return False
