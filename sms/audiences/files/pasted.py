"""Recipients from a text box: numbers one per line or in a row, or a table copied from a spreadsheet.

A table is read like a file.
"""

import io
import re
from collections.abc import Iterator
from typing import Unpack

from sms.audiences.files.columns import names_numbers
from sms.audiences.files.errors import AudienceError
from sms.audiences.files.opening import collected, stream
from sms.audiences.files.reading import AudienceReader
from sms.audiences.files.rows import Audience, Limits, ReadOptions, RejectedRow, Row, Source, amount

# Between numbers in one line. A space only where a plus follows, since it also stands inside numbers.
_BETWEEN = re.compile(r"[,;|\t]|\s(?=\+)")
_LETTER = re.compile(r"[^\W\d_]")


def read_pasted(text: str, **options: Unpack[ReadOptions]) -> Audience:
    return collected(stream_pasted(text, **options))


def stream_pasted(
    text: str,
    *,
    country: str,
    column: str | None = None,
    limits: Limits | None = None,
    allow_duplicates: bool = False,
) -> AudienceReader:
    """The rows of a text, one by one. Row numbers are line numbers, or count the numbers where several share a line."""
    limits = limits or Limits()
    size = len(text.encode("utf-8", "replace"))
    if size > limits.bytes:
        raise AudienceError(
            "too_large",
            f"The text has {amount(size)}; the most is {amount(limits.bytes)}. Upload the recipients as a file.",
        )
    lines = text.strip("\ufeff").splitlines()
    first = next((line for line in lines if line.strip()), "")
    if not first:
        raise AudienceError(
            "empty", "There are no recipients yet. Paste their numbers, one per line, or upload a file."
        )
    if column or not _is_list(first):
        file = io.BytesIO(text.encode("utf-8", "replace"))
        return stream(
            file,
            name="The text",
            country=country,
            column=column,
            limits=limits,
            allow_duplicates=allow_duplicates,
        )
    source = Source(rows=_entries(lines), headed=False)
    return AudienceReader(
        source, country=country, column=None, limits=limits, allow_duplicates=allow_duplicates
    )


def _is_list(line: str) -> bool:
    """Whether the first line is numbers only: then so are the others, and a mistyped one is a reject, not a heading."""
    cells = [cell.strip() for cell in _BETWEEN.split(line) if cell.strip()]
    if len(cells) == 1:
        return not names_numbers(cells[0])
    return all(sum(map(str.isdecimal, cell)) >= 5 and not _LETTER.search(cell) for cell in cells)


def _entries(lines: list[str]) -> Iterator[Row | RejectedRow]:
    number = 0
    for line in lines:
        for entry in _BETWEEN.split(line) if line.strip() else ("",):
            if entry.strip() or not line.strip():
                number += 1
                yield number, [entry]
