"""The table of jobs: what a running Textdesk does, how often, and for how long one process has a job to itself.

`sms.worker.loop` runs it: `manage.py dispatch` all of it, a thread for each `loop`; `manage.py qcluster` the same but for `sending` and
`chores`, which django-q2's tasks run (`sms.worker.tasks`). Every job may run anywhere, any number of times, at the same time; a
lease only saves work that two processes would do twice.
"""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from django.conf import settings

from sms import callbacks, dispatch, guard, notices, reports, simulator
from sms.callbacks import feed
from sms.catalogue import domains, key_expiry, tenant_probe
from sms.catalogue.caps import notices as cap_notices
from sms.compliance import audit, erasure, retention
from sms.compliance.archive import ArchiveError
from sms.compose import background
from sms.compose.approval import notices as approval_notices
from sms.compose.drafts import discard
from sms.inbound import optouts, receipts, refused
from sms.ledger import settled, wakeups
from sms.ledger.squash import squash
from sms.models import IdempotentAnswer, RefusedRequest
from sms.models.lease import LEASE
from sms.models.sql.session import database_now
from sms.operations import telling, totals
from sms.operations.delivery import FaultDelivery
from sms.reports import facts
from sms.sends import unapproved
from sms.sends.recurring import make as recurring
from sms.sends.replies import automatic
from sms.worker import expired, heartbeat
from sms.worker.heartbeat import Pulse
from sms.worker.tied import tied

log = structlog.get_logger(__name__)

IDLE = 0.5  # seconds between looks for work that people wait for
MINUTE, SELDOM = 60.0, 900.0  # seconds
HALF_A_MINUTE = 30.0
SIMULATING = 2.0  # seconds after which a simulated send lets its receipts come in
SENDING = 20.0  # seconds after which a worker that sends lets others have it
SIGNS = "signs of life"  # the loop that web servers run too
SEEN_OFF_WITHIN = 3.0  # seconds that a child process has for the block under way
Stopped = Callable[[], bool]


def _audit_folder() -> Path:
    return Path(settings.VAR_DIR) / "audit"


def _teller() -> telling.Teller:
    delivery = FaultDelivery(
        settings.PUBLIC_URL, tuple(settings.OPERATIONS_MAIL_TO), settings.OPERATIONS_WEBHOOK
    )
    return telling.Teller(delivery, Path(settings.VAR_DIR))


@dataclass(frozen=True, slots=True)
class JobContext:
    """What jobs need of the process that runs them."""

    stopped: Stopped
    pause: Callable[[float], None] = time.sleep
    pulse: Pulse | None = None  # where the process sends in a loop of its own
    kind: str = ""  # of the heartbeats of one that does not
    renew: Callable[[], bool] = lambda: True  # the lease of the job that runs; False where it was lost
    sealer: audit.ChainSealer = field(default_factory=lambda: audit.ChainSealer(_audit_folder()))
    teller: telling.Teller = field(default_factory=_teller)
    courier: audit.CheckpointCourier = field(
        default_factory=lambda: audit.CheckpointCourier(settings.AUDIT_CHECKPOINTS_TO)
    )


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the table. Jobs of one `loop` run one after the other.

    With a `lease` (seconds, renewed while it works) one process at a time does it, and where it comes more seldom than that, all of them
    together once in `every` seconds; `waits` is asked before, so that idle looks write nothing. `repeats`: again at once where it found
    something to do. What is `by_clock` deletes or ends things because their time is over, and rests while this host's clock is far from
    the database's (`host_clock`).
    """

    name: str
    every: float
    run: Callable[[JobContext], object]
    lease: float = 0.0
    loop: str = "chores"
    waits: Callable[[], bool] = lambda: True
    repeats: bool = False
    by_clock: bool = False

    @property
    def comes_seldom(self) -> bool:
        """Whether one that broke off is tried again so late that operators are told of the first time."""
        return self.every >= SELDOM


class ChildFailed(RuntimeError):
    """The process that does a job ended with an error, which it has logged."""


def send(pulse: Pulse, stopped: Stopped) -> int:
    """Dispatch what is due now for up to SENDING seconds; returns how many messages were posted."""
    pulse.beat("sending")
    report = dispatch.run(public_url=settings.PUBLIC_URL, seconds=SENDING, stopped=pulse.through(stopped))
    pulse.progress += report.posted
    return report.posted


def _send(context: JobContext) -> None:
    """What is due, at its instant; `every` would be too late for it."""
    pulse = context.pulse
    if pulse is None:
        raise TypeError("a loop that sends needs a pulse")
    try:
        pause = dispatch.due_within(IDLE)
        if pause == 0 and send(pulse, context.stopped):
            return
        pulse.beat("")
        context.pause(pause or IDLE)  # due and yet nothing posted: held back by a rate or a refusal
    finally:
        dispatch.epochs.after_posting(leaving=context.stopped())


def _beat(context: JobContext) -> None:
    if context.kind:
        heartbeat.of_this_process(context.kind).beat("")


def _simulate(context: JobContext) -> int:
    """Receipts that the simulator owes, and sends with test keys."""
    handed_over = simulator.hand_over()
    report = dispatch.run_simulated(
        public_url=settings.PUBLIC_URL, seconds=SIMULATING, stopped=context.stopped
    )
    return handed_over + report.posted


def _deliver_callbacks(context: JobContext) -> int:
    if not callbacks.anything_due():
        return 0
    policy = callbacks.AddressPolicy(**settings.CALLBACKS)
    return callbacks.run(policy=policy, stopped=context.stopped).tried


def _erase(context: JobContext) -> None:
    for one in erasure.waiting():
        try:
            erasure.perform(one, folder=settings.VAR_DIR, rest=context.renew)
        except ArchiveError as problem:
            log.error("erasure_waits", erasure=one.pk, error=str(problem)[:300])


def _in_a_process(command: str) -> Callable[[JobContext], None]:
    """By a command in a process of its own, which takes neither the interpreter from sending nor a worker from receipts."""

    def run(context: JobContext) -> None:
        child = subprocess.Popen(tied([*settings.COMMAND, command]))  # noqa: S603 - our own program
        while child.poll() is None:
            if context.stopped():
                _see_off(child)
                return
            context.pause(0.1)
        if child.returncode:
            raise ChildFailed(f"{command} ended with {child.returncode}")

    return run


def _see_off(child: "subprocess.Popen[bytes]") -> None:
    """What it leaves goes on in the next process."""
    child.terminate()
    try:
        child.wait(SEEN_OFF_WITHIN)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


JOBS: tuple[Job, ...] = (
    Job("sending", 0, _send, loop="sending"),
    # what people wait for, and small chores
    Job("epoch", HALF_A_MINUTE, lambda _: dispatch.epochs.keep()),
    Job("receipts", IDLE, lambda _: receipts.fold(), repeats=True),
    Job("counters", MINUTE, lambda _: squash()),
    Job("leases that ran out", MINUTE, lambda _: dispatch.sweep()),
    Job("settled sends", MINUTE, lambda _: settled.look_again(), lease=LEASE),
    Job("all settled sends", 3600, lambda _: settled.look_again(newest=None), lease=LEASE),
    Job("unconfirmed messages", MINUTE, lambda _: dispatch.end_unproven(), lease=LEASE, by_clock=True),
    Job("sends under way", MINUTE, lambda _: dispatch.watch()),
    Job("approvals that expire", MINUTE, lambda _: unapproved.expire_due(), by_clock=True),
    Job("old refused posts", MINUTE, lambda _: refused.forget(database_now()), repeats=True, by_clock=True),
    Job(
        "abandoned tenant probes",
        MINUTE,
        lambda _: tenant_probe.end_abandoned(now=database_now()),
        by_clock=True,
    ),
    Job("old callbacks", MINUTE, lambda _: callbacks.forget(), by_clock=True),
    Job("old events", MINUTE, lambda _: feed.forget(), repeats=True, by_clock=True),
    Job("old idempotent answers", MINUTE, lambda _: IdempotentAnswer.forget(), by_clock=True),
    Job("old refused requests", MINUTE, lambda _: RefusedRequest.forget(), by_clock=True),
    Job("old tries and sessions", MINUTE, lambda _: expired.forget(), by_clock=True),
    Job("silent messages", 900, lambda _: receipts.note_silence(), lease=LEASE, by_clock=True),
    Job("missing receipts", 900, lambda _: receipts.tell_missing(), lease=LEASE),
    Job("months of receipts", 6 * 3600, lambda _: receipts.keep_months(), lease=LEASE),
    Job("keys that expire", 3600, lambda _: key_expiry.tell_due(), lease=LEASE),
    Job("facts", MINUTE, lambda _: facts.fold()),
    Job("discarded drafts", 3600, lambda _: discard.forget(database_now()), lease=LEASE, by_clock=True),
    Job("old preparations", MINUTE, lambda _: background.delete_unused_versions(), by_clock=True),
    Job("notices of spend caps", MINUTE, lambda _: cap_notices.tell(), lease=LEASE),
    Job("old spend counters", MINUTE, lambda _: cap_notices.forget(), by_clock=True),
    Job("reminders to approve", MINUTE, lambda _: approval_notices.remind_due()),
    Job("waiting changes", MINUTE, lambda _: guard.take_effect_due()),
    Job("report mails", MINUTE, lambda _: reports.send_due(public_url=settings.PUBLIC_URL)),
    Job("notice mails", MINUTE, lambda _: notices.send_due(public_url=settings.PUBLIC_URL)),
    Job("old notices", MINUTE, lambda _: notices.forget(), repeats=True, by_clock=True),
    Job("old occurrences", 3600, lambda _: recurring.forget(), lease=LEASE, by_clock=True),
    Job("old report files", MINUTE, lambda _: reports.forget(), by_clock=True),
    Job("figures for metrics", MINUTE, lambda _: totals.work_out(), lease=LEASE),
    Job("stale wake-ups", MINUTE, lambda _: wakeups.discard_stale()),
    # in every process, web servers too
    Job("heartbeats", heartbeat.EVERY, _beat, loop=SIGNS),
    Job("faults", telling.EVERY, lambda context: context.teller.look(), loop=SIGNS),
    # beside all that, since it may take its time or cannot wait for it
    Job("spooled receipts", 3, lambda _: receipts.sweep(), loop="spools"),
    Job("what dispatchers left", 2, lambda _: dispatch.recover(), loop="spools"),
    Job("spooled messages", 3, lambda _: optouts.sweep(), loop="spools"),
    Job("answers of keywords", 1, lambda _: automatic.answer_due(), loop="spools", repeats=True),
    Job("callbacks", IDLE, _deliver_callbacks, loop="callbacks", repeats=True),
    Job("test mode", IDLE, _simulate, loop="test mode", repeats=True),
    Job("audit seals", audit.EVERY, lambda context: context.sealer.run(), loop="audit"),
    Job("audit checkpoints", audit.COURIER_EVERY, lambda context: context.courier.run(), loop="audit places"),
    Job(
        "audit check",
        audit.CHECK_EVERY,
        lambda _: audit.check_and_keep(
            audit.CheckpointFiles(_audit_folder()), places=settings.AUDIT_CHECKPOINTS_TO
        ),
        lease=LEASE,
        loop="audit check",
    ),
    Job(
        "link domains",
        MINUTE,
        lambda _: domains.check_due(),
        lease=LEASE,
        loop="domains",
        waits=domains.anything_due,
    ),
    Job(
        "certificate of our own address",
        6 * 3600,
        lambda _: domains.tell_of_own(settings.PUBLIC_URL),
        lease=LEASE,
        loop="domains",
    ),
    Job("erasures", 20, _erase, lease=LEASE, loop="retention", waits=lambda: bool(erasure.waiting())),
    Job(
        retention.DUTY,
        20,
        lambda context: retention.run_due(renew=context.renew, stopped=context.stopped),
        lease=LEASE,
        loop="retention",
        waits=lambda: bool(retention.due_services()),
        by_clock=True,
    ),
    # a large list is read before its send is made, which may take seconds
    Job(
        "recurring sends",
        20,
        lambda _: recurring.make_due(),
        lease=LEASE,
        loop="recurring sends",
        waits=recurring.anything_due,
    ),
    Job("audiences", IDLE, _in_a_process("prepare_audiences"), loop="audiences", waits=background.has_work),
    Job(
        "days of another time zone",
        MINUTE,
        _in_a_process("rebuild_facts"),
        lease=LEASE,
        loop="reports",
        waits=facts.zones_changed,
    ),
    Job("report files", IDLE, _in_a_process("report_files"), loop="reports", waits=reports.files_wait),
)


def loops(*, without: tuple[str, ...] = ()) -> dict[str, list[Job]]:
    found: dict[str, list[Job]] = {}
    for job in JOBS:
        if job.loop not in without:
            found.setdefault(job.loop, []).append(job)
    return found
