"""The shapes that leave this stage, and the rows that run inside it."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import NamedTuple, Protocol, Required, TypedDict

import msgspec
from django.utils.translation import override

from sms.audiences.files.choices import ReadingChoices
from sms.audiences.files.findings import NOTHING_FOUND, FileFindings
from sms.values.msisdn.kinds import NumberKind
from sms.values.msisdn.mention import FEWEST, GONE
from sms.values.problems import ProblemCode, rows_text
from sms.words import KeptSentence, gettext, gettext_noop, number, retold

BLOCK = 1000  # rows that are worked on together
SMALL = 150_000  # bytes of a file or a paste that is held in memory as a whole: some thousand rows


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read. Bytes and rows are settings of the installation; a longer cell cannot belong in an SMS."""

    bytes: int = 10_000_000
    rows: int = 100_000
    cell: int = 2_000


class ReadOptions(TypedDict, total=False):
    """`country` (ISO, "" for none) is for numbers written without one; `column` is a person's own choice, `choices` are others."""

    country: Required[str]
    column: str | None
    choices: ReadingChoices
    limits: Limits | None
    allow_duplicates: bool


class DoubtedRow(NamedTuple):
    """An earlier row with the same number, written so that somebody else may be meant."""

    row: int
    kind: NumberKind


# msgspec structs rather than dataclasses: a hundred thousand of them are made per file, in a fifth of the time.
class Recipient(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A row that has a usable number. `msisdn` is E.164 with `+`; `substitutions` holds the filled cells by heading."""

    row: int
    msisdn: str
    substitutions: dict[str, str]
    kind: NumberKind = NumberKind.MOBILE
    doubted: DoubtedRow | None = None  # this row repeats it, unless the send leaves its kind out

    @property
    def warning(self) -> str:
        """A sentence where it may be no mobile of the person, "" otherwise."""
        return self.kind.warning

    @property
    def written(self) -> str:
        """The number for a file that is read again: what is only perhaps abroad must not come back with its doubt gone."""
        return self.msisdn if self.kind != NumberKind.ABROAD else self.msisdn.removeprefix("+")


REPEATS = KeptSentence(gettext_noop("The same number is already in row %(row)s."))
ROW = KeptSentence(gettext_noop("Row %(row)s: %(reason)s"))


def repeats(row: int) -> str:
    """Why a row is a duplicate."""
    return REPEATS(row=row)


class RejectedRow(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True):
    """A row that will get no message. `value` is what stood in the number's cell, shortened; `reason` is for a person, in English.

    `cells` is what stood under the headings, where cells could be separated, so that a person can correct it; `field` is the
    placeholder that the reason is about, if it is about one; `reference` what those who sent the row call the recipient and
    `correlation_id` the message, where it is known apart from its cells.
    """

    row: int
    value: str
    code: ProblemCode
    reason: str
    cells: Sequence[str] = ()
    field: str = ""
    reference: str = ""
    correlation_id: str = ""


def without_number(cell: str) -> str:
    """What stood there, or dots where it may be a number: a rejected one can be somebody's all the same, twice in the file or opted out."""
    return GONE if sum(map(str.isdigit, cell)) >= FEWEST else cell


class RejectedGroup(msgspec.Struct, kw_only=True):
    """Rows that were rejected for one reason; `rows` are the first ones, where they are asked for."""

    code: ProblemCode
    field: str = ""
    count: int = 0
    rows: list[int] = []

    @property
    def text(self) -> str:
        """What is said of all of them."""
        return rows_text(self.code, self.count, self.field)


def grouped(rejects: Iterable[RejectedRow]) -> list[RejectedGroup]:
    """By reason, the one with the most rows first."""
    counts = Counter((bad.code, bad.field) for bad in rejects)
    groups = (RejectedGroup(code=code, field=field, count=count) for (code, field), count in counts.items())
    return most_first(groups)


def most_first(groups: Iterable[RejectedGroup]) -> list[RejectedGroup]:
    return sorted(groups, key=lambda one: (-one.count, one.code, one.field))


def why_none(groups: Sequence[RejectedGroup], first: RejectedRow) -> str:
    """Why no row can be used: what is said of each group, and of a single row its own reason."""
    if sum(one.count for one in groups) == 1:
        return gettext(ROW.text) % {"row": first.row, "reason": retold(first.reason)}
    return " ".join(f"{one.text}." for one in groups)


class RowBlock(NamedTuple):
    recipients: Sequence[Recipient]
    rejects: Sequence[RejectedRow]


class Rows(Protocol):
    """An audience, wherever its rows are: `headings` are all columns, `column` the one with the numbers, `findings` what its file held."""

    @property
    def headings(self) -> list[str]:
        """All columns."""

    @property
    def column(self) -> str:
        """The one with the numbers."""

    @property
    def findings(self) -> FileFindings | None:
        """None where it was read from no file."""

    def blocks(self) -> Iterator[RowBlock]:
        """All rows in their order, as often as it is called."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Everything a file or a paste holds. `headings` are all columns, `column` the one with the numbers."""

    headings: list[str]
    column: str
    recipients: list[Recipient]
    rejects: list[RejectedRow]
    findings: FileFindings | None = None

    def without_strangers(self) -> "Audience":
        """For what nobody is asked about: a number that is only perhaps one abroad is a reject."""
        doubted = [one for one in self.recipients if one.kind == NumberKind.ABROAD]
        with override("en"):
            rejects = [
                rejected(one.row, one.written, ProblemCode.NO_COUNTRY, one.kind.warning) for one in doubted
            ]
        kept = [one for one in self.recipients if one.kind != NumberKind.ABROAD]
        return replace(
            self, recipients=kept, rejects=sorted([*self.rejects, *rejects], key=lambda bad: bad.row)
        )

    def blocks(self) -> Iterator[RowBlock]:
        """In the order of the file: up to so many recipients, with the rejects among them."""
        done = 0
        for start in range(0, len(self.recipients), BLOCK):
            kept = self.recipients[start : start + BLOCK]
            until = bisect_right(self.rejects, kept[-1].row, lo=done, key=attrgetter("row"))
            yield RowBlock(kept, self.rejects[done:until])
            done = until
        if done < len(self.rejects):
            yield RowBlock((), self.rejects[done:])


# A row as the file has it: its number as a spreadsheet shows it (from 1, headings included), and its cells as text.
Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Source:
    """Rows on their way; one that cannot be separated from its neighbours is a reject. `place` names the sheet, if any.

    `headed` is False where the first row is known to be no headings; `height` is how many rows there are, where that is known. Hidden
    rows and columns, and merged cells (top, left, bottom, right), count from 0.
    """

    rows: Iterator[Row | RejectedRow]
    place: str = ""
    headed: bool = True
    height: int = 0
    findings: FileFindings = NOTHING_FOUND
    hidden_rows: Collection[int] = ()
    hidden_columns: Collection[int] = ()
    merges: Sequence[tuple[int, int, int, int]] = ()


def rejected(row: int, value: str, code: ProblemCode, reason: str) -> RejectedRow:
    return RejectedRow(row=row, value=shortened(value), code=code, reason=reason)


def shortened(value: str) -> str:
    value = value[:200].strip()
    return value if len(value) <= 60 else value[:59] + "…"


def amount(count: int) -> str:
    """1 000 000 bytes as people say it."""
    if count < 100_000:
        return gettext("%(n)s bytes") % {"n": number(count)}
    millions = float(f"{count / 1_000_000:.3g}")
    return gettext("%(n)s MB") % {"n": number(int(millions) if millions.is_integer() else millions)}
