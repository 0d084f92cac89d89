"""A run of a service's retention, in small transactions with rests between them, and the dry run that says what it would do.

A run that broke off is continued: what was done stays done, and each stage finds what is left by itself. It holds locks for one batch
at a time, and between batches rests three times as long as it worked.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.db.models.functions import Now
from django.utils import timezone

from sms.compliance import archive
from sms.compliance.retention import due, messages, other_rows
from sms.models import (
    Actor,
    Archive,
    Message,
    RetentionClock,
    RetentionRun,
    SendKeeping,
    Service,
)
from sms.models.audit import audit
from sms.models.retention import EVERY

log = structlog.get_logger(__name__)

DUTY, HELD = "retention", 60.0
FILE_BLOCKS = 50  # of an archive file
RESTS = 3.0  # times as long as it worked
LONGEST_REST = 2.0
BY = Actor.system()


@dataclass(slots=True)
class RestRate:
    """Rests as long as work asks for, keeps the duty, and knows when to end. Called between transactions."""

    stopped: Callable[[], bool] = lambda: False
    renew: Callable[[], bool] = lambda: True  # the lease; False where it was lost
    rests: float = RESTS
    _since: float = field(default_factory=time.monotonic)
    lost: bool = False

    def __call__(self) -> bool:
        """Whether to come to an end."""
        worked = time.monotonic() - self._since
        until = time.monotonic() + min(worked * self.rests, LONGEST_REST)
        while not self.stopped() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))
        self.lost = not self.renew()
        self._since = time.monotonic()
        return self.lost or self.stopped()


def days_set(service: Service) -> bool:
    return any(getattr(service, days) is not None for _, days in due.STAGES.values())


def run(service: Service, *, now: datetime, rest: Callable[[], bool], by: Actor = BY) -> RetentionRun | None:
    """Remove what is due; None where `rest` ended it before it was through, which the next run goes on with."""
    began, _ = RetentionRun.objects.get_or_create(
        service=service, ended_at=None, defaults={"started_at": now}
    )
    counts: Counter[str] = Counter(began.counts)

    def add(kind: str, count: int) -> None:
        if count:
            counts[kind] += count
            RetentionRun.objects.filter(pk=began.pk).update(counts=dict(counts))

    add("archive", archive.resume(service, rest=rest))
    whole = (
        all(_stage(service, stage, now=now, rest=rest, add=add) for stage in messages.ACTS)
        and _other_rows(service, now=now, rest=rest, add=add)
        and _archive(service, now=now, rest=rest, add=add)
        and _archives(service, now=now, rest=rest, add=add)
    )
    if not whole:
        return None
    began.counts, began.ended_at = dict(counts), now
    began.save()
    if counts:
        audit("retention.ran", service, by=by, **dict[str, Any](sorted(counts.items())))
    kept = RetentionRun.objects.filter(service=service).values_list("pk", flat=True)[: RetentionRun.KEPT]
    RetentionRun.objects.filter(service=service).exclude(pk__in=list(kept)).delete()
    return began


Add = Callable[[str, int], None]


def _stage(service: Service, stage: str, *, now: datetime, rest: Callable[[], bool], add: Add) -> bool:
    for part in messages.parts(due.ready(service, stage, now=now)):
        for done in messages.work(service, stage, part, now=now):
            add(stage, done)
            if rest():
                return False
    return True


def _other_rows(service: Service, *, now: datetime, rest: Callable[[], bool], add: Add) -> bool:
    for kind, some in other_rows.PLACES.items():
        while done := some(service, now):
            add(kind, done)
            if rest():
                return False
    for some in other_rows.UNCOUNTED:
        while some(service, now):
            if rest():
                return False
    return True


def _archive(service: Service, *, now: datetime, rest: Callable[[], bool], add: Add) -> bool:
    """Messages into files, `FILE_BLOCKS` blocks in each."""
    size = archive.block_size()
    blocks: list[list[int]] = []
    until = None
    for one in due.ready(service, "archive", now=now):
        ids = list(Message.objects.filter(send_id=one.send_id).order_by("pk").values_list("pk", flat=True))
        if not ids:  # its messages left before, or it never had any
            SendKeeping.objects.update_or_create(pk=one.send_id, defaults={"archived_at": now})
            continue
        until = max(until or one.ended_at, one.ended_at)
        if blocks and len(blocks[-1]) + len(ids) <= size:
            blocks[-1] += ids
        else:
            blocks += [ids[start : start + size] for start in range(0, len(ids), size)]
        while len(blocks) > FILE_BLOCKS:
            if not _file(service, blocks[:FILE_BLOCKS], until, now=now, rest=rest, add=add):
                return False
            del blocks[:FILE_BLOCKS]
    return not blocks or until is None or _file(service, blocks, until, now=now, rest=rest, add=add)


def _file(
    service: Service,
    blocks: list[list[int]],
    posted_until: datetime,
    *,
    now: datetime,
    rest: Callable[[], bool],
    add: Add,
) -> bool:
    gone = _gone(service, posted_until, now=now)
    ordered = [sorted(ids) for ids in blocks]
    made = archive.make(service, ordered, posted_until=posted_until, gone=gone, rest=rest)
    if made is None:
        return False
    add("archive", archive.move(made, rest=rest))
    return not rest()


def _gone(service: Service, posted_until: datetime, *, now: datetime) -> archive.StripRule:
    def over(stage: str) -> datetime | None:
        until = due.before(service, stage, now=now)
        return now if until is not None and posted_until < until else None

    return archive.StripRule(bodies=over("bodies"), numbers=over("numbers"), receipts=over("receipts"))


def _archives(service: Service, *, now: datetime, rest: Callable[[], bool], add: Add) -> bool:
    """Archives whose days are over too: written again without what has to go."""
    for one in late_archives(service, now=now):
        gone = _gone(service, one.posted_until or one.made_at, now=now)
        columns = {
            f"{name}_gone_at": getattr(one, f"{name}_gone_at") or getattr(gone, name)
            for name in ("bodies", "numbers", "receipts")
        }
        archive.rewrite(one, partial(archive.strip, gone=gone, key=service.number_key), **columns)
        add("archives", 1)
        if rest():
            return False
    return True


def late_archives(service: Service, *, now: datetime) -> list[Archive]:
    """Archives that hold more than they may by now; not those with a send that is held."""
    held = list(
        SendKeeping.objects.filter(send__service=service, held_at__isnull=False).values_list("pk", flat=True)
    )
    found = []
    for one in Archive.objects.filter(service=service).exclude(name="").order_by("pk"):
        gone = _gone(service, one.posted_until or one.made_at, now=now)
        late = any(
            getattr(gone, name) and not getattr(one, f"{name}_gone_at")
            for name in ("bodies", "numbers", "receipts")
        )
        if late and not any(
            one.blocks.filter(first_send__lte=send, last_send__gte=send).exists() for send in held
        ):
            found.append(one)
    return found


# --- when ---------------------------------------------------------------------------------------------------------------


def run_due(*, stopped: Callable[[], bool], renew: Callable[[], bool] = lambda: True) -> int:
    """Run whatever service's time has come; returns how many ran to their end. `renew`s the caller's lease on DUTY."""
    done = 0
    for service in due_services():
        rest = RestRate(stopped=stopped, renew=renew)
        if run(service, now=timezone.now(), rest=rest) is None:
            break
        RetentionClock.objects.update_or_create(pk=service.pk, defaults={"next_at": Now() + EVERY})
        done += 1
    return done


def due_services() -> list[Service]:
    rows = Service.objects.exclude(retention_clock__next_at__gt=Now()).order_by("pk")
    return [service for service in rows if days_set(service)]


def put_off(service: Service, *, by: timedelta = EVERY) -> None:
    """Not before so long: after days were changed, so that there is time to change them back."""
    RetentionClock.objects.update_or_create(pk=service.pk, defaults={"next_at": Now() + by})
