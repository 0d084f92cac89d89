"""Every code of the provider's documents, as data: what happened, whether to send again, what a person can do. Never raises.

Sources: reference §4.4 (synchronous), §4.5 (common), §4.6 (SMS receipts, US/Canada, contact policy), §8.2 (contact policy API).
The rows are in `code_table`; the resend column is our inference where the reference marks it so. Read by `replies`
(which decision), `receipts` (which state), reports and the message page (words).
"""

import dataclasses
from typing import Literal

from sms.webex.code_table import OURS, PROVIDER

Kind = Literal[
    "accepted",  # queued or handed over: nothing to do
    "delivered",
    "clicked",
    "request",  # what we asked is malformed or not allowed
    "content",
    "sender",
    "recipient",
    "operator",
    "platform",
    "expired",
    "rate",
    "policy",  # consent or frequency cap
    "account",  # credentials, quota, configuration: pauses the service
    "unknown",
]
Resend = Literal["no", "later", "maybe", "unknown"]
State = Literal["submitted", "delivered", "failed", "clicked", "unknown"]


@dataclasses.dataclass(frozen=True, slots=True)
class Code:
    """One code in plain words. `state` is what it means as a receipt; `advice` is what a person can do."""

    code: str
    kind: Kind
    state: State
    resend: Resend
    meaning: str
    advice: str

    @property
    def known(self) -> bool:
        return self.code in CODES


def _read(rows: str) -> dict[str, Code]:
    """Table rows to codes: `code | kind | state | resend | meaning | advice`."""
    cells = ([cell.strip() for cell in row.split("|")] for row in rows.strip().splitlines())
    return {row[0]: Code(*row) for row in cells}  # type: ignore[arg-type]  # a test holds every cell to its Literal


CODES: dict[str, Code] = _read(PROVIDER)
OWN_CODES: dict[str, Code] = _read(OURS)

PAUSING = frozenset(code for code, row in CODES.items() if row.kind == "account")
THROTTLING = frozenset({"7020", "7302"})  # as a reply; 7302 in a receipt is a final failure at the operator

# The receipt path asks for nothing but the state, a million times a day.
STATES: dict[str, State] = {code: row.state for code, row in CODES.items()}


def lookup(code: str) -> Code:
    """What a code means. An undocumented one stays unknown, with its number, and no resend is advised blindly."""
    known = CODES.get(code) or OWN_CODES.get(code)
    if known is not None:
        return known
    return Code(
        code,
        "unknown",
        "unknown",
        "unknown",
        f"The provider gave code {code}, which its documents do not name."
        if code
        else "The provider gave no code.",
        "Look at the provider's own words beside it, and ask its support if it repeats.",
    )
