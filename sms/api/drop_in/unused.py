"""What of a partner's request nothing is done with, by name: in the reply's `textdesk`, so that nothing is dropped in silence.

Whether Webex Connect ignores or refuses what it does not document is not known, and old samples of its own are full of such fields, so
the request is taken as it would be there.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from sms.api.json_values import repeated_name
from sms.catalogue.content_gate.finding import ADVICE
from sms.compose.resolved_order import ResolvedOrder
from sms.values import text
from sms.values.text import UNSTORABLE
from sms.webex import send_request as wire

Notice = dict[str, str]
"""`field`, and `detail` with a sentence."""

MOST = 20
LONGEST_NAME = 60


def _names(struct: type[msgspec.Struct], *ours: str) -> frozenset[str]:
    return frozenset((*(one.encode_name for one in msgspec.structs.fields(struct)), *ours))


WHOLE = _names(wire.SendRequest, "clientReference", "textdesk")
BLOCKS = {
    "content": _names(wire.Content),
    "template": _names(wire.TemplateRef, "ID"),
    "options": _names(wire.Options),
    "contactPolicy": _names(wire.ContactPolicy),
}
LISTS = {"to": _names(wire.Destination), "smartlinks": _names(wire.SmartlinkOptions)}


def notice(field: str, detail: str) -> Notice:
    return {"field": field, "detail": detail}


def unknown_fields(data: Mapping[str, Any]) -> list[Notice]:
    """Fields that the provider does not document for an SMS. One with nothing in it is as good as left out."""
    found: dict[str, Notice] = {}
    for path, name, known in _unknown(data):
        shown = UNSTORABLE.sub("", path + name)[:LONGEST_NAME]
        if shown not in found:
            meant = next((one for one in known if one.lower() == name.lower()), "")
            says = "Webex Connect documents no such field for SMS, so it was not used."
            found[shown] = notice(shown, says + (f" The field is written {meant}." if meant else ""))
        if len(found) == MOST:
            break
    return list(found.values())


def parameters(names: Iterable[str]) -> list[Notice]:
    """Of an address, none of which takes any."""
    says = "This address takes no parameters, so it was not used."
    return [notice(UNSTORABLE.sub("", name)[:LONGEST_NAME], says) for name in sorted(names)[:MOST]]


def repeated(body: bytes) -> list[Notice]:
    """The first name that an object of the body has twice; decoders take the last value."""
    name = repeated_name(body)
    if name is None:
        return []
    says = "One object has this name twice, so the first value was not used."
    return [notice(UNSTORABLE.sub("", name)[:LONGEST_NAME], says)]


def _unknown(data: Mapping[str, Any]) -> Iterator[tuple[str, str, frozenset[str]]]:
    yield from _beside(data, WHOLE, "")
    for name, known in BLOCKS.items():
        if isinstance(block := data.get(name), dict):
            yield from _beside(block, known, f"{name}.")
    for name, known in LISTS.items():
        entries = data.get(name)
        for entry in entries if isinstance(entries, list) else [entries]:
            if isinstance(entry, dict) and not known.issuperset(entry):
                yield from _beside(entry, known, f"{name}[].")


def _beside(
    block: Mapping[str, Any], known: frozenset[str], path: str
) -> Iterator[tuple[str, str, frozenset[str]]]:
    for name, value in block.items():
        if name not in known and value not in (None, "", [], {}):
            yield path, name, known


def _of_type(order: ResolvedOrder) -> Iterator[Notice]:
    """Where a text is posted as another type than a partner called it."""
    asked = order.partner.content_type if order.partner else ""
    if not asked:
        return
    given = {
        id(one.substitutions): one.substitutions
        for block in order.audience.blocks()
        for one in block.recipients
    }
    taken = [one.heading for one in order.placeholders if one.heading]
    texts = [order.text, *(values.get(name, "") for values in given.values() for name in taken)]
    plain = all(map(text.is_gsm7, texts))
    if asked == "text" and not plain:
        says = "Posted as unicode where it has characters that plain SMS has not, which takes more segments."
        yield notice("content.type", says)
    elif asked == "unicode" and plain:
        yield notice("content.type", "Posted as text, which can hold all its characters in fewer segments.")


def about_text(order: ResolvedOrder) -> list[Notice]:
    """What the content gate doubts, and values that no placeholder of the text takes."""
    if not order.text:
        return []
    found = [*_of_type(order)]
    found += [notice("content.text", one.text) for one in order.cautions if one.level != ADVICE]
    taken = {one.heading for one in order.placeholders}
    listed = [name for name in order.audience.headings if name and name not in taken]
    if not listed:
        return found
    shown = ", ".join(f"“{name[:LONGEST_NAME]}”" for name in listed[:MOST])
    more = f" and {len(listed) - MOST:,} more" if len(listed) > MOST else ""
    says = f"Nothing in the text takes {shown}{more}: Textdesk fills placeholders like $(name). Passed on to Webex Connect as given."
    return [*found, notice("substitutions", says)]
