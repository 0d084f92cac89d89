"""Rows per second of the reader: `python -m tests.audiences.speed [ROWS]`, one JSON line per kind of file."""

import csv
import io
import json
import sys
import time
from collections.abc import Iterator

import xlsxwriter

from sms.audiences.files import Limits, stream
from sms.values import msisdn

HEADINGS = ("Mobile", "Name", "Order", "Town", "Day")


def main() -> None:
    """A CSV and an XLSX with five columns; beside them csv alone and numbers alone, which the reader cannot beat."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rows = [
        (f"07{712_000_000 + at:09}", f"Name {at}", f"ORD-{at}", "London", "2026-11-23") for at in range(count)
    ]
    text = io.StringIO()
    csv.writer(text).writerows([HEADINGS, *rows])
    limits = Limits(bytes=1_000_000_000, rows=count)
    alone = _seconds(iter(csv.reader(io.StringIO(text.getvalue(), newline="")))) + _seconds(
        msisdn.parse(row[0], country="GB") for row in rows
    )
    for kind, content in (("csv", text.getvalue().encode()), ("xlsx", _xlsx(rows))):
        started = time.perf_counter()
        reading = iter(stream(io.BytesIO(content), name=kind, country="GB", limits=limits))
        next(reading)
        first = time.perf_counter() - started
        seconds = first + _seconds(reading)
        figures = {
            "bench": f"audience {kind}",
            "rows": count,
            "rows_per_s": round(count / seconds),
            "first_row_s": round(first, 3),
        }
        print(
            json.dumps(
                figures | {"limit_rows_per_s": round(count / alone), "ratio": round(alone / seconds, 2)}
            )
        )


def _seconds(items: Iterator[object]) -> float:
    started = time.perf_counter()
    for _ in items:
        pass
    return time.perf_counter() - started


def _xlsx(rows: list[tuple[str, ...]]) -> bytes:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    sheet = book.add_worksheet()
    for at, cells in enumerate([HEADINGS, *rows]):
        sheet.write_row(at, 0, cells)
    book.close()
    return content.getvalue()


if __name__ == "__main__":
    main()
