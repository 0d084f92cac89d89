"""What somebody who must not have numbers gets of a cell: every number in it hidden, rather a figure too many. Pure.

Wider than `mention.masked`, which has to leave the figures of a log line: here a column may hold nothing but numbers, in each form that
people write and `parse` reads. Dates, and identifiers that begin with a letter, stay, since they join a report to a list.
"""

import re

from sms.values.msisdn import BadNumber, parse
from sms.values.msisdn.mention import BETWEEN, FEWEST, hide, latin

_DATE = r"(?<!\d)(?:\d{4}-\d\d-\d\d|\d\d?[./]\d\d?[./]\d{4})(?!\d|[./-]\d)"
_IDENTIFIER = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{32,}"
_NUMBERS = re.compile(
    rf"(?P<kept>{_DATE}|{_IDENTIFIER})|(?P<letter>[A-Za-z]-?)?\+?\d(?:{BETWEEN}\d){{{FEWEST - 1},}}"
)
_REST_OF_IDENTIFIER = re.compile(r"\+?[\d-]*")


def without_numbers(cell: str, *, country: str, put: str = "") -> str:
    """`put` in place of each number, or its first and last figures with dots between."""
    if sum(map(str.isdigit, cell)) < FEWEST:
        return cell
    if _is_number(cell, country):
        return put or hide(cell)
    parts, shown, at, plain = list[str](), 0, 0, latin(cell)
    while found := _NUMBERS.search(plain, at):
        at = found.end()
        if found["kept"]:
            continue
        start = found.end("letter") if found["letter"] else found.start()
        if found["letter"] and not _is_number(plain[start:at], country):
            at = _REST_OF_IDENTIFIER.match(plain, start).end()  # type: ignore[union-attr]
            continue
        parts += [cell[shown:start], put or hide(cell[start:at])]
        shown = at
    return "".join([*parts, cell[shown:]])


def _is_number(written: str, country: str) -> bool:
    try:
        parse(written, country=country)
    except BadNumber:
        return False
    return not re.fullmatch(_DATE, written.strip())
