"""What does not work at present. Each fault has a short word, which metrics, /readyz, mails and docs/operators/faults.md share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Count, Min
from django_q.brokers import get_broker

from sms import dispatch
from sms.compliance import audit, retention
from sms.models import Heartbeat, OperationalFault, ReceiptInbox, RestoredCopy, Service
from sms.models.sql.clock import REFUSED
from sms.models.sql.session import database_now
from sms.operations.processes import SILENT, Process, hosts, processes, provider_troubles

TWO_DAYS = 2 * 86_400.0  # seconds
SPOOLED = 25.0  # seconds of files that nobody brings in, of which a host hears with its next look at its disk
LATE = 45.0  # seconds that something must have been due, or have waited: what is late is told at the next look, so within a minute

AWAY = "database_away"
READ_ONLY = "database_read_only"
LOCKED = "database_locked"
NOT_DISPATCHED = "not_dispatched"
RECEIPTS_WAIT = "receipts_wait"
PROVIDER = "provider_away"
SILENT_PROCESS = "process_silent"
VAR_DIR = "var_dir_not_writable"
SPOOL_KEPT = "spool_kept"
EPOCH = "epoch_not_kept"
CLOCK = "clock_skew"
AUDIT = "audit_broken"
RESTORED = "restored_copy"
QUEUE = "redis_away"
NOT_TOLD = "operators_not_told"
DISK = "disk_nearly_full"
SPOOL_WAITS = "spool_waits"
JOB = "job_breaks_off"
DAMAGED = "storage_damaged"
PLACES = "audit_places_fail"
RETENTION = "retention_late"

SAYS = {
    AWAY: "The database does not answer.",
    READ_ONLY: "The database is read-only: it may be a standby.",
    LOCKED: "A table that sends need is locked by another session.",
    VAR_DIR: "VAR_DIR cannot be written: receipts have no spool if the database goes away.",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """`where` is a host, a process, a service, or empty; `age`: seconds for which it is known to have lasted when it is found."""

    word: str
    where: str
    says: str
    age: float = 0.0


def find(found: Sequence[Process] | None = None) -> list[Fault]:
    """All but those of the database itself. A few small queries."""
    found = processes() if found is None else found
    return [
        *_restored(),
        *_dispatch(),
        *_receipts(),
        *_provider(found),
        *_processes(found),
        *_hosts(found),
        *_epochs(found),
        *_jobs(found),
        *_storage(found),
        *_audit(),
        *_retention(),
        *_queue(),
        *_not_told(),
    ]


def not_dispatched() -> str:
    """Why nothing is sent, where that is so for longer than LATE; otherwise empty."""
    silence = Heartbeat.dispatching()
    if (silence is not None and silence < LATE) or dispatch.due_within(-LATE) is None:
        return ""
    if silence is None:
        return "Messages are due, and no dispatcher has reported yet."
    return f"Messages are due, and no dispatcher has reported for {silence:.0f} s."


def restored() -> tuple[str, float]:
    """Whether this is a restored copy of the database that is not settled yet, with the seconds since that was found."""
    found = RestoredCopy.objects.filter(settled_at=None).aggregate(
        first=Min("found_at"), services=Count("pk")
    )
    if not found["services"]:
        return "", 0.0
    paused = f"{found['services']} service{'s are' if found['services'] > 1 else ' is'} paused"
    says = f"This is a restored copy of the database: {paused} until manage.py after_restore was run."
    return says, (database_now() - found["first"]).total_seconds()


def receipts_wait() -> tuple[str, float]:
    """The same for receipts, with the seconds that the oldest waits."""
    new = ReceiptInbox.objects.filter(why=ReceiptInbox.Why.NEW)
    oldest = new.aggregate(oldest=Min("next_at"))["oldest"]
    waited = (database_now() - oldest).total_seconds() if oldest else 0.0
    return (f"Receipts wait for {waited:.0f} s to be applied." if waited > LATE else ""), waited


def _restored() -> Iterator[Fault]:
    says, seconds = restored()
    if says:
        yield Fault(RESTORED, "", says, seconds)


def _dispatch() -> Iterator[Fault]:
    if says := not_dispatched():
        yield Fault(NOT_DISPATCHED, "", says, LATE)


def _receipts() -> Iterator[Fault]:
    says, waited = receipts_wait()
    if says:
        yield Fault(RECEIPTS_WAIT, "", says, waited)


def _provider(found: Sequence[Process]) -> Iterator[Fault]:
    troubles = provider_troubles(found)
    names = dict(Service.objects.filter(pk__in=troubles).values_list("pk", "slug"))
    for key, seconds in sorted(troubles.items()):
        if slug := names.get(key):
            yield Fault(PROVIDER, slug, f"Webex Connect takes nothing of {slug}; its messages wait.", seconds)


def _processes(found: Sequence[Process]) -> Iterator[Fault]:
    for one in found:
        where = f"{one.host} {one.kind} {one.pid}"
        if one.silent:
            yield Fault(
                SILENT_PROCESS,
                where,
                f"{one.label} on {one.host} (process {one.pid}) has not been heard for {one.age:.0f} s.",
                SILENT,
            )
    skews = {one.host: one.skew for one in found if one.fresh and abs(one.skew) > REFUSED}
    for host, skew in sorted(skews.items()):
        yield Fault(CLOCK, host, f"The clock of {host} differs from the database's by {skew:+.0f} s.")


def _hosts(found: Sequence[Process]) -> Iterator[Fault]:
    for one in hosts([process for process in found if process.fresh]):
        if not one.var_dir:
            yield Fault(VAR_DIR, one.name, f"{one.name}: {SAYS[VAR_DIR]}")
        if one.spool_kept:
            files = f"{one.spool_kept} spool file{'s' if one.spool_kept > 1 else ''}"
            yield Fault(
                SPOOL_KEPT, one.name, f"{one.name}: {files} could not be brought in and wait for a person."
            )
        if one.spool_for > SPOOLED:
            says = f"{one.name}: {one.spool_files} spool files have waited for {one.spool_for:.0f} s though the database answers."
            yield Fault(SPOOL_WAITS, one.name, says, one.spool_for)
        for disk in one.disks:
            if disk.nearly_full:
                left = f"{disk.free / 1024**3:.1f} of {disk.size / 1024**3:.1f} GiB are free"
                yield Fault(
                    DISK,
                    f"{one.name} {disk.folder}",
                    f"{one.name}: the disk of {disk.folder} is nearly full, {left}.",
                )


def _epochs(found: Sequence[Process]) -> Iterator[Fault]:
    says = {one.host: str(one.facts["epoch"]) for one in found if one.fresh and "epoch" in one.facts}
    for host, trouble in sorted(says.items()):
        yield Fault(EPOCH, host, f"{host}: {trouble}", LATE)


def _jobs(found: Sequence[Process]) -> Iterator[Fault]:
    broken = {
        name: (one.host, seconds)
        for one in found
        if one.fresh
        for name, seconds in one.facts.get("jobs", {}).items()
    }
    for name, (host, seconds) in sorted(broken.items()):
        yield Fault(
            JOB,
            name,
            f"The job “{name}” breaks off on {host}; it is tried again, and its work waits.",
            seconds,
        )


def _storage(found: Sequence[Process]) -> Iterator[Fault]:
    for host in sorted({one.host for one in found if one.fresh and one.facts.get("damage")}):
        says = (
            f"The database cannot read what it stores (seen by {host}): its disk fails, or a page is damaged."
        )
        yield Fault(DAMAGED, "", says, LATE)
        return


def _audit() -> Iterator[Fault]:
    if says := audit.sentence():
        yield Fault(AUDIT, "", says)
    if away := audit.undelivered():
        yield Fault(PLACES, "", " ".join(away))


def _retention() -> Iterator[Fault]:
    if (seconds := retention.lag()) > TWO_DAYS:
        yield Fault(
            RETENTION,
            "",
            f"Retention is {seconds / 86_400:.0f} days late: texts and numbers are kept longer than promised.",
            LATE,
        )


def _queue() -> Iterator[Fault]:
    """Where the queue is in the database there is nothing else to ask."""
    if not get_broker().ping():
        yield Fault(QUEUE, "", "Redis does not answer: clusters look for work every few seconds instead.")


def _not_told() -> Iterator[Fault]:
    """What is owed by a way that does not work. Of this fault itself nothing is owed by it."""
    owed = OperationalFault.objects.exclude(fault=NOT_TOLD).exclude(owed="").values_list("owed", flat=True)
    for way in sorted({way for ways in owed for way in ways.split()}):
        yield Fault(
            NOT_TOLD, way, f"Operators cannot be told by {way}; what they were to be told is tried again."
        )
