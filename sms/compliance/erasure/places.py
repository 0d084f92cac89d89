"""Every place that is searched, in the order in which it is erased. One list to erase by, to verify by, and for the certificate."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_noop

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
from sms.words import KeptSentence


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
    note = DELETED(files=deleted) if deleted else ""
    return Done(mended + deleted, note)


def _named(found: Mapping[str, int]) -> str:
    return ", ".join(f"{words} ({count:,})" for words, count in sorted(found.items()))


def _texts(subject: Subject) -> Done:
    found = columns.erase(subject)
    return Done(found.total(), _named(found))


def _catalogue(subject: Subject) -> Done:
    found = columns.in_the_catalogue(subject)
    if not found:
        return Done(0, NOT_NAMED)
    return Done(0, NAMED(places=_named(found)))


# Remarks of certificates, as they are kept.
DELETED = KeptSentence(
    gettext_noop(
        "%(files)s of them deleted as a whole: lines cannot be taken out of a workbook, or of cells over several lines."
    )
)
NOT_NAMED = gettext_noop("Searched only: templates, senders and the like do not name it.")
NAMED = KeptSentence(
    gettext_noop(
        "Named in %(places)s. Sends are made of it, so it is not changed automatically: change it on its page."
    )
)
# those with more in them first: a remark is read back by the first that it fits
FOUND_AND_ONE_SEARCHED = KeptSentence(
    gettext_noop("Found in %(found)s: delete what is not needed. 1 file of this host searched. %(log)s")
)
FOUND_AND_MANY_SEARCHED = KeptSentence(
    gettext_noop(
        "Found in %(found)s: delete what is not needed. %(files)s files of this host searched. %(log)s"
    )
)
ONE_SEARCHED = KeptSentence(gettext_noop("1 file of this host searched. %(log)s"))
MANY_SEARCHED = KeptSentence(gettext_noop("%(files)s files of this host searched. %(log)s"))
LOG_STREAM = gettext_noop(
    "Textdesk writes its own log to the standard error stream, with numbers masked: copies that a log collector, a journal or a proxy "
    "keeps are outside of Textdesk. Search them for the number with +, without it, and as it is written within its country."
)


def _other_files(subject: Subject) -> Done:
    searched = other_files.search(subject)
    one = searched.files == 1
    if searched.found:
        says = FOUND_AND_ONE_SEARCHED if one else FOUND_AND_MANY_SEARCHED
    else:
        says = ONE_SEARCHED if one else MANY_SEARCHED
    return Done(0, says(found=", ".join(searched.found), files=searched.files, log=LOG_STREAM))


PLACES: tuple[ErasurePlace, ...] = (
    ErasurePlace(
        gettext_noop("messages waiting on this host's disk for the database"),
        waiting_files.erase,
        waiting_files.left,
    ),
    ErasurePlace(gettext_noop("opt-outs (kept as a digest)"), opt_outs.erase, opt_outs.left),
    ErasurePlace(
        gettext_noop("messages, with their receipts, clicks and partners' spellings"),
        ledger.erase_messages,
        lambda subject: ledger.messages(subject).count(),
    ),
    _found(gettext_noop("archive files"), ledger.erase_archives, ledger.archives),
    ErasurePlace(
        gettext_noop("receipts that are unmatched, in quarantine or of other messages"),
        receipts.erase_receipts,
        receipts.left_in_receipts,
    ),
    ErasurePlace(gettext_noop("incoming SMS"), receipts.erase_inbound, receipts.left_in_inbound),
    _found(gettext_noop("refused receipts and SMS"), receipts.erase_refused, receipts.refused_posts),
    _found(gettext_noop("callbacks"), receipts.erase_callbacks, receipts.callbacks),
    _found(gettext_noop("stored answers of the API"), receipts.erase_answers, receipts.answers),
    _found(gettext_noop("uploaded files"), _uploads, uploads.uploads),
    ErasurePlace(
        gettext_noop("audiences, every version of them, and their rejected rows"),
        audiences.erase_audiences,
        audiences.left_in_audiences,
    ),
    ErasurePlace(
        gettext_noop(
            "every other text: sends, drafts, approvals, rejected rows, names, notes, reasons, colleagues' own numbers"
        ),
        _texts,
        columns.left,
    ),
    # after the texts: a check that begins now reads what is left of them
    _found(gettext_noop("figures of checked drafts"), audiences.erase_preparations, audiences.preparations),
    _found(gettext_noop("report files"), audiences.erase_reports, audiences.report_files),
    _found(
        gettext_noop("tables of the queue and of sign-in, and saved filters"),
        columns.erase_elsewhere,
        columns.packed_rows,
    ),
    ErasurePlace(
        gettext_noop("templates, senders and other things of the catalogue"),
        _catalogue,
        lambda subject: columns.in_the_catalogue(subject).total(),
    ),
    ErasurePlace(
        gettext_noop("the audit"),
        lambda _: Done(
            0,
            gettext_noop(
                "Searched only: it is never changed, and numbers are masked in what people write into it."
            ),
        ),
        columns.left_in_audit,
    ),
    _found(
        gettext_noop("logs and other files of this host"),
        _other_files,
        lambda subject: other_files.search(subject).found,
    ),
    ErasurePlace(
        gettext_noop("what the database file keeps of replaced text"),
        lambda _: Done(0, replaced_text.rewrite_file()),
        lambda _: 0,
    ),
)
