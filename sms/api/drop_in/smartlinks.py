"""The smartlinks of a partner's body. Called by `body`."""

from typing import Any

from sms.api.drop_in import fields
from sms.api.drop_in.errors import invalid, missing
from sms.api.drop_in.fields import Block
from sms.api.drop_in.unused import Notice, notice
from sms.webex.limits import SMARTLINK


def smartlinks_of(data: Block, text: str, notices: list[Notice]) -> dict[int, int]:
    """Those that stand in the text: an entry without a token does nothing, a token without an entry would be sent as it is.

    All of them where a template makes the text.
    """
    entries: Any = fields.given(data, "smartlinks")
    if isinstance(entries, dict):  # the table of parameters calls it an object, the sample shows a list
        entries = [entries]
    if not isinstance(entries, list | None):
        raise invalid("smartlinks")
    listed: dict[int, int] = {}
    for entry in entries or ():
        if not isinstance(entry, dict):
            raise invalid("smartlinks")
        link = _smartlink_field(entry, "smartlinkId")
        listed[link] = _smartlink_field(entry, "validity")
    if not text:
        return listed
    wanted = {int(link) for link in SMARTLINK.findall(text)}
    if wanted - listed.keys():
        raise invalid("smartlinks")
    for link in listed.keys() - wanted:
        says = f"The text has no {{{{smartlink_{link}}}}}, so its entry was not used."
        notices.append(notice("smartlinks", says))
    return {link: minutes for link, minutes in listed.items() if link in wanted}


def _smartlink_field(entry: Block, name: str) -> int:
    value = fields.given(entry, name)
    if value is None:
        raise missing(f"smartlinks.{name}")
    return fields.count(value, f"smartlinks.{name}")
