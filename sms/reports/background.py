"""Files that are too long to wait for, made by the cluster, a part at a time."""

import tempfile
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from sms.models import Duty, ReportFile, ReportPart
from sms.models.duty import HeldDuty
from sms.reports.files import csv_of, write_xlsx
from sms.reports.query import ReportQuery
from sms.reports.read import all_lines

log = structlog.get_logger(__name__)

PART_BYTES = 1_000_000
SAY_EVERY = 1000  # rows
DUTY, HELD = "report files", 60.0
Stopped = Callable[[], bool]


class Cancelled(Exception):
    """It was cancelled, or the process ends."""


def make_files(*, stopped: Stopped = lambda: False) -> int:
    """Make what waits, one after the other, by one process at a time; returns how many. What broke off begins again."""
    made, waiting = 0, _waiting()
    if not waiting.exists() or (duty := Duty.hold(DUTY, seconds=HELD)) is None:
        return made
    with duty:
        while not stopped() and (one := waiting.first()) is not None:
            made += _make(one, duty, stopped)
    return made


def files_wait() -> bool:
    return _waiting().exists() and not Duty.is_held(DUTY)


def _waiting() -> "QuerySet[ReportFile]":
    return ReportFile.objects.filter(ready_at=None, cancelled_at=None, failed="").order_by("pk")


def forget() -> None:
    old = timezone.now() - timedelta(days=ReportFile.KEPT)
    ReportFile.objects.filter(asked_at__lt=old).delete()


def unpacked(found: ReportFile) -> Iterator[bytes]:
    """Its bytes, part by part."""
    for number in ReportPart.objects.filter(file=found).order_by("number").values_list("number", flat=True):
        content = ReportPart.objects.values_list("content", flat=True).get(file=found, number=number)
        yield zlib.decompress(bytes(content))


def _make(one: ReportFile, duty: HeldDuty, stopped: Stopped) -> int:
    asked = ReportQuery.stored(one.service_id, one.query)
    one.parts.all().delete()

    def said(rows: int) -> None:
        duty.renew()
        if stopped() or not ReportFile.objects.filter(pk=one.pk, cancelled_at=None).update(done=rows):
            raise Cancelled

    try:
        size, rows = (_csv if one.kind == ReportFile.Kind.CSV else _xlsx)(one, asked, said)
    except Cancelled:
        one.parts.all().delete()
        return 0
    except Exception as problem:
        log.exception("report_file_broke_off", file=one.pk, error=repr(problem)[:300])
        ReportFile.objects.filter(pk=one.pk).update(failed=f"It broke off: {problem!r}"[:200])
        return 0
    ReportFile.objects.filter(pk=one.pk).update(size=size, done=rows, ready_at=timezone.now())
    return 1


def _csv(one: ReportFile, asked: ReportQuery, said: Callable[[int], None]) -> tuple[int, int]:
    held, size, number, rows = bytearray(), 0, 0, -1  # the headings are no row
    for line in csv_of(asked, all_lines(asked)):
        held += line.encode()
        rows += 1
        if rows and rows % SAY_EVERY == 0:
            said(rows)
        if len(held) >= PART_BYTES:
            size, number = size + len(held), number + _store(one, number, bytes(held))
            held.clear()
    _store(one, number, bytes(held))
    return size + len(held), rows


def _xlsx(one: ReportFile, asked: ReportQuery, said: Callable[[int], None]) -> tuple[int, int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.xlsx"
        rows = write_xlsx(path, asked, all_lines(asked), said=said)
        with path.open("rb") as content:
            number = 0
            while part := content.read(PART_BYTES):
                number += _store(one, number, part)
        return path.stat().st_size, rows


def _store(one: ReportFile, number: int, content: bytes) -> int:
    with transaction.atomic():
        ReportPart.objects.create(file=one, number=number, content=zlib.compress(content, 6))
    return 1
