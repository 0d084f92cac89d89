"""Every place that is searched, in the order in which it is erased. One list to erase by, to verify by, and for the certificate."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
from sms.compliance.erasure.subject import Subject
from sms.models.sql import replaced_text

Rest = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Around:
    """What a place needs apart from the person: a pause between long statements, and the folder of this host's state."""

    rest: Rest
    folder: Path


@dataclass(frozen=True, slots=True)
class Done:
    """Rows or files that were changed, and what else has to be said."""

    changed: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class ErasurePlace:
    """One place: what it is called on the certificate, what erases it, and how often the number is left in it."""

    words: str
    erase: Callable[[Subject, Around], Done]
    left: Callable[[Subject, Around], int]


def _rows(words: str, erase: Callable[[Subject], int], left: Callable[[Subject], int]) -> ErasurePlace:
    """A place that is done in one go."""
    return ErasurePlace(words, lambda subject, _: Done(erase(subject)), lambda subject, _: left(subject))


def _walked(
    words: str, erase: Callable[[Subject, Rest], int], left: Callable[[Subject, Rest], int]
) -> ErasurePlace:
    """A place that is large, with pauses between its pieces."""
    return ErasurePlace(
        words,
        lambda subject, around: Done(erase(subject, around.rest)),
        lambda subject, around: left(subject, around.rest),
    )


def _searched_only(
    words: str, note: Callable[[Subject, Around], str], left: Callable[[Subject, Around], int]
) -> ErasurePlace:
    return ErasurePlace(words, lambda subject, around: Done(0, note(subject, around)), left)


def _uploads(subject: Subject, around: Around) -> Done:
    del around
    mended, deleted = uploads.erase_uploads(subject)
    note = (
        f"{deleted} of them deleted as a whole: lines cannot be taken out of a workbook, or of cells over several lines."
        if deleted
        else ""
    )
    return Done(mended + deleted, note)


def _named(found: dict[str, int]) -> str:
    return ", ".join(f"{words} ({count:,})" for words, count in sorted(found.items()))


def _texts(subject: Subject, around: Around) -> Done:
    found = columns.erase(subject, around.rest)
    return Done(sum(found.values()), _named(found))


def _catalogue(subject: Subject, around: Around) -> str:
    found = columns.in_the_catalogue(subject, around.rest)
    if not found:
        return "Searched only: templates, senders and the like do not name it."
    return f"Named in {_named(found)}. Sends are made of it, so it is not changed by itself: change it on its page."


LOG_STREAM = (
    "Textdesk writes its own log to the standard error stream, with numbers masked: copies that a log collector, a journal or a proxy "
    "keeps are outside of Textdesk. Search them for the number with +, without it, and as it is written within its country."
)


def _other_files(subject: Subject, around: Around) -> str:
    searched = other_files.search(subject, around.folder)
    found = f"Found in {', '.join(searched.found)}: delete what is not needed. " if searched.found else ""
    return f"{found}{searched.files} file{'' if searched.files == 1 else 's'} of this host searched. {LOG_STREAM}"


PLACES: tuple[ErasurePlace, ...] = (
    _rows("messages waiting on this host's disk for the database", waiting_files.erase, waiting_files.left),
    _rows("opt-outs (kept as a digest)", opt_outs.erase, opt_outs.left),
    _rows(
        "messages, with their receipts, clicks and partners' spellings",
        ledger.erase_messages,
        lambda subject: ledger.messages(subject).count(),
    ),
    _rows("archive files", ledger.erase_archives, lambda subject: len(ledger.archives(subject))),
    _walked(
        "receipts that are unmatched, in quarantine or of other messages",
        receipts.erase_receipts,
        receipts.left_in_receipts,
    ),
    _rows("incoming SMS", receipts.erase_inbound, receipts.left_in_inbound),
    _rows("callbacks", receipts.erase_callbacks, receipts.left_in_callbacks),
    _rows("stored answers of the API", receipts.erase_answers, receipts.left_in_answers),
    ErasurePlace("uploaded files", _uploads, lambda subject, _: uploads.left_in_uploads(subject)),
    _rows(
        "audiences, every version of them, and their rejected rows",
        audiences.erase_audiences,
        audiences.left_in_audiences,
    ),
    ErasurePlace(
        "every other text: sends, drafts, approvals, rejected rows, names, notes, reasons, colleagues' own numbers",
        _texts,
        lambda subject, around: sum(columns.left(subject, around.rest).values()),
    ),
    # after the texts: a check that begins now reads what is left of them
    _rows("figures of checked drafts", audiences.erase_preparations, audiences.left_in_preparations),
    _rows("report files", audiences.erase_reports, audiences.left_in_reports),
    _rows(
        "tables of the queue and of sign-in",
        columns.erase_elsewhere,
        columns.left_elsewhere,
    ),
    _searched_only(
        "templates, senders and other things of the catalogue",
        _catalogue,
        lambda subject, around: sum(columns.in_the_catalogue(subject, around.rest).values()),
    ),
    _searched_only(
        "the audit",
        lambda _subject, _: (
            "Searched only: it is never changed, and numbers are masked in what people write into it."
        ),
        lambda subject, _: columns.left_in_audit(subject),
    ),
    _searched_only(
        "logs and other files of this host",
        _other_files,
        lambda subject, around: len(other_files.search(subject, around.folder).found),
    ),
    _searched_only(
        "what the database file keeps of replaced text",
        lambda _subject, _: replaced_text.rewrite_file(),
        lambda _subject, _: 0,
    ),
)
