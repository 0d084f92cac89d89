"""What else names a number: files that people gave, receipts without a message, reports, and every other text of the inventory.

Searched for as erasure does (`sms.compliance.erasure.naming`), so that what one gives out is what the other takes away. Long
tables are walked from
the newest row back, and no further than time allows: then it is said what was not searched.
"""

import time
from collections.abc import Iterator
from datetime import datetime
from itertools import chain, islice
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, gettext_noop, ngettext

from sms.audiences.files import AudienceError, rows_of_workbook
from sms.compliance.archive import in_values
from sms.compliance.disclosure.own import own_text
from sms.compliance.erasure import audiences, ledger, uploads, waiting_files
from sms.compliance.erasure.naming import Subject, naming, says, windows
from sms.compliance.personal_columns import columns, rows_of, title_of
from sms.models import Receipt, RefusedPost, ReportFile, SavedFilter, Service, Upload
from sms.models.personal import ColumnKind
from sms.words import number

MOST = 1000  # entries of a kind
GIVEN = {  # by places of their own
    *("sms.Callback.body", "sms.Draft.pasted", "sms.Echo.destination"),
    *("sms.Echo.correlation_id", "sms.Echo.reference"),
    *("sms.Reject.value", "sms.Reject.reason", "sms.Erasure.digest", "sms.OptOut.msisdn"),
}
OF_THE_PERSON = (
    "sms.Message",
    "sms.InboundMessage",
    "sms.Conversation",
    "sms.OptOut",
)  # rows that were given out as a whole


def held(service: Service, e164: str, *, seconds: float) -> dict[str, Any]:
    """By kind, as in `held_about`; `not_complete` says what is not in it."""
    looking = _Looking(Subject(service, e164), seconds)
    found: dict[str, Any] = {
        "uploaded_files": looking.some(_MORE_FILES, looking.files()),
        "other_texts": looking.some(_MORE_TEXTS, looking.texts()),
        "other_receipts": looking.some(_MORE_RECEIPTS, looking.receipts()),
        "report_files": looking.some(_MORE_REPORTS, looking.reports()),
    }
    if kept := waiting_files.left(looking.subject):
        some = ngettext(
            "%(n)s file waits on the disk for a person to look at, with the number in it.",
            "%(n)s files wait on the disk for a person to look at, with the number in it.",
            kept,
        )
        looking.missing.append(some % {"n": kept})
    return found | {"not_complete": looking.missing}


_MORE_FILES = gettext_noop("Of uploaded files the first %(most)s are here, and there are more.")
_MORE_TEXTS = gettext_noop("Of other texts the first %(most)s are here, and there are more.")
_MORE_RECEIPTS = gettext_noop(
    "Of receipts without a message the first %(most)s are here, and there are more."
)
_MORE_REPORTS = gettext_noop("Of report files the first %(most)s are here, and there are more.")


class _Looking:
    def __init__(self, subject: Subject, seconds: float) -> None:
        self.subject, self.missing = subject, list[str]()
        self._until = time.monotonic() + seconds

    def some(self, more: str, entries: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
        kept = list(islice(entries, MOST))
        if next(entries, None) is not None:
            self.missing.append(gettext(more) % {"most": number(MOST)})
        return kept

    def files(self) -> Iterator[dict[str, Any]]:
        rows = Upload.objects.filter(service=self.subject.service).order_by("-pk")
        for pk in list(rows.values_list("pk", flat=True)):
            upload = Upload.objects.get(pk=pk)
            lines = [line for line in _lines(bytes(upload.content)) if self.subject.mention.found(line)]
            if lines:
                yield {
                    "file": own_text(upload.name, self.subject.mention),
                    "uploaded": time_of(upload.uploaded_at),
                    "rows": [own_text(line, self.subject.mention) for line in lines[:MOST]],
                }

    def texts(self) -> Iterator[dict[str, Any]]:
        """Every other column that may hold one."""
        for model, name in columns(ColumnKind.TEXT, ColumnKind.NUMBER):
            label = f"{model._meta.label}.{name}"
            if label in GIVEN:
                continue
            rows = rows_of(model, self.subject.service)
            if model._meta.label in OF_THE_PERSON:
                rows = rows.exclude(msisdn__in=self.subject.forms)
            for value in self._values(rows, name):
                yield {"where": title_of(model, name), "says": _own_values(value, self.subject)}
        filters = SavedFilter.objects.filter(service=self.subject.service).select_related("service")
        for one in filters.order_by("pk"):
            if self.subject.mention.found(one.words):
                yield {
                    "where": title_of(SavedFilter, "query"),
                    "says": own_text(one.words, self.subject.mention),
                }

    def receipts(self) -> Iterator[dict[str, Any]]:
        rows = rows_of(Receipt, self.subject.service)
        mine = ledger.messages(self.subject).order_by().values("pk")
        refused = RefusedPost.objects.filter(Q(service=self.subject.service) | Q(service=None))
        for raw in chain(
            self._values(rows.exclude(message_id__in=mine), "raw"), self._values(refused.order_by(), "raw")
        ):
            yield {"as_it_came": own_text(bytes(raw).decode("utf-8", "replace"), self.subject.mention)}

    def reports(self) -> Iterator[dict[str, Any]]:
        """That there is one; what it says of a person is what stands in messages and names of sends."""
        ids = set(audiences.report_files(self.subject))
        for file in ReportFile.objects.filter(pk__in=ids).order_by("pk"):
            yield {
                "report": file.get_kind_display(),
                "asked": time_of(file.asked_at),
                "deleted_after_days": ReportFile.KEPT,
            }

    def _values(self, rows: "models.QuerySet[Any]", name: str) -> Iterator[Any]:
        for window in windows(rows, newest_first=True):
            if time.monotonic() > self._until:
                words = title_of(rows.model, name)
                more = gettext(
                    "Not all of “%(what)s” was searched: it is long. manage.py disclose_number searches all of it."
                )
                self.missing.append(more % {"what": words})
                return
            found = naming(window, name, self.subject).values_list(name, flat=True)
            yield from (value for value in found if says(value, self.subject))


def _own_values(value: Any, subject: Subject) -> Any:
    """A text without other people's numbers; of JSON the texts that name the person."""
    if isinstance(value, str):
        return own_text(value, subject.mention)
    return list(_naming(value, subject))


def _naming(value: Any, subject: Subject) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _naming(str(key), subject)
            yield from _naming(inner, subject)
    elif isinstance(value, list):
        for inner in value:
            yield from _naming(inner, subject)
    elif in_values(value, subject.mention) != value:
        yield own_text(str(value), subject.mention)


def _lines(content: bytes) -> Iterator[str]:
    if not uploads.is_workbook(content):
        yield from next(uploads.texts_of(content)).splitlines()
        return
    try:
        for cells in rows_of_workbook(content):
            yield " | ".join(cells)
    except AudienceError:
        yield from uploads.texts_of(content)


def time_of(at: datetime | None) -> str:
    """ISO 8601, empty for none."""
    return at.isoformat(timespec="seconds") if at else ""
