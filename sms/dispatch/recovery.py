"""Recovery: what a run that broke off, or a process that died on this host, had leased goes on at once.

What is known of it: answers that were heard are recorded, what was begun and has none is unconfirmed, and what was armed and never begun is
pending again. Without proof of the death (another host, another boot) leases run out, as `claim` has it.
"""

import os
import time
from collections.abc import Collection
from pathlib import Path

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, transaction

from sms.dispatch import record, stored_answers
from sms.dispatch.claim import hand_back
from sms.dispatch.journal import Journal, journals, of_the_dead
from sms.dispatch.post import PostOutcome
from sms.ledger.counters import CounterDeltas
from sms.models.sql.session import database_now

log = structlog.get_logger(__name__)

AT_ONCE = 200  # answers recorded by one transaction
RETRIES = (0.0, 0.5, 1.0, 2.0, 4.0)  # seconds before each try


def recover() -> int:
    """Everything of this host; returns how many slices are free again. Raises where the database is away."""
    return recover_own() + recover_dead()


def recover_own() -> int:
    """Of runs of this process that broke off: all that they posted has its answer, or is known to have none."""
    if not journals.unfinished():
        return 0
    freed = 0
    with journals.taken_up() as found:
        for one in found:
            freed += recover_run(one)
    return freed


def recover_run(one: Journal) -> int:
    """Of one whose posters have ended."""
    _record(one.owed)
    one.owed = []
    freed = _take_over(one.owner, one.folder, begun=one.begun())
    one.finish()
    return freed


def recover_soon(one: Journal) -> None:
    """As `recover_run`, for as long as a short trouble of the database lasts; meanwhile its answers are on the disk."""
    for pause in RETRIES:
        time.sleep(pause)
        try:
            recover_run(one)
            return
        except (DatabaseError, InterfaceError) as problem:
            log.warning("hand_back_again", error=type(problem).__name__)
            close_old_connections()
            if one.owed:
                one.keep([])


def recover_dead() -> int:
    """Of processes that are proved to be dead."""
    folder, freed = journals.folder, 0
    if folder is None or not folder.is_dir():
        return 0
    for path in sorted(folder.glob("*.begun")):
        with of_the_dead(path) as begun:
            if begun is not None:
                freed += _take_over(path.stem, folder, begun=begun)
    for path in sorted(folder.glob("*.answers")):
        if not path.with_suffix(".begun").exists():  # of a process of an earlier boot, or without a journal
            _record_stored(path)
    return freed


def _take_over(owner: str, folder: Path | None, *, begun: Collection[int] | None) -> int:
    if folder is not None:
        _record_stored(folder / f"{owner}.answers")
    return hand_back(owner, begun=begun)


def _record_stored(path: Path) -> None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    answers = stored_answers.read(content)
    _record(answers)
    path.unlink(missing_ok=True)
    log.info("stored_answers_recorded", outcomes=len(answers), pid=os.getpid())


def _record(answers: list[PostOutcome]) -> None:
    for start in range(0, len(answers), AT_ONCE):
        with transaction.atomic():
            deltas = CounterDeltas()
            record.record(answers[start : start + AT_ONCE], at=database_now(), deltas=deltas)
            deltas.write()
