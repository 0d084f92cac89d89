"""How a file is to be read where what a person sees and what the file holds differ: a person's or a program's choices.

Nothing chosen is "": as a person sees the file, except that hidden rows have to be chosen about. Drafts keep them as JSON, the API and
`manage.py send` take them as fields of the same names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

LEAVE_OUT, INCLUDE = "leave_out", "include"
HIDDEN = (LEAVE_OUT, INCLUDE)
LAST_ROW, LAST_COLUMN = 1 << 20, 1 << 14  # no sheet has more


@dataclass(frozen=True, slots=True)
class ReadingChoices:
    """`heading_row` is a row's number as a spreadsheet shows it, 0 for no headings, None to find them."""

    sheet: str = ""
    heading_row: int | None = None
    hidden_rows: str = ""
    hidden_columns: str = ""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "ReadingChoices":
        """Those that `given` names, whatever else is in it."""
        chosen = {name: given[name] for name in NAMES if given.get(name) not in (None, "")}
        return cls(**chosen)

    def as_json(self) -> dict[str, Any]:
        """Only what was chosen, so that nothing chosen is an empty object however it came."""
        chosen = {name: getattr(self, name) for name in NAMES}
        return {name: value for name, value in chosen.items() if value not in (None, "")}

    @property
    def of_headings(self) -> dict[str, Any]:
        """What is offered again for the next file with the same headings. Which rows are hidden is a matter of each file."""
        return {name: value for name, value in self.as_json().items() if name != "hidden_rows"}


NAMES = tuple(field.name for field in fields(ReadingChoices))
AS_SEEN = ReadingChoices()
