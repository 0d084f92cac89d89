"""Every place that is searched, in the order in which it is erased. One list to erase by, to verify by, and for the certificate."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sms.compliance.erasure import (
    audiences,
    columns,
    ledger,
    opt_outs,
    other_files,
    receipts,
    uploads,
    waiting_files,
)
from sms.compliance.erasure.naming import Subject
from sms.models.sql import replaced_text


@dataclass(frozen=True, slots=True)
class Done:
    """Rows or files that were changed, and what else has to be said."""

    changed: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class ErasurePlace:
    """One place: what it is called on the certificate, what erases it, and how often the number is left in it."""

    words: str
    erase: Callable[[Subject], int | Done]
    left: Callable[[Subject], int]


def _found(
    words: str, erase: Callable[[Subject], int | Done], found: Callable[[Subject], Iterable[object]]
) -> ErasurePlace:
    """A place whose rows that name the number can be listed."""
    return ErasurePlace(words, erase, lambda subject: sum(1 for _ in found(subject)))


def _uploads(subject: Subject) -> Done:
    mended, deleted = uploads.erase_uploads(subject)
    note = (
        f"{deleted} of them deleted as a whole: lines cannot be taken out of a workbook, or of cells over several lines."
        if deleted
        else ""
    )
    return Done(mended + deleted, note)


def _named(found: Mapping[str, int]) -> str:
    return ", ".join(f"{words} ({count:,})" for words, count in sorted(found.items()))


def _texts(subject: Subject) -> Done:
    found = columns.erase(subject)
    return Done(found.total(), _named(found))


def _catalogue(subject: Subject) -> Done:
    found = columns.in_the_catalogue(subject)
    if not found:
        return Done(0, "Searched only: templates, senders and the like do not name it.")
    says = f"Named in {_named(found)}. Sends are made of it, so it is not changed automatically: change it on its page."
    return Done(0, says)


LOG_STREAM = (
    "Textdesk writes its own log to the standard error stream, with numbers masked: copies that a log collector, a journal or a proxy "
    "keeps are outside of Textdesk. Search them for the number with +, without it, and as it is written within its country."
)


def _other_files(subject: Subject) -> Done:
    searched = other_files.search(subject)
    found = f"Found in {', '.join(searched.found)}: delete what is not needed. " if searched.found else ""
    plural = "" if searched.files == 1 else "s"
    return Done(0, f"{found}{searched.files} file{plural} of this host searched. {LOG_STREAM}")


PLACES: tuple[ErasurePlace, ...] = (
    ErasurePlace(
        "messages waiting on this host's disk for the database", waiting_files.erase, waiting_files.left
    ),
    ErasurePlace("opt-outs (kept as a digest)", opt_outs.erase, opt_outs.left),
    ErasurePlace(
        "messages, with their receipts, clicks and partners' spellings",
        ledger.erase_messages,
        lambda subject: ledger.messages(subject).count(),
    ),
    _found("archive files", ledger.erase_archives, ledger.archives),
    ErasurePlace(
        "receipts that are unmatched, in quarantine or of other messages",
        receipts.erase_receipts,
        receipts.left_in_receipts,
    ),
    ErasurePlace("incoming SMS", receipts.erase_inbound, receipts.left_in_inbound),
    _found("refused receipts and SMS", receipts.erase_refused, receipts.refused_posts),
    _found("callbacks", receipts.erase_callbacks, receipts.callbacks),
    _found("stored answers of the API", receipts.erase_answers, receipts.answers),
    _found("uploaded files", _uploads, uploads.uploads),
    ErasurePlace(
        "audiences, every version of them, and their rejected rows",
        audiences.erase_audiences,
        audiences.left_in_audiences,
    ),
    ErasurePlace(
        "every other text: sends, drafts, approvals, rejected rows, names, notes, reasons, colleagues' own numbers",
        _texts,
        columns.left,
    ),
    # after the texts: a check that begins now reads what is left of them
    _found("figures of checked drafts", audiences.erase_preparations, audiences.preparations),
    _found("report files", audiences.erase_reports, audiences.report_files),
    _found(
        "tables of the queue and of sign-in, and saved filters", columns.erase_elsewhere, columns.packed_rows
    ),
    ErasurePlace(
        "templates, senders and other things of the catalogue",
        _catalogue,
        lambda subject: columns.in_the_catalogue(subject).total(),
    ),
    ErasurePlace(
        "the audit",
        lambda _: Done(
            0, "Searched only: it is never changed, and numbers are masked in what people write into it."
        ),
        columns.left_in_audit,
    ),
    _found(
        "logs and other files of this host", _other_files, lambda subject: other_files.search(subject).found
    ),
    ErasurePlace(
        "what the database file keeps of replaced text",
        lambda _: Done(0, replaced_text.rewrite_file()),
        lambda _: 0,
    ),
)
