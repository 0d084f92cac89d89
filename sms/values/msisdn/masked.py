"""Whatever looks like a phone number, hidden inside of other text. Pure; for log lines and for what people write into the audit.

`sms.values.msisdn.mention` finds one number that is known; this knows none, and would rather hide a figure too many.
"""

import re
from typing import Any

_BETWEEN = r"[ \u00a0()./-]{0,3}"
_RUN = r"(?:(?<![A-Za-z0-9-])|(?<=%2B))\+?\d{7,}(?![\w-])"  # no piece of a UUID, a digest or an identifier
# as people write them: nine digits and more in groups that begin with +, 0 or an area code in brackets
_GROUPS = rf"(?<![\w.:-])(?:\+|\(?0|\(\d{{2,4}}\))(?:{_BETWEEN}\d){{8,15}}(?![\w:])"
_AMERICAN = r"(?<![\w.-])\d{3}[-. ]\d{3}[-. ]\d{4}(?![\w-])"
_LIKE_A_NUMBER = re.compile(f"{_GROUPS}|{_AMERICAN}|{_RUN}")
FEWEST = 7
LARGE = 10**9  # an integer of so many digits is no id of ours


def masked(text: str, *, put: str = "") -> str:
    """`447700900123` → `44•••23`, and so with +44 7700 900 123; or `put` in its place."""
    return _LIKE_A_NUMBER.sub((lambda _: put) if put else _hide, text)


def _hide(found: re.Match[str]) -> str:
    digits = [char for char in found[0] if char.isdigit()]
    plus = "+" if found[0].startswith("+") else ""
    return f"{plus}{''.join(digits[:2])}•••{''.join(digits[-2:])}" if len(digits) >= FEWEST else found[0]


def masked_values(values: Any) -> Any:
    """The same at any depth of what is logged or recorded; large integers too."""
    if isinstance(values, str):
        return masked(values)
    if isinstance(values, dict):
        return {masked_values(key): masked_values(value) for key, value in values.items()}
    if isinstance(values, list):
        return [masked_values(value) for value in values]
    if isinstance(values, tuple):
        return tuple(masked_values(value) for value in values)
    if isinstance(values, int) and abs(values) >= LARGE:
        return masked(str(values))
    return values
