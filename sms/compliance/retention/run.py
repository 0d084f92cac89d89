"""A run of a service's retention, in small transactions with rests between them, and the dry run that says what it would do.

A run that broke off is continued: what was done stays done, and each stage finds what is left by itself. It holds locks for one batch
at a time, and between batches rests three times as long as it worked.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from django.db.models import Min
from django.db.models.functions import Coalesce, Now

from sms.compliance import archive
from sms.compliance.retention import due, messages, other_rows
from sms.models import Actor, Archive, Message, RetentionClock, RetentionRun, SendKeeping, Service
from sms.models.audit import audit
from sms.models.retention import EVERY
from sms.models.sql.session import database_now

log = structlog.get_logger(__name__)

DUTY = "retention"
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
    runs = RetentionRun.objects.filter(service=service)
    began, _ = runs.get_or_create(service=service, ended_at=None, defaults={"started_at": now})
    counts: Counter[str] = Counter(began.counts)
    over = False

    def ended() -> bool:
        nonlocal over
        over = over or rest()
        return over

    def add(kind: str, count: int) -> None:
        if count:
            counts[kind] += count
            RetentionRun.objects.filter(pk=began.pk).update(counts=dict(counts))

    add("archive", archive.resume(service, rest=ended))
    for kind, count in _steps(service, now=now, ended=ended):
        add(kind, count)
        if ended():
            return None
    began.counts, began.ended_at = dict(counts), now
    began.save()
    if counts:
        audit("retention.ran", service, by=by, **dict[str, Any](sorted(counts.items())))
    runs.exclude(pk__in=list(runs.values_list("pk", flat=True)[: RetentionRun.KEPT])).delete()
    return began


def _steps(service: Service, *, now: datetime, ended: Callable[[], bool]) -> Iterator[tuple[str, int]]:
    """A whole run, a transaction at a time: of which kind, and how many."""
    for stage in messages.ACTS:
        for part in messages.parts(due.ready(service, stage, now=now)):
            for done in messages.work(service, stage, part, now=now):
                yield stage, done
    yield from other_rows.work(service, now=now)
    for blocks, until in _files(service, now=now):
        gone = _gone(service, until, now=now)
        made = archive.make(service, blocks, posted_until=until, gone=gone, rest=ended)
        yield "archive", archive.move(made, rest=ended) if made is not None else 0
    for one in late_archives(service, now=now):
        gone = _gone(service, one.posted_until or one.made_at, now=now)
        archive.rewrite(one, partial(archive.strip, gone=gone, key=service.number_key), **gone.beyond(one))
        yield "archives", 1


def _files(service: Service, *, now: datetime) -> Iterator[tuple[list[list[int]], datetime]]:
    """Ids of messages by block, `FILE_BLOCKS` blocks for each file, and when the last of them was posted."""
    size = archive.block_size()
    blocks: list[list[int]] = []
    until: datetime | None = None
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
            yield [sorted(block) for block in blocks[:FILE_BLOCKS]], until
            del blocks[:FILE_BLOCKS]
    if blocks and until is not None:
        yield [sorted(block) for block in blocks], until


def _gone(service: Service, posted_until: datetime, *, now: datetime) -> archive.StripRule:
    def over(stage: str) -> datetime | None:
        until = due.before(service, stage, now=now)
        return now if until is not None and posted_until < until else None

    return archive.StripRule(bodies=over("bodies"), numbers=over("numbers"), receipts=over("receipts"))


def late_archives(service: Service, *, now: datetime) -> list[Archive]:
    """Archives that hold more than they may by now; not those with a send that is held."""
    kept = SendKeeping.objects.filter(send__service=service, held_at__isnull=False)
    held = list(kept.values_list("pk", flat=True))
    return [
        one
        for one in Archive.objects.filter(service=service).exclude(name="").order_by("pk")
        if _gone(service, one.posted_until or one.made_at, now=now).beyond(one)
        and not any(one.blocks.filter(first_send__lte=send, last_send__gte=send).exists() for send in held)
    ]


def run_due(*, stopped: Callable[[], bool], renew: Callable[[], bool] = lambda: True) -> int:
    """Run whatever service's time has come; returns how many ran to their end. `renew`s the caller's lease on DUTY."""
    done = 0
    for service in due_services():
        rest = RestRate(stopped=stopped, renew=renew)
        if run(service, now=database_now(), rest=rest) is None:
            break
        put_off(service)
        done += 1
    return done


def due_services() -> list[Service]:
    rows = Service.objects.exclude(retention_clock__next_at__gt=Now()).order_by("pk")
    return [service for service in rows if days_set(service)]


def lag() -> float:
    """Seconds for which the most overdue service waits; 0 where none does. One whose retention never came to its end has no clock."""
    overdue = Service.objects.filter(pk__in=[one.pk for one in due_services()])
    oldest = overdue.aggregate(oldest=Min(Coalesce("retention_clock__next_at", "created_at")))["oldest"]
    return max((database_now() - oldest).total_seconds(), 0.0) if oldest else 0.0


def put_off(service: Service) -> None:
    """Not before so long: after a run, and after days were changed, so that there is time to change them back."""
    RetentionClock.objects.update_or_create(pk=service.pk, defaults={"next_at": Now() + EVERY})


@dataclass(frozen=True, slots=True)
class RetentionForecast:
    """What the next run would do, as of now: `messages` by stage in so many `sends`, `archives` to be rewritten, everything else by kind.

    `open` and `held` are sends that are old enough and stay: something of them is unconfirmed or under way, or an admin holds them.
    """

    sends: dict[str, int]
    messages: dict[str, int]
    archives: int
    others: dict[str, int]
    open: int
    held: int


def forecast(service: Service, *, now: datetime) -> RetentionForecast:
    """The dry run: the same questions as a run asks, and nothing is changed."""
    sends, messages, kept = {}, {}, []
    for stage in due.STAGES:
        kept.append(due.KeptBack())
        found = list(due.ready(service, stage, now=now, kept=kept[-1]))
        sends[stage], messages[stage] = len(found), sum(one.recipients for one in found)
    return RetentionForecast(
        sends,
        messages,
        archives=len(late_archives(service, now=now)),
        others=other_rows.forecast(service, now=now),
        open=max(one.open for one in kept),
        held=max(one.held for one in kept),
    )
