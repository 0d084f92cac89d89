"""Files that are too long to wait for, made by the cluster, a part at a time."""

import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from sms.models import Duty, ReportFile, ReportPart, Service
from sms.models.sql.clock import corrected_now
from sms.models.sql.session import database_now
from sms.reports.files import csv_of, write_xlsx
from sms.reports.query import ReportQuery
from sms.reports.read import ReportRow, all_lines
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

PART_BYTES = 1_000_000
SAY_EVERY = 1000  # rows
DUTY = "report files"
# Translators: error is the name of a fault of the program.
BROKE_OFF = KeptSentence(gettext_noop("It broke off: %(error)s"))
Stopped = Callable[[], bool]
Said = Callable[[int], None]  # how many rows are written


class Cancelled(Exception):
    """It was cancelled, or the process ends."""


def make_files(*, stopped: Stopped = lambda: False) -> int:
    """Make what waits, one after the other, by one process at a time; returns how many. What broke off begins again."""
    made, waiting = 0, _waiting()
    if not waiting.exists() or (duty := Duty.hold(DUTY)) is None:
        return made
    with duty, duty.kept():
        while not stopped() and (one := waiting.first()) is not None:
            made += _make(one, stopped)
    return made


def files_wait() -> bool:
    return _waiting().exists() and not Duty.is_held(DUTY)


def _waiting() -> "QuerySet[ReportFile]":
    rows = ReportFile.objects.filter(ready_at=None, cancelled_at=None, failed="").order_by("pk")
    return rows.select_related("service").defer(*Service.secrets("service"))


def forget() -> None:
    old = database_now() - timedelta(days=ReportFile.KEPT)
    ReportFile.objects.filter(asked_at__lt=old).delete()


def unpacked(found: ReportFile) -> Iterator[bytes]:
    for number in ReportPart.objects.filter(file=found).order_by("number").values_list("number", flat=True):
        content = ReportPart.objects.values_list("content", flat=True).get(file=found, number=number)
        yield zlib.decompress(bytes(content))


def _make(one: ReportFile, stopped: Stopped) -> int:
    asked = ReportQuery.stored(one.service, one.query)
    one.parts.all().delete()

    def said(rows: int) -> None:
        if stopped() or not ReportFile.objects.filter(pk=one.pk, cancelled_at=None).update(done=rows):
            raise Cancelled

    try:
        size, rows = _written(one, asked, said)
    except Cancelled:
        one.parts.all().delete()
        return 0
    except Exception as problem:
        log.exception("report_file_broke_off", file=one.pk, error=repr(problem)[:300])
        ReportFile.objects.filter(pk=one.pk).update(failed=BROKE_OFF(error=repr(problem))[:200])
        return 0
    ReportFile.objects.filter(pk=one.pk).update(size=size, done=rows, ready_at=corrected_now())
    return 1


def _written(one: ReportFile, asked: ReportQuery, said: Said) -> tuple[int, int]:
    """Bytes and rows. On disk first: a report of a year is no matter for the memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report"
        write = _write_csv if one.kind == ReportFile.Kind.CSV else write_xlsx
        rows = write(path, asked, all_lines(asked), said=said)
        with path.open("rb") as content:
            for number, part in enumerate(iter(partial(content.read, PART_BYTES), b"")):
                ReportPart.objects.create(file=one, number=number, content=zlib.compress(part, 6))
        return path.stat().st_size, rows


def _write_csv(path: Path, asked: ReportQuery, lines: Iterable[ReportRow], *, said: Said) -> int:
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        for rows, line in enumerate(csv_of(asked, lines)):  # the headings are no row
            file.write(line)
            if rows and rows % SAY_EVERY == 0:
                said(rows)
    return rows
