"""Recipients from a text box: numbers one per line or in a row, or a table copied from a spreadsheet.

A table is read like a file.
"""

import io
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Unpack

from sms.audiences.files.columns import names_numbers
from sms.audiences.files.errors import AudienceError
from sms.audiences.files.opening import collected, stream
from sms.audiences.files.reading import AudienceReader
from sms.audiences.files.rows import Audience, Limits, ReadOptions, RejectedRow, Row, Source, amount
from sms.values.csv import MARK
from sms.values.problems import ProblemCode
from sms.words import KeptSentence, gettext, gettext_noop

# Between numbers in one line. A space only where a plus follows, since it also stands inside numbers.
_BETWEEN = re.compile(r"[,;|\t]|\s(?=\+)")
_WITH_GAPS = re.compile(f"({_BETWEEN.pattern})")
_TOO_LARGE = KeptSentence(
    gettext_noop("The text has %(size)s; the most is %(most)s. Upload the recipients as a file.")
)
_FURTHEST = 40  # lines that may stand above the headings
_LETTER = re.compile(r"[^\W\d_]")


def read_pasted(text: str, **options: Unpack[ReadOptions]) -> Audience:
    return collected(stream_pasted(text, **options))


def stream_pasted(text: str, **options: Unpack[ReadOptions]) -> AudienceReader:
    """The rows of a text, one by one. Row numbers are line numbers, or count the numbers where several share a line."""
    limits = options.get("limits") or Limits()
    size = len(text.encode("utf-8", "replace"))
    if size > limits.bytes:
        says = gettext(_TOO_LARGE.text) % {"size": amount(size), "most": amount(limits.bytes)}
        raise AudienceError(ProblemCode.TOO_LARGE, says)
    lines = text.strip(MARK).splitlines()
    if not any(map(str.strip, lines)):
        says = gettext("There are no recipients yet. Paste their numbers, one per line, or upload a file.")
        raise AudienceError(ProblemCode.EMPTY, says)
    choices = options.get("choices")
    if options.get("column") or (choices and choices.heading_row is not None) or not _is_list(lines):
        return stream(io.BytesIO(text.encode("utf-8", "replace")), name=gettext("The text"), **options)
    return AudienceReader(Source(rows=_entries(lines), headed=False), **options)


def _is_list(lines: list[str]) -> bool:
    """Whether it is numbers only: then a mistyped one is a reject, not a heading. A table may have a title above its headings."""
    for line in islice(filter(str.strip, lines), _FURTHEST):
        cells = [cell.strip() for cell in _BETWEEN.split(line) if cell.strip()]
        if all(sum(map(str.isdecimal, cell)) >= 5 and not _LETTER.search(cell) for cell in cells):
            return True
        if len(cells) > 1 or names_numbers(cells[0]):
            return False
    return True


def _entries(lines: list[str]) -> Iterator[Row | RejectedRow]:
    number = 0
    for line in lines:
        for entry in _BETWEEN.split(line) if line.strip() else ("",):
            if entry.strip() or not line.strip():
                number += 1
                yield number, [entry]


def with_corrections(text: str, numbers: Mapping[int, str]) -> str | None:
    """The list with other numbers in these rows, and everything else as it was written; None where the text is a table."""
    lines = text.strip(MARK).splitlines(keepends=True)
    if not _is_list([line.rstrip("\r\n") for line in lines]):
        return None
    number, made = 0, []
    for line in lines:
        parts = _WITH_GAPS.split(line.rstrip("\r\n"))
        if not line.strip():
            number += 1
        for at, part in enumerate(parts):
            if at % 2 == 0 and part.strip():
                number += 1
                parts[at] = numbers.get(number, part)
        made.append("".join(parts) + line[len(line.rstrip("\r\n")) :])
    return "".join(made)
