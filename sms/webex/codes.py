"""Every code of the provider's documents, as data: what happened, whether to send again, what a person can do. Never raises.

Sources: reference §4.4 (synchronous), §4.5 (common), §4.6 (SMS receipts, US/Canada, contact policy), §8.2 (contact policy API).
The rows are in `code_table.txt`, their words in `code_words`; the resend column is our inference where the reference marks it so.
Read by `replies` (which decision), `receipts` (which state), reports and the message page (words).
"""

import dataclasses
import re
from pathlib import Path
from typing import Literal

from sms.webex.code_words import ADVICE, MEANING
from sms.words import KeptSentence, gettext_noop

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
    """One code in plain English words, which pages retell. `state` is what it means as a receipt; `advice` is what a person can do."""

    code: str
    kind: Kind
    state: State
    resend: Resend
    meaning: str
    advice: str


_UNKNOWN = KeptSentence(gettext_noop("The provider gave code %(code)s, which its documents do not name."))
_NO_CODE = gettext_noop("The provider gave no code.")
_ASK_SUPPORT = gettext_noop("Look at the provider's own words beside it, and ask its support if it repeats.")


def _read(table: str) -> dict[str, Code]:
    rows = [line.split("|") for line in table.splitlines() if line and not line.startswith("#")]
    cells = (list(map(str.strip, row)) for row in rows)
    return {
        code: Code(code, kind, state, resend, MEANING[code], ADVICE[code])  # type: ignore[arg-type]  # a test holds each to its Literal
        for code, kind, state, resend in cells
    }


_ALL = _read(Path(__file__).with_name("code_table.txt").read_text("utf-8"))
CODES = {code: row for code, row in _ALL.items() if code.isdecimal()}
OWN_CODES = {code: row for code, row in _ALL.items() if not code.isdecimal()}

PAUSING = frozenset(code for code, row in CODES.items() if row.kind == "account")
THROTTLING = frozenset({"7020", "7302"})  # as a reply; 7302 in a receipt is a final failure at the operator

# The receipt path asks for nothing but the state, a million times a day.
STATES: dict[str, State] = {code: row.state for code, row in CODES.items()}


# What the operator or the platform tried in vain; all else was refused beforehand (reference §4.6).
_TRIED = re.compile(r"7(?:005|019|109|111|2[0-9]{2}|30[1-3]|513|518|607|720)")


def delivery_status(code: str) -> str:
    """The word of a receipt for a message that did not arrive."""
    return "Un-Delivered" if _TRIED.fullmatch(code) else "Failed"


def lookup(code: str) -> Code:
    """What a code means. An undocumented one stays unknown, with its number, and no resend is advised blindly."""
    if known := _ALL.get(code):
        return known
    words = _UNKNOWN(code=code) if code else _NO_CODE
    return Code(code, "unknown", "unknown", "unknown", words, _ASK_SUPPORT)


def in_words(code: str, said: str) -> str:
    """The provider's own words, or ours for its code. Beside a code of ours may stand the name of an error in our program, which is for
    our support only."""
    own = "" if code in OWN_CODES and " " not in said else said
    return own or (lookup(code).meaning if code else "")
