"""What becomes of a message: the recipient's number decides, as the project's interface fixes it."""

from __future__ import annotations

from typing import NamedTuple

SUBMITTED, DELIVERED, UNDELIVERED, FAILED, CLICKED = (
    "Submitted",
    "Delivered",
    "Un-Delivered",
    "Failed",
    "Clicked",
)
"""``deliveryStatus`` as receipts spell it."""

FILTER = {
    SUBMITTED: frozenset({"SUBMITTED", "SENT"}),
    DELIVERED: frozenset({"DELIVERED"}),
    UNDELIVERED: frozenset({"FAILED"}),
    FAILED: frozenset({"FAILED"}),
    CLICKED: frozenset({"CLICKED"}),
}
"""Which entries of ``requestedReceipts`` let a status through. There is no Sent receipt: SENT is SUBMITTED."""

CODES = {
    "7500": (DELIVERED, "Delivered"),
    "7501": (SUBMITTED, "Submitted"),
    "7101": (FAILED, "Invalid Sender ID"),
    "7102": (FAILED, "Invalid address"),
    "7107": (FAILED, "Message length exceeded"),
    "7201": (UNDELIVERED, "Message rejected by operator"),
    "7203": (UNDELIVERED, "Unknown subscriber"),
    "7208": (UNDELIVERED, "Message expired"),
    "9002": (FAILED, "Consumer has not consented"),
    "9006": (FAILED, "Frequency cap exceeded"),
}
"""Code to status and description."""


class Outcome(NamedTuple):
    """A scripted fate."""

    name: str
    code: str = "7500"  # the final receipt's
    submitted: bool = True  # whether Submitted comes before it
    receipts: bool = True  # whether any receipt comes
    muddled: bool = False  # each twice, and the final one first
    early: bool = False  # receipts before the reply
    abort: bool = False  # accepted, then the connection drops
    clicks: str = ""  # "person" or "scanner"


ORDINARY = Outcome("delivered")
INVALID_ADDRESS = Outcome("invalid-address", code="7102", submitted=False)
TOO_LONG = Outcome("too-long", code="7107", submitted=False)
EXPIRED_HERE = Outcome("expired-before-sending", code="7208", submitted=False)

OUTCOMES = {
    "001": ORDINARY,
    "002": Outcome("un-delivered", code="7203"),
    "003": Outcome("expired", code="7208"),
    "004": Outcome("clicked", clicks="person"),
    "005": Outcome("no-receipt", receipts=False),
    "006": Outcome("duplicated", muddled=True),
    "007": Outcome("scanned", clicks="scanner"),
    "008": Outcome("receipt-first", early=True),
    "009": Outcome("connection-dropped", abort=True),
    "010": Outcome("not-consented", code="9002", submitted=False),
    "011": Outcome("frequency-cap", code="9006", submitted=False),
    "012": Outcome("blocked", code="7201"),
}
"""By the last three digits of +44 7700 900xxx."""

DRAMA = "447700900"


def outcome_of(digits: str) -> Outcome:
    """The fate of a number given as digits without ``+``."""
    if len(digits) == 12 and digits.startswith(DRAMA):
        return OUTCOMES.get(digits[9:], ORDINARY)
    return ORDINARY


class Click(NamedTuple):
    """A click on a message's first link, ``delay`` seconds after the delivered receipt."""

    delay: float
    ip: str
    agent: str


_PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)

CLICKS = {
    "person": (Click(4.0, "203.0.113.24", _PHONE), Click(9.0, "203.0.113.24", _PHONE)),
    "scanner": (
        Click(0.1, "198.51.100.7", "Mozilla/5.0 (compatible; LinkScanner/1.0; +https://scanner.example/bot)"),
        Click(0.3, "198.51.100.8", "python-requests/2.32.3"),
        Click(0.5, "192.0.2.90", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) HeadlessChrome/126.0.0.0"),
    ),
}
