"""Cells of rejected rows that a person wrote over on the compose page."""

import re
from collections import defaultdict
from collections.abc import Mapping

from portal.odd_requests import refuse_too_long
from sms.compose.drafts import CorrectedCell, Corrections

_CELL = re.compile(r"cell-([0-9]{1,9})-([0-9]{1,4})")


def corrected_cells(typed: Mapping[str, str]) -> Corrections:
    """Those that differ from what the page showed; `was-…` says what that was."""
    found: dict[int, dict[int, CorrectedCell]] = defaultdict(dict)
    for name, after in typed.items():
        if not (place := _CELL.fullmatch(name)):
            continue
        before = typed.get(name.replace("cell", "was"))
        if before is not None and after != before:
            refuse_too_long("cell", after, most=2000)
            found[int(place[1])][int(place[2])] = CorrectedCell(before, after)
    return dict(found)
