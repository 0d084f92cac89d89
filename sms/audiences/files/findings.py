"""What a file turned out to hold, for the panel "What we read from your file", for programs and for the audit.

Made by `reading` when a file is opened, before its first recipient. Kept with an audience version as JSON.
"""

from typing import Any

import msgspec

SHEETS = 50  # that are named
NAMED = 20  # columns, rows


class OtherSheet(msgspec.Struct, frozen=True):
    """A sheet of the workbook that was not read."""

    name: str
    hidden: bool = False


class FileFindings(msgspec.Struct, frozen=True, kw_only=True):
    """Rows count from 1 as in a spreadsheet. What is hidden counts only where something stands in it.

    `kind` is CSV, XLSX, XLS or ODS, empty for pasted numbers. `heading_row` is 0 where there are no headings, and `rows_above` are the
    filled rows above them, which are not read. `tells_hidden` is False where the format does not say what is hidden.
    """

    kind: str = ""
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheet_hidden: bool = False
    other_sheets: tuple[OtherSheet, ...] = ()
    heading_row: int = 0
    rows_above: int = 0
    column: str = ""
    repeated: tuple[str, ...] = ()
    hidden_rows: int = 0
    first_hidden_rows: tuple[int, ...] = ()
    rows_choice: str = ""
    hidden_columns: tuple[str, ...] = ()
    columns_choice: str = ""
    filtered: bool = False
    uncalculated: int = 0
    errors: int = 0
    tells_hidden: bool = True

    @property
    def is_workbook(self) -> bool:
        return bool(self.sheet)

    def as_json(self) -> dict[str, Any]:
        """Without what says nothing."""
        return {name: value for name, value in msgspec.to_builtins(self).items() if value != _PLAIN[name]}

    @property
    def figures(self) -> dict[str, Any]:
        """For the audit: figures and choices, no name of a sheet or a column."""
        left_out = {"hidden_rows", "hidden_columns"}
        shown = {
            "heading_row": self.heading_row,
            "rows_above": self.rows_above,
            "other_sheets": len(self.other_sheets),
            "hidden_rows": self.hidden_rows,
            "hidden_columns": len(self.hidden_columns),
            "formulas_never_calculated": self.uncalculated,
        }
        choices = {"hidden_rows": self.rows_choice, "hidden_columns": self.columns_choice}
        return {
            **{name: value for name, value in shown.items() if value},
            **{f"{name}_choice": choices[name] for name in sorted(left_out) if shown[name] and choices[name]},
        }


NOTHING_FOUND = FileFindings()
_PLAIN = msgspec.to_builtins(NOTHING_FOUND)


def findings_of(kept: dict[str, Any]) -> FileFindings | None:
    """As it was kept; None for what was stored without."""
    return msgspec.convert(kept, FileFindings) if kept else None
