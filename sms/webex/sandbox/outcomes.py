"""What becomes of a message: the recipient's number decides, as the project's interface fixes it."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

SUBMITTED, DELIVERED, UNDELIVERED = "Submitted", "Delivered", "Un-Delivered"
FAILED, CLICKED = "Failed", "Clicked"
"""``deliveryStatus`` as receipts spell it."""

FILTER = {
    SUBMITTED: frozenset({"SUBMITTED", "SENT"}),
    DELIVERED: frozenset({"DELIVERED"}),
    UNDELIVERED: frozenset({"FAILED"}),
    FAILED: frozenset({"FAILED"}),
    CLICKED: frozenset({"CLICKED"}),
}
"""Which entries of ``requestedReceipts`` let a status through. There is no Sent receipt: SENT is SUBMITTED."""

_ROWS = [
    [cell.strip() for cell in row.split("|")]
    for row in Path(__file__).with_name("codes.txt").read_text("utf-8").splitlines()
    if row and not row.startswith("#")
]
CODES = {code: (status, words) for code, status, words, *_ in _ROWS}
"""Code to status and description."""


class ScriptedOutcome(NamedTuple):
    name: str
    code: str = "7500"  # the final receipt's
    submitted: bool = True  # whether Submitted comes before it
    receipts: bool = True  # whether any receipt comes
    muddled: bool = False  # each twice, and the final one first
    early: bool = False  # receipts before the reply
    abort: bool = False  # accepted, then the connection drops
    clicks: str = ""  # "person" or "scanner"


ORDINARY = ScriptedOutcome("delivered")
STOPPED = {row[0]: ScriptedOutcome(row[3], row[0], submitted=False) for row in _ROWS if len(row) == 4}
"""What the platform itself stops, by code."""

OUTCOMES = {
    "001": ORDINARY,
    "002": ScriptedOutcome("un-delivered", code="7203"),
    "003": ScriptedOutcome("expired", code="7208"),
    "004": ScriptedOutcome("clicked", clicks="person"),
    "005": ScriptedOutcome("no-receipt", receipts=False),
    "006": ScriptedOutcome("duplicated", muddled=True),
    "007": ScriptedOutcome("scanned", clicks="scanner"),
    "008": ScriptedOutcome("receipt-first", early=True),
    "009": ScriptedOutcome("connection-dropped", abort=True),
    "010": ScriptedOutcome("not-consented", code="9002", submitted=False),
    "011": ScriptedOutcome("frequency-cap", code="9006", submitted=False),
    "012": ScriptedOutcome("blocked", code="7201"),
}
"""By the last three digits of +44 7700 900xxx."""

DRAMA = "447700900"


BY_NAME = {one.name: one for one in OUTCOMES.values()}
BY_CODE = {
    code: ScriptedOutcome(code, code=code, submitted=code != "7501" and status != FAILED)
    for code, (status, _) in CODES.items()
}
"""A fate that ends in a code; 7501 stays Submitted for good."""


def named(name: str) -> ScriptedOutcome:
    """The outcome of a name or a code; raise ``ValueError`` with a sentence when there is none."""
    found = BY_NAME.get(name) or BY_CODE.get(name)
    if found is None:
        raise ValueError(
            f"There is no outcome {name!r}; there are {', '.join(BY_NAME)} and the codes {', '.join(BY_CODE)}."
        )
    return found


def outcome_of(digits: str, chosen: Mapping[str, str], *, by_code: bool) -> ScriptedOutcome:
    """The fate of a number given as digits without ``+``.

    ``chosen`` gives some numbers an outcome's name or code; ``by_code`` lets the last four digits be a code.
    """
    if digits in chosen:
        return named(chosen[digits])
    if by_code and digits[-4:] in BY_CODE:
        return BY_CODE[digits[-4:]]
    if len(digits) == 12 and digits.startswith(DRAMA):
        return OUTCOMES.get(digits[9:], ORDINARY)
    return ORDINARY


class ScriptedClick(NamedTuple):
    """A click on a message's first link, ``delay`` seconds after the delivered receipt."""

    delay: float
    ip: str
    agent: str


_PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)

CLICKS = {
    "person": (ScriptedClick(4.0, "203.0.113.24", _PHONE), ScriptedClick(9.0, "203.0.113.24", _PHONE)),
    "scanner": (
        ScriptedClick(
            0.1, "198.51.100.7", "Mozilla/5.0 (compatible; LinkScanner/1.0; +https://scanner.example/bot)"
        ),
        ScriptedClick(0.3, "198.51.100.8", "python-requests/2.32.3"),
        ScriptedClick(
            0.5, "192.0.2.90", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) HeadlessChrome/126.0.0.0"
        ),
    ),
}
