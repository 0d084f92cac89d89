"""Folding: the deltas of many transactions summed into the tables that reports read, now and then, by one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import Error
from django.db.models import Exists, OuterRef

from sms.models import Duty, FactDelta, FactFold, Send
from sms.models.sql.clock import corrected_now
from sms.models.sql.facts.dialect import snapshot
from sms.models.sql.facts.local_hours import local_hour
from sms.models.sql.facts.profiles import name_sends
from sms.models.sql.facts.projections import delete_zeros, projections
from sms.models.sql.trouble import is_away, may_work_again

log = structlog.get_logger(__name__)

AT_ONCE = 50_000  # deltas of one transaction
DUTY = "facts"


@contextmanager
def only_folder() -> Iterator[bool]:
    """Whether no other process folds; a courtesy, since of two at once one would break off and change nothing.

    The lease is renewed by a thread, as a statement of a rebuild may take longer; where the process is killed, it runs out.
    """
    duty = Duty.hold(DUTY)
    if duty is None:
        yield False
        return
    with duty, duty.kept():
        yield True


def fold(*, at_once: int = AT_ONCE) -> int:
    """Fold all deltas there are; returns how many. Harmless at any time."""
    done = 0
    if not FactDelta.objects.exists():
        return done
    with only_folder() as mine:
        while mine:
            try:
                some = fold_some(at_once)
            except Error as problem:
                if is_away(problem) or not may_work_again(problem):
                    raise
                log.info("facts_folded_by_another")
                break
            done += some
            if some < at_once:
                break
    return done


def fold_some(at_once: int) -> int:
    """Fold the oldest deltas in a transaction of their own."""
    with snapshot():
        ids = FactDelta.objects.order_by("pk").values_list("pk", flat=True)
        last = ids[at_once - 1 : at_once].first() or ids.last()
        if last is None:
            return 0
        folded = _without_simulated(last)
        source = f"(SELECT * FROM {FactDelta._meta.db_table} WHERE id <= {last})"  # noqa: S608 - our own table
        name_sends(source)
        hour = local_hour(source)
        for projection in projections(hour):
            projection.add(source)
        delete_zeros(source, hour)
        folded += FactDelta.objects.filter(pk__lte=last).delete()[0]
        FactFold.objects.update_or_create(pk=1, defaults={"folded_at": corrected_now()})
    return folded


def _without_simulated(last: int) -> int:
    """Sends with test keys are in no report, so their deltas go unread; returns how many went."""
    simulated = Send.objects.filter(pk=OuterRef("send_id"), simulated=True)
    return FactDelta.objects.filter(Exists(simulated), pk__lte=last).delete()[0]
