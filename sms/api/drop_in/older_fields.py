"""Bodies of the provider's older send APIs, field by field: what their documentation has is taken, anything else is refused by name.

A name may be written in any case, since public clients do not agree on one. What is null or empty is not given.
"""

from collections.abc import Iterable

from sms.api.drop_in.errors import invalid
from sms.api.drop_in.fields import Block

UNDOCUMENTED = (
    "Webex Connect documents no such field here, so Textdesk cannot tell what it asks for. "
    "Leave it out, or send to /v2/messages."
)


def documented(data: Block, names: Iterable[str], inside: str = "") -> Block:
    """What is given, by its documented name. Raises DropInRefused for a field that has none."""
    known = {name.lower(): name for name in names}
    found: Block = {}
    for written, value in data.items():
        if value is None or value in ("", [], {}):
            continue
        name = known.get(written.lower())
        if name is None:
            raise invalid(inside + written[:60], UNDOCUMENTED)
        if name in found:
            raise invalid(inside + written[:60], "It is given twice.")
        found[name] = value
    return found


def not_passed_on(data: Block, reasons: dict[str, str], inside: str = "") -> None:
    """Raises DropInRefused for a documented field that `/v2/messages`, and so Textdesk, cannot pass on."""
    for name, why in reasons.items():
        if data.get(name):
            raise invalid(inside + name, why)


def renamed(data: Block, names: dict[str, str]) -> Block:
    """Those of its fields that are called otherwise at `/v2/messages`, or the same."""
    return {theirs: data[name] for name, theirs in names.items() if name in data}
