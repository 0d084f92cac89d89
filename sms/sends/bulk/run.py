"""A bulk act from its choice to its end: kept when it is chosen, so that a page can be loaded again; carried out once, whoever presses
how often; and gone on with where a process died in the middle."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop

from sms.models import Actor, BulkAct, Service
from sms.sends.bulk.kinds import KINDS
from sms.sends.bulk.row import RowOutlook

MOST = 100  # things of one act
DEAD_AFTER = timedelta(minutes=2)  # without a further row
GONE = gettext_noop("It is not there any more.")


def choose(
    service: Service, kind: str, things: Sequence[int], *, user: Any, given: str, more: bool, now: datetime
) -> BulkAct:
    """Keep what was chosen; `more` where further things fitted than one act takes. Deletes what the person chose long ago."""
    BulkAct.objects.filter(user=user, made_at__lt=now - timedelta(days=BulkAct.KEPT)).delete()
    kept = {"kind": kind, "things": list(things)[:MOST], "given": given, "more": more, "made_at": now}
    return BulkAct.objects.create(service=service, user=user, **kept)


def outlook(act: BulkAct) -> list[RowOutlook]:
    """What it would do to each thing as it is now, in the order in which they were listed."""
    kind = KINDS[act.kind]
    found = {one.pk: one for one in kind.rows(act.service).filter(pk__in=act.things)}
    would = {one.pk: one for one in kind.would([found[pk] for pk in act.things if pk in found], act.given)}
    gone = {pk: RowOutlook(pk, f"{kind.noun.capitalize()} {pk}", does=False, says=GONE) for pk in act.things}
    return [would.get(pk, gone[pk]) for pk in act.things]


def claim(act: BulkAct, *, now: datetime) -> bool:
    """Whether the caller carries it out: nobody else does, and it is not done."""
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - DEAD_AFTER)
    return bool(BulkAct.objects.filter(free, pk=act.pk, done_at=None).update(claimed_at=now))


def perform(act: BulkAct, *, by: Actor, clock: Any) -> None:
    """Each row in a transaction of its own; those that have a result already are left. Call it after `claim`; `clock` gives the time."""
    kind = KINDS[act.kind]
    assert kind.does is not None, "what is answered with a file is not carried out"
    act.refresh_from_db()
    done = {result[0] for result in act.results}
    for row in outlook(act):
        if row.pk in done:
            continue
        with transaction.atomic():
            was, says = kind.does(row.thing, act.given, by=by) if row.does else (False, row.says)
            act.results = [*act.results, [row.pk, was, says, row.name]]
            BulkAct.objects.filter(pk=act.pk).update(results=act.results, claimed_at=clock())
    BulkAct.objects.filter(pk=act.pk, done_at=None).update(done_at=clock())
    act.refresh_from_db()


def outcome(act: BulkAct) -> list[RowOutlook]:
    """What became of each, as far as it was carried out."""
    return [RowOutlook(pk, name, was, says) for pk, was, says, name in act.results]


def taken(act: BulkAct, rows: Sequence[RowOutlook], *, now: datetime) -> None:
    """Its file was taken; it can be taken again."""
    results = [[one.pk, one.does, one.says, one.name] for one in rows]
    BulkAct.objects.filter(pk=act.pk).update(results=results, claimed_at=now, done_at=now)
