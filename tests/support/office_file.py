"""Files of recipients as offices make them, with what must come out of them known beforehand.

`build` knows each row's fate by construction and shares no code with the reader. Numbers are UK mobiles of assigned ranges; those
reserved for drama stand only where the sandbox's outcome matters. Used by the tests of the reader and by the journeys.
"""

import csv
import io
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import xlsxwriter

Flavour = Literal["csv-semicolon-utf16", "csv-cp1252", "csv-tab", "csv-comma-bom", "xlsx"]
FLAVOURS: tuple[Flavour, ...] = ("csv-semicolon-utf16", "csv-cp1252", "csv-tab", "csv-comma-bom", "xlsx")
HEADINGS = ["Customer name", "Mobile number", "Order", "Amount", "Notes"]
# Every sandbox outcome that ends in a final state by itself: not the receipt that never comes, not the dropped connection.
FINAL_OUTCOMES = (1, 2, 3, 4, 6, 7, 8, 10, 11, 12)

_NAMES = [
    "Zoë Müller",
    "O'Brien, Pat",
    "Anna",
    "José",
    'Ms "Bo" Lee',
    "Søren",
    "Łukasz",
    "李雷",
    "Renée  ",
    "  Max",
    "Smith; Jo",
]
_NOTES = [
    "",
    "",
    "call after 5",
    "line one\nline two",
    "1,50 € off",
    "a\tb",
    'the "gold" card',
    "-",
    "50% off; today",
    "naïve café",
]
_EXCEL_EMPTY_EVERY = 97


@dataclass
class Expectation:
    """What reading the file for GB gives. Rows are numbered as the spreadsheet shows them."""

    name: str
    recipients: dict[int, str] = field(default_factory=dict)
    """Row to E.164, in order."""
    rejects: dict[int, str] = field(default_factory=dict)
    """Row to code, in order."""
    names: dict[int, str] = field(default_factory=dict)
    """Row to the value of "Customer name", for recipients that have one."""
    outcomes: dict[str, int] = field(default_factory=dict)
    """E.164 to the sandbox's outcome (1 to 12), for drama numbers."""

    @property
    def rejects_by_code(self) -> Counter[str]:
        return Counter(self.rejects.values())


def build(
    rows: int,
    *,
    seed: int,
    flavour: Flavour,
    outcomes: tuple[int, ...] = FINAL_OUTCOMES,
    long_cell: int = 5_000_000,
) -> tuple[bytes, Expectation]:
    """A file with exactly `rows` rows that have a filled cell, empty ones between them, and what must become of each."""
    maker = _Maker(random.Random(f"{seed}/{flavour}/{rows}"), flavour, outcomes, rows=rows)
    table: list[list[object]] = [list(HEADINGS)]
    long_at = rows // 2 if rows >= 50 else -1
    for at in range(rows):
        if at % _EXCEL_EMPTY_EVERY == 40:
            table.append(maker.empty())
        # A cell of a spreadsheet holds at most 32,767 characters; a CSV's any number.
        length = (min(long_cell, 32_000) if flavour == "xlsx" else long_cell) if at == long_at else 0
        table.append(maker.row(len(table) + 1, long_cell=length))
    write = _xlsx if flavour == "xlsx" else _csv
    return write(table, flavour), maker.expected


class _Maker:
    def __init__(
        self, dice: random.Random, flavour: Flavour, outcomes: tuple[int, ...], *, rows: int
    ) -> None:
        self.expected = Expectation(name=f"customers {flavour}.{'xlsx' if flavour == 'xlsx' else 'csv'}")
        self._dice = dice
        self._flavour = flavour
        self._drama = [f"7700900{outcome:03}" for outcome in outcomes]
        self._numbers = (
            f"7{digits:09}" for digits in dice.sample(range(712_000_000, 720_000_000), 1_000_000)
        )
        self._used: list[str] = []

    def empty(self) -> list[object]:
        return self._dice.choice([[], ["", "", "", "", ""], ["", "  ", "", "", ""]])

    def row(self, number: int, *, long_cell: int) -> list[object]:
        dice = self._dice
        name, note = dice.choice(_NAMES), dice.choice(_NOTES)
        if self._flavour == "csv-cp1252":
            name = name.encode("cp1252", "ignore").decode("cp1252")
        rest: list[object] = [f"A-{number}", dice.choice(["12.50", "1 000", "=SUM(D1:D3)", "0", ""]), note]
        if dice.random() < 0.1:
            rest = rest[:1]  # ragged
        if long_cell:
            self.expected.rejects[number] = "cell_too_long"
            return [name, self._good(next(self._numbers)), "x" * long_cell]
        if dice.random() < 0.12 and not self._drama:
            written, code = self._bad()
            self.expected.rejects[number] = code
            return [name, written, *rest]
        if self._drama and dice.random() < 0.2:
            national = self._drama.pop()
            self.expected.outcomes[f"+44{national}"] = int(national[-3:])
        else:
            national = next(self._numbers)
        self._used.append(national)
        self.expected.recipients[number] = f"+44{national}"
        if name.strip():
            self.expected.names[number] = name.strip()
        return [name, self._good(national), *rest]

    def _good(self, national: str) -> object:
        """One of the ways people and programs write a number."""
        a, b, c = national[:4], national[4:7], national[7:]
        exponent = f"4.4{national}E+11"
        ways: list[object] = [
            f"44{national}", f"+44{national}", f"0{national}", f"0{a} {b}{c}", f"0{a}-{b}-{c}", f"(0{a}) {b} {c}", f"0044 {national}",
            f"+44 (0){a} {b}{c}", f"44{national}.0", f'="44{national}"', f"  0{national}\xa0", f"'0{national}", national, f"0{a}.{b}.{c}",
            exponent, exponent.replace(".", ",") if self._flavour != "csv-comma-bom" else exponent,
        ]  # fmt: skip
        if self._flavour != "csv-cp1252":
            ways += [
                f"0{national}".translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
                f"\u202a+44{national}\u202c",
            ]
        if self._flavour == "xlsx":
            ways += [float(f"44{national}"), int(f"44{national}"), float(national)] * 4
        return self._dice.choice(ways)

    def _bad(self) -> tuple[object, str]:
        """A number that nobody can be reached at, and the code of its reject."""
        dice = self._dice
        if dice.random() < 0.4 and self._used:
            return self._good(dice.choice(self._used)), "duplicate"
        return dice.choice(
            [
                ("", "empty"),
                ("n/a", "not_a_number"),
                ("07700 9OO12E", "not_a_number"),
                ("077", "too_short"),
                ("0771234567890123", "too_long"),
                ("4.477E+11", "shortened"),
                ("07712 345678 / 07712 345679", "two_numbers"),
                ("=VLOOKUP(A2;Sheet2!A:B;2)", "formula"),
                ('=HYPERLINK("tel:07712345678")', "formula"),
                ("#N/A", "formula_error"),
                ("03/11/2026", "date"),
            ]
        )


def _csv(table: list[list[object]], flavour: str) -> bytes:
    delimiter, encoding, line_end = {
        "csv-semicolon-utf16": (";", "utf-16", "\r\n"),
        "csv-cp1252": (";", "cp1252", "\r\n"),
        "csv-tab": ("\t", "utf-8", "\n"),
        "csv-comma-bom": (",", "utf-8-sig", "\r\n"),
    }[flavour]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=line_end).writerows(table)
    return text.getvalue().encode(encoding)


def _xlsx(table: list[list[object]], flavour: str) -> bytes:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(
        content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.add_worksheet("Empty")
    book.add_worksheet("Lists").hide()
    book.get_worksheet_by_name("Lists").write(0, 0, "hidden")
    sheet = book.add_worksheet("Customers")
    for at, cells in enumerate(table):
        for column, cell in enumerate(cells):
            if cell == "#N/A":
                sheet.write_formula(at, column, "=NA()", None, "#N/A")
            elif isinstance(cell, str):
                sheet.write_string(at, column, cell)
            else:
                sheet.write_number(at, column, cell)
    book.close()
    return content.getvalue()
