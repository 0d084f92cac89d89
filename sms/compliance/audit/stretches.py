"""Verifying a long chain with several processes: each walks a stretch, from a seal to the next stretch's first.

A stretch begins with the hash that the database holds for the seal before it, and the stretch before ends by proving just that hash.
So together they prove what one walk from the beginning proves, and the first broken row of the first broken stretch is the first of all.
Called by `manage.py verify_audit`; the page's button verifies by itself, a few seconds at a time.
"""

import functools
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

import django
from django.db import connection

from sms.compliance.audit.checkpoint import Checkpoint
from sms.compliance.audit.seal import head_of, seal_what_can_be_read
from sms.compliance.audit.verdict import ChainVerdict
from sms.compliance.audit.verify import compare, first_copy, verify
from sms.compliance.audit.walk import walked
from sms.models import AuditSeal
from sms.models.audit_proof import START
from sms.models.sql import audit_guard

LONG = 200_000  # rows of a chain that is worth a process, which takes a second to begin
Stretch = tuple[str, tuple[int, str], int]  # service, the seal before it (number and hash), its last number
Mapped = Callable[[Callable[[Stretch], ChainVerdict], Sequence[Stretch]], Iterable[ChainVerdict]]


def verify_long(service_slug: str, *, checkpoints: Iterable[Checkpoint] = (), processes: int) -> ChainVerdict:
    """As `verify`, by up to `processes` where the chain is long. Not inside a transaction: others do not see it."""
    seal_what_can_be_read()
    parts = min(processes, head_of(service_slug).number // LONG)
    if parts < 2:
        return verify(service_slug, checkpoints=checkpoints)
    with _processes(parts) as mapped:
        return in_stretches(service_slug, checkpoints=checkpoints, parts=parts, mapped=mapped)


def in_stretches(
    service_slug: str, *, checkpoints: Iterable[Checkpoint], parts: int, mapped: Mapped
) -> ChainVerdict:
    """The chain in so many parts, walked by `mapped`, which is `map` or that of a pool."""
    started = time.monotonic()
    verdict = ChainVerdict(service_slug)
    walks = mapped(_walk, _cut(service_slug, parts))
    copy = first_copy(service_slug)
    for part in walks:
        verdict.rows += part.rows
        verdict.left += part.left
        verdict.number, verdict.hash, verdict.broken = part.number, part.hash, part.broken
        if part.broken:
            break
    verdict.broken = verdict.broken or copy
    compare(verdict, checkpoints)
    verdict.guarded = audit_guard.installed()
    verdict.seconds = time.monotonic() - started
    return verdict


def _cut(service_slug: str, parts: int) -> list[Stretch]:
    """Stretches of about the same length. Where a seal to cut at is missing the stretch goes on, and will find that out."""
    last = head_of(service_slug).number
    ends = [last * part // parts for part in range(1, parts)]
    seals = AuditSeal.objects.filter(service_slug=service_slug, number__in=ends).order_by("number")
    cuts = [(0, START), *seals.values_list("number", "hash")]
    lasts = [number for number, _ in cuts[1:]] + [last]
    return [(service_slug, cut, end) for cut, end in zip(cuts, lasts, strict=True) if end > cut[0]]


def _walk(stretch: Stretch) -> ChainVerdict:
    service_slug, after, until = stretch
    return walked(service_slug, after=after, until=until)


@contextmanager
def _processes(count: int) -> Iterator[Mapped]:
    """Begun afresh and not forked, since a forked one would share our connection."""
    begun = multiprocessing.get_context("spawn")
    walk = functools.partial(_walk_on, dict(connection.settings_dict))
    with ProcessPoolExecutor(count, mp_context=begun, initializer=django.setup) as pool:
        yield lambda _, stretches: pool.map(walk, stretches)


def _walk_on(database: Mapping[str, Any], stretch: Stretch) -> ChainVerdict:
    connection.settings_dict.update(database)  # that of a test is not the one of the settings
    return _walk(stretch)
