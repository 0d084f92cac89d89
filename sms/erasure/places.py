"""Every place that is looked at, in the order in which it is erased. One list to erase by, to verify by, and for the certificate."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sms.erasure import columns, disk, ledger, opt_outs, packed
from sms.erasure.subject import Subject
from sms.models import Callback

Rest = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Around:
    """What a place needs beside the person: a pause between long statements, and the folder of this host's state."""

    rest: Rest
    folder: Path


@dataclass(frozen=True, slots=True)
class Done:
    """Rows or files that were changed, and what else has to be said."""

    changed: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """One place: what it is called on the certificate, what erases it, and how often the number is left in it."""

    words: str
    erase: Callable[[Subject, Around], Done]
    left: Callable[[Subject, Around], int]


def _uploads(subject: Subject, around: Around) -> Done:
    del around
    mended, deleted = packed.erase_uploads(subject)
    note = (
        f"{deleted} of them deleted as a whole: lines cannot be taken out of a workbook, or of cells over several lines."
        if deleted
        else ""
    )
    return Done(mended + deleted, note)


def _texts(subject: Subject, around: Around) -> Done:
    found = columns.erase(subject, around.rest)
    return Done(sum(found.values()), ", ".join(f"{name} {count}" for name, count in sorted(found.items())))


def _told(subject: Subject, around: Around) -> Done:
    """Callbacks that were delivered or given up go; those that wait lose the number with every other text."""
    del around
    rows = Callback.objects.filter(endpoint__service=subject.service).exclude(state=Callback.State.WAITING)
    gone = columns.naming(rows, "body", subject).values_list("pk", flat=True)
    return Done(Callback.objects.filter(pk__in=list(gone)).delete()[0])


def _left_told(subject: Subject, around: Around) -> int:
    del around
    rows = Callback.objects.filter(endpoint__service=subject.service)
    return columns.naming(rows, "body", subject).count()


def _nothing(subject: Subject, around: Around) -> Done:
    del subject, around
    return Done(0, "Looked at only: the audit is never changed, and holds no numbers by design.")


def _logs(subject: Subject, around: Around) -> Done:
    looked = disk.logs(subject, around.folder)
    naming = f" Naming it: {', '.join(looked.naming)}; delete them." if looked.naming else ""
    return Done(
        0,
        f"Looked at only: {looked.files} files of this host, in which numbers are masked by design.{naming}",
    )


PLACES: tuple[Place, ...] = (
    Place(
        "messages waiting on this host's disk for the database",
        lambda subject, _: Done(disk.erase_waiting(subject)),
        lambda subject, _: disk.left_waiting(subject),
    ),
    Place(
        "opt-outs (kept as a digest)",
        lambda subject, _: Done(opt_outs.erase(subject)),
        lambda subject, _: opt_outs.left(subject),
    ),
    Place(
        "messages, with their receipts, clicks and partners' spellings",
        lambda subject, _: Done(ledger.erase_messages(subject)),
        lambda subject, _: ledger.messages(subject).count(),
    ),
    Place(
        "archive files",
        lambda subject, _: Done(ledger.erase_archives(subject)),
        lambda subject, _: len(ledger.archives(subject)),
    ),
    Place(
        "receipts that are unmatched, in quarantine or of other messages",
        lambda subject, around: Done(columns.erase_receipts(subject, around.rest)),
        lambda subject, around: columns.left_in_receipts(subject, around.rest),
    ),
    Place(
        "incoming SMS",
        lambda subject, _: Done(columns.erase_inbound(subject)),
        lambda subject, _: columns.left_in_inbound(subject),
    ),
    Place("callbacks", _told, _left_told),
    Place(
        "stored answers of the API",
        lambda subject, _: Done(columns.erase_answers(subject)),
        lambda subject, _: columns.left_in_answers(subject),
    ),
    Place(
        "audiences, every version of them, and their rejected rows",
        lambda subject, _: Done(packed.erase_audiences(subject)),
        lambda subject, _: packed.left_in_audiences(subject),
    ),
    Place(
        "figures of checked drafts",
        lambda subject, _: Done(packed.erase_preparations(subject)),
        lambda subject, _: packed.left_in_preparations(subject),
    ),
    Place(
        "uploaded files",
        _uploads,
        lambda subject, _: packed.left_in_uploads(subject),
    ),
    Place(
        "report files",
        lambda subject, _: Done(packed.erase_reports(subject)),
        lambda subject, _: packed.left_in_reports(subject),
    ),
    Place(
        "every other text: sends, drafts, rejected rows, names, notes, reasons",
        _texts,
        lambda subject, around: sum(columns.left(subject, around.rest).values()),
    ),
    Place("the audit", _nothing, lambda subject, _: columns.left_in_audit(subject)),
    Place(
        "tables of the queue, of sign-in and of the admin's log",
        lambda _subject, _: Done(0, "Looked at only: none holds numbers by design."),
        lambda subject, _: sum(columns.left_elsewhere(subject).values()),
    ),
    Place("logs", _logs, lambda subject, around: len(disk.logs(subject, around.folder).naming)),
)
