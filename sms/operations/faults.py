"""What does not work at present. Each fault has a short word, which metrics, /readyz, mails and docs/operators/faults.md share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Count, Min
from django.utils.translation import gettext_noop, override
from django_q.brokers import get_broker

from sms import dispatch
from sms.compliance import audit, retention
from sms.models import Heartbeat, OperationalFault, ReceiptInbox, RestoredCopy, Service
from sms.models.sql.clock import REFUSED
from sms.models.sql.session import database_now
from sms.operations.processes import SILENT, Process, hosts, processes, provider_troubles
from sms.words import KeptSentence, retold

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
    AWAY: gettext_noop("The database does not answer."),
    READ_ONLY: gettext_noop("The database is read-only: it may be a standby."),
    LOCKED: gettext_noop("A table that sends need is locked by another session."),
    VAR_DIR: gettext_noop("VAR_DIR cannot be written: receipts have no spool if the database goes away."),
}


class _OfHost(KeptSentence):
    """Read back only where what is said is a sentence of ours: any text may have a colon."""

    def read(self, kept: str) -> dict[str, str] | None:
        facts = super().read(kept)
        return facts if facts and retold(facts["says"]) != facts["says"] else None


# All are kept, and answered to programs: pages and mails retell them. OVER stands before what it could be taken for.
# Translators: fault is a sentence
OVER = KeptSentence(gettext_noop("Over: %(fault)s"))
OF_HOST = _OfHost(gettext_noop("%(host)s: %(says)s"))
NO_DISPATCHER = KeptSentence(gettext_noop("Messages are due, and no dispatcher has reported yet."))
SILENT_DISPATCHER = KeptSentence(
    gettext_noop("Messages are due, and no dispatcher has reported for %(seconds)s s.")
)
ONE_RESTORED = KeptSentence(
    gettext_noop(
        "This is a restored copy of the database: 1 service is paused until manage.py after_restore was run."
    )
)
MANY_RESTORED = KeptSentence(
    gettext_noop(
        "This is a restored copy of the database: %(services)s services are paused until manage.py after_restore was run."
    )
)
RECEIPTS_LATE = KeptSentence(gettext_noop("Receipts wait for %(seconds)s s to be applied."))
PROVIDER_TAKES_NOTHING = KeptSentence(
    gettext_noop("Webex Connect takes nothing of %(service)s; its messages wait.")
)
NOT_HEARD = KeptSentence(
    gettext_noop("%(process)s on %(host)s (process %(pid)s) has not been heard for %(seconds)s s.")
)
CLOCK_DIFFERS = KeptSentence(
    gettext_noop("The clock of %(host)s differs from the database's by %(seconds)s s.")
)
ONE_FILE_KEPT = KeptSentence(
    gettext_noop("%(host)s: 1 spool file could not be brought in and wait for a person.")
)
MANY_FILES_KEPT = KeptSentence(
    gettext_noop("%(host)s: %(files)s spool files could not be brought in and wait for a person.")
)
FILES_WAIT = KeptSentence(
    gettext_noop("%(host)s: %(files)s spool files have waited for %(seconds)s s though the database answers.")
)
DISK_FULL = KeptSentence(
    gettext_noop("%(host)s: the disk of %(folder)s is nearly full, %(free)s of %(size)s GiB are free.")
)
JOB_BREAKS_OFF = KeptSentence(
    gettext_noop("The job “%(job)s” breaks off on %(host)s; it is tried again, and its work waits.")
)
STORAGE_FAILS = KeptSentence(
    gettext_noop(
        "The database cannot read what it stores (seen by %(host)s): its disk fails, or a page is damaged."
    )
)
RETENTION_IS_LATE = KeptSentence(
    gettext_noop("Retention is %(days)s days late: texts and numbers are kept longer than promised.")
)
NO_REDIS = KeptSentence(
    gettext_noop("Redis does not answer: clusters look for work every few seconds instead.")
)
WAY_FAILS = KeptSentence(
    gettext_noop("Operators cannot be told by %(way)s; what they were to be told is tried again.")
)


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
        return NO_DISPATCHER()
    return SILENT_DISPATCHER(seconds=f"{silence:.0f}")


def restored() -> tuple[str, float]:
    """Whether this is a restored copy of the database that is not settled yet, with the seconds since that was found."""
    found = RestoredCopy.objects.filter(settled_at=None).aggregate(
        first=Min("found_at"), services=Count("pk")
    )
    if not found["services"]:
        return "", 0.0
    says = ONE_RESTORED() if found["services"] == 1 else MANY_RESTORED(services=found["services"])
    return says, (database_now() - found["first"]).total_seconds()


def receipts_wait() -> tuple[str, float]:
    """The same for receipts, with the seconds that the oldest waits."""
    new = ReceiptInbox.objects.filter(why=ReceiptInbox.Why.NEW)
    oldest = new.aggregate(oldest=Min("next_at"))["oldest"]
    waited = (database_now() - oldest).total_seconds() if oldest else 0.0
    return (RECEIPTS_LATE(seconds=f"{waited:.0f}") if waited > LATE else ""), waited


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
            yield Fault(PROVIDER, slug, PROVIDER_TAKES_NOTHING(service=slug), seconds)


def _processes(found: Sequence[Process]) -> Iterator[Fault]:
    for one in found:
        where = f"{one.host} {one.kind} {one.pid}"
        if one.silent:
            with override("en"):
                says = NOT_HEARD(process=one.label, host=one.host, pid=one.pid, seconds=f"{one.age:.0f}")
            yield Fault(SILENT_PROCESS, where, says, SILENT)
    skews = {one.host: one.skew for one in found if one.fresh and abs(one.skew) > REFUSED}
    for host, skew in sorted(skews.items()):
        yield Fault(CLOCK, host, CLOCK_DIFFERS(host=host, seconds=f"{skew:+.0f}"))


def _hosts(found: Sequence[Process]) -> Iterator[Fault]:
    for one in hosts([process for process in found if process.fresh]):
        if not one.var_dir:
            yield Fault(VAR_DIR, one.name, OF_HOST(host=one.name, says=SAYS[VAR_DIR]))
        if one.spool_kept:
            kept = MANY_FILES_KEPT if one.spool_kept > 1 else ONE_FILE_KEPT
            yield Fault(SPOOL_KEPT, one.name, kept(host=one.name, files=one.spool_kept))
        if one.spool_for > SPOOLED:
            says = FILES_WAIT(host=one.name, files=one.spool_files, seconds=f"{one.spool_for:.0f}")
            yield Fault(SPOOL_WAITS, one.name, says, one.spool_for)
        for disk in one.disks:
            if disk.nearly_full:
                free, size = (f"{count / 1024**3:.1f}" for count in (disk.free, disk.size))
                says = DISK_FULL(host=one.name, folder=disk.folder, free=free, size=size)
                yield Fault(DISK, f"{one.name} {disk.folder}", says)


def _epochs(found: Sequence[Process]) -> Iterator[Fault]:
    says = {one.host: str(one.facts["epoch"]) for one in found if one.fresh and "epoch" in one.facts}
    for host, trouble in sorted(says.items()):
        yield Fault(EPOCH, host, OF_HOST(host=host, says=trouble), LATE)


def _jobs(found: Sequence[Process]) -> Iterator[Fault]:
    broken = {
        name: (one.host, seconds)
        for one in found
        if one.fresh
        for name, seconds in one.facts.get("jobs", {}).items()
    }
    for name, (host, seconds) in sorted(broken.items()):
        yield Fault(JOB, name, JOB_BREAKS_OFF(job=name, host=host), seconds)


def _storage(found: Sequence[Process]) -> Iterator[Fault]:
    for host in sorted({one.host for one in found if one.fresh and one.facts.get("damage")}):
        yield Fault(DAMAGED, "", STORAGE_FAILS(host=host), LATE)
        return


def _audit() -> Iterator[Fault]:
    if says := audit.sentence():
        yield Fault(AUDIT, "", says)
    if away := audit.undelivered():
        yield Fault(PLACES, "", " ".join(away))


def _retention() -> Iterator[Fault]:
    if (seconds := retention.lag()) > TWO_DAYS:
        yield Fault(RETENTION, "", RETENTION_IS_LATE(days=f"{seconds / 86_400:.0f}"), LATE)


def _queue() -> Iterator[Fault]:
    """Where the queue is in the database there is nothing else to ask."""
    if not get_broker().ping():
        yield Fault(QUEUE, "", NO_REDIS())


def _not_told() -> Iterator[Fault]:
    """What is owed by a way that does not work. Of this fault itself nothing is owed by it."""
    owed = OperationalFault.objects.exclude(fault=NOT_TOLD).exclude(owed="").values_list("owed", flat=True)
    for way in sorted({way for ways in owed for way in ways.split()}):
        yield Fault(NOT_TOLD, way, WAY_FAILS(way=way))
