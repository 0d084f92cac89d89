"""What a dispatching process does, whoever woke it: send what is due, wait for what is about to be, fold receipts, tidy up.

Called by `sms.worker.tasks` (django-q2) and `manage.py dispatch`. Every function may run anywhere, any number of times, at the same time:
the ledger's leases decide who sends what. Duties only keep processes from doing idle work twice.
"""

import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import structlog
from django.db import InterfaceError, OperationalError, connections
from django.db.models.functions import Now

from sms import callbacks, dispatch, reports
from sms.catalogue import domains
from sms.compliance import erasure, retention
from sms.compliance.archive import ArchiveError
from sms.compose import background
from sms.compose.approval import endings as approvals
from sms.compose.approval import mail as approval_mail
from sms.inbound import optouts, receipts
from sms.ledger import states
from sms.models import Duty, IdempotentAnswer, ReceiptInbox
from sms.reports import facts
from sms.worker import child_process
from sms.worker.heartbeat import HOST, Pulse

log = structlog.get_logger(__name__)

LOOK_AHEAD = 95.0  # seconds: a minute between ticks, 30 s for the scheduler's own loop, and some
ROUND = 20.0  # seconds of sending after which a round ends and lets others have the worker
SEATS = 2  # of a cluster's three workers: the third is always free for receipts
SEAT_LEASE = 15.0  # seconds after which the seat of a killed process is free again
FOLD_AT_MOST = 60.0
ERASING = 120.0  # seconds that one place of an erasure may take
SILENCE_EVERY = 900.0  # seconds between looks for messages that were never heard of again
DOMAINS_LEASE = 50.0  # seconds that one go of domain checks has for itself
IDLE = 0.5
Stopped = Callable[[], bool]


def owner_name() -> str:
    """A name for one round of one process."""
    return f"{os.getpid()}-{secrets.token_hex(8)}"


@contextmanager
def seat() -> Iterator[Callable[[], None] | None]:
    """One of this host's SEATS while it is held, as a function that keeps it; None where all are taken."""
    owner, renewed = owner_name(), time.monotonic()
    host = HOST[:18]
    taken = next(
        (
            name
            for name in (f"seat-{number}-{host}" for number in range(SEATS))
            if Duty.take(name, owner=owner, seconds=SEAT_LEASE)
        ),
        None,
    )
    if taken is None:
        yield None
        return

    def keep() -> None:
        nonlocal renewed
        if time.monotonic() - renewed > SEAT_LEASE / 4:
            renewed = time.monotonic()
            Duty.take(taken, owner=owner, seconds=SEAT_LEASE)

    try:
        yield keep
    finally:
        Duty.drop(taken, owner=owner)


def send(*, public_url: str, pulse: Pulse, stopped: Stopped, seconds: float = ROUND) -> int:
    """Dispatch what is due now for up to `seconds`; returns how many messages were posted."""
    pulse.beat("sending")
    report = dispatch.run(public_url=public_url, seconds=seconds, stopped=pulse.through(stopped))
    pulse.progress += report.posted
    return report.posted


def wait_and_send(*, public_url: str, pulse: Pulse, stopped: Stopped, look_ahead: float = LOOK_AHEAD) -> None:
    """Wait for what becomes due within `look_ahead` seconds and send it at its second. Ends when nothing is near.

    One process waits at a time: the newest relieves the one before, so that what is looked ahead to never has a gap.
    """
    owner = owner_name()
    Duty.relieve("look-ahead", owner=owner, seconds=look_ahead)
    until = time.monotonic() + look_ahead
    looked = time.monotonic()
    pulse.beat("waiting")
    while not stopped():
        pause = dispatch.due_within(max(until - time.monotonic(), 0.0))
        if pause is None:
            break
        if time.monotonic() - looked > 2.0:
            looked = time.monotonic()
            if not Duty.is_of("look-ahead", owner):
                break
        pulse.beat("waiting")
        if pause > 0:
            time.sleep(min(pause, IDLE))
            continue
        posted = send(public_url=public_url, pulse=pulse, stopped=stopped)
        if time.monotonic() >= until:
            break
        if not posted:  # held back by a rate or a refusal: due, and yet nothing to do
            time.sleep(IDLE)


def fold(*, linger: float, pulse: Pulse, stopped: Stopped) -> bool:
    """Apply receipts until none came for `linger` seconds, a minute at most. True where some may be left.

    With a linger longer than wake-ups are apart none is left lying: whoever came too late for the loop finds the duty taken and
    goes, and for those we look once more when it is dropped.
    """
    owner = owner_name()
    if not Duty.take("fold", owner=owner, seconds=10):
        return False
    pulse.beat("folding")
    each(receipts.sweep, optouts.sweep)
    quiet_since = renewed = time.monotonic()
    give_back = quiet_since + FOLD_AT_MOST
    while time.monotonic() - quiet_since < linger and time.monotonic() < give_back and not stopped():
        pulse.beat()
        if time.monotonic() - renewed > 2.0:
            renewed = time.monotonic()
            Duty.take("fold", owner=owner, seconds=10)
        if receipts.fold():
            quiet_since = time.monotonic()
        else:
            time.sleep(0.2)
    facts.fold()
    dispatch.watch()  # what came in may let a send go on, or hold it
    Duty.drop("fold", owner=owner)
    return not stopped() and bool(receipts.fold())


def due_in(at_most: float) -> float:
    """Seconds until something is due, `at_most` where nothing is before that."""
    pause = dispatch.due_within(at_most)
    return at_most if pause is None else pause


def receipts_wait(seconds: float) -> bool:
    """Whether a new receipt has been waiting for that long: its wake-up was lost."""
    since = Now() - timedelta(seconds=seconds)
    return ReceiptInbox.objects.filter(why=ReceiptInbox.Why.NEW, next_at__lt=since).exists()


def fold_some() -> int:
    """Apply what waits, for a loop that comes again; returns how many receipts were looked at."""
    return receipts.fold()


def bring_in() -> int:
    """Receipts and texts that were spooled while the database was away; returns how many. People wait for them."""
    return receipts.sweep() + optouts.sweep()


def tell(*, policy: callbacks.AddressPolicy, stopped: Stopped, seconds: float = ROUND) -> int:
    """Deliver callbacks that are due for up to `seconds`; returns how many were tried. Hosts share endpoints by leases."""
    if not callbacks.anything_due():
        return 0
    return callbacks.run(policy=policy, seconds=seconds, stopped=stopped).tried


def tidy() -> None:
    """Small chores, once a minute or so: what concerns sends that nobody is working on right now."""
    each(
        *(receipts.sweep, optouts.sweep, states.squash, dispatch.sweep, dispatch.watch),
        *(
            approvals.expire_due,
            callbacks.forget,
            IdempotentAnswer.forget,
            _note_silence,
            _check_domains,
            facts.fold,
        ),
        background.delete_unused_versions,
    )


def tell_people(*, public_url: str) -> int:
    """Mails about approval that are due; returns how many left."""
    return approval_mail.send_due(public_url=public_url)


def report(*, public_url: str) -> None:
    """Mails that are due, about approvals and of reports, and files that are old."""
    each(
        lambda: approval_mail.send_due(public_url=public_url),
        lambda: reports.send_due(public_url=public_url),
        reports.forget,
    )


def make_reports(*, stopped: Stopped) -> int:
    """Files of long reports; returns how many."""
    return reports.make_files(owner=owner_name(), stopped=stopped)


def report_until(stopped: Stopped, *, manage: Path) -> None:
    """Have long reports written until the end: a million lines take longer than django-q2 lets a worker work."""
    child_process.keep(
        stopped, command=(sys.executable, str(manage), "report_files"), waits=reports.files_wait
    )


def retain(*, stopped: Stopped) -> int:
    """Remove what services keep no longer, where the time of one has come; returns how many services are through."""
    return retention.turn(owner=owner_name(), stopped=stopped)


def erase(*, folder: Path) -> int:
    """Erasures that were asked for or had to wait, by one process at a time; returns how many are done. `folder`: this host's state."""
    waiting, owner = erasure.waiting(), owner_name()
    if not waiting or not Duty.take("erasure", owner=owner, seconds=ERASING):
        return 0

    def rest() -> None:
        Duty.take("erasure", owner=owner, seconds=ERASING)

    done = 0
    try:
        for one in waiting:
            try:
                done += erasure.perform(one, folder=folder, rest=rest)
            except ArchiveError as problem:
                log.error("erasure_waits", erasure=one.pk, error=str(problem)[:300])
    finally:
        Duty.drop("erasure", owner=owner)
    return done


def prepare_until(stopped: Stopped, *, manage: Path) -> None:
    """Have large audiences prepared until the end. `manage` is the command line of the desk."""
    child_process.keep(stopped, command=(sys.executable, str(manage), "prepare_audiences"))


def _note_silence() -> None:
    if Duty.take("silence", owner=secrets.token_hex(8), seconds=SILENCE_EVERY):
        receipts.note_silence()


def _check_domains() -> None:
    """On a thread: name servers may take their time, and what is due must not wait for them."""
    if not domains.anything_due() or not Duty.take(
        "domains", owner=secrets.token_hex(8), seconds=DOMAINS_LEASE
    ):
        return

    def look() -> None:
        try:
            each(domains.check_due)
        except (OperationalError, InterfaceError) as problem:
            log.warning(
                "domains_not_checked", error=repr(problem)[:300]
            )  # a minute later somebody looks again
        finally:
            connections.close_all()

    threading.Thread(target=look, name="domains", daemon=True).start()


def each(*chores: Callable[[], object]) -> None:
    """One after the other; what goes wrong in one is told and stops no other, unless it is the database that is away."""
    for chore in chores:
        try:
            chore()
        except (OperationalError, InterfaceError):
            raise
        except Exception as problem:
            log.exception(
                "chore_broke_off", chore=getattr(chore, "__qualname__", str(chore)), error=repr(problem)[:300]
            )
