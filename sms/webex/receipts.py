"""A delivery notification (receipt) read into a flat `Notification` (reference §6.4). Called by the stage that applies receipts.

Decided by the code first and the status second, because the provider's documents label some codes both ways. Every field may be
missing, of another type or spelled another way; unknown keys are ignored, since payloads are announced to grow. The only error
is `UnreadableBody`; the raw body stays with the caller. Nothing here checks who sent it: that is `signature` and the correlation id.
"""

import datetime as dt
import ipaddress
from collections.abc import Iterable
from typing import Any

import msgspec

from sms.webex import lenient
from sms.webex.codes import STATES, State
from sms.webex.errors import NOT_JSON, UnreadableBody
from sms.webex.values import count, moment, number, text
from sms.words import KeptSentence, gettext_noop

_STATES_BY_STATUS: dict[str, State] = {
    "submitted": "submitted",
    "sent": "submitted",  # an alias of SUBMITTED in the filter; no such receipt is documented
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "expired": "failed",
    "rejected": "failed",
    "clicked": "clicked",
}

NO_RECEIPT = KeptSentence(gettext_noop("It is JSON, but no receipt: %(error)s"))


class Notification(msgspec.Struct, frozen=True, gc=False):
    """One receipt. Texts are "" and moments None where the provider left them out.

    `destination` has its `+` whenever it is a number. `segments` is the provider's count. `url`, `ip` and `user_agent` belong to
    clicks. `upgrade` and `upgrade_result` come from tenants with Branded Text, where RCS falls back to SMS.
    """

    correlation_id: str
    provider_id: str
    code: str
    status: str
    state: State
    destination: str
    at: dt.datetime | None = None
    segments: int | None = None
    carrier: str = ""
    description: str = ""
    url: str = ""
    ip: str = ""
    user_agent: str = ""
    callback_data: str = ""
    carrier_submitted_at: dt.datetime | None = None
    upgrade: str = ""
    upgrade_result: str = ""


class _Info(msgspec.Struct, gc=False):
    """`deliveryInfo` as it comes: any value under any key, so that decoding cannot fail on a type."""

    code: Any = None
    deliveryStatus: Any = None  # noqa: N815  # the provider's spelling, here and below
    destination: Any = None
    timeStamp: Any = None  # noqa: N815
    Description: Any = None
    description: Any = None
    messageCount: Any = None  # noqa: N815
    additionalInfo: Any = None  # noqa: N815
    carrier: Any = None
    carrierSubmitTimeStamp: Any = None  # noqa: N815
    attemptedUpgradeto: Any = None  # noqa: N815
    upgradeResult: Any = None  # noqa: N815


class _Outer(msgspec.Struct, gc=False):
    deliveryInfo: _Info  # noqa: N815
    transid: Any = None
    correlationid: Any = None
    correlationId: Any = None  # noqa: N815  # as in requests and replies
    corelationid: Any = None  # as in the data streams
    callbackData: Any = None  # noqa: N815
    carrier: Any = None
    carrierSubmitTimeStamp: Any = None  # noqa: N815  # which level it is on is not documented


class _Envelope(msgspec.Struct, gc=False):
    deliveryInfoNotification: _Outer  # noqa: N815


_DECODE = msgspec.json.Decoder(_Envelope).decode


def parse_receipt(raw: bytes) -> Notification:
    """Read one body. Raises `UnreadableBody`, and nothing else, where it holds no `deliveryInfo` object."""
    try:
        outer = _DECODE(raw).deliveryInfoNotification
    except (ValueError, RecursionError):
        outer = _second_look(raw)
    info = outer.deliveryInfo
    if info.code is None and info.deliveryStatus is None:  # perhaps in another spelling
        outer = _second_look(raw)
        info = outer.deliveryInfo
    code = text(info.code)
    status = text(info.deliveryStatus)
    state = STATES.get(code) or _state_by_status(status)
    # most of what may come is left out, and a call for each would cost as much as the decoding
    description = text(info.Description) or (text(info.description) if info.description else "")
    correlation_id = text(outer.correlationid)
    url = ip = user_agent = ""
    if state == "clicked":
        url, ip = _click(description)
        user_agent = text(info.additionalInfo)
    carrier = outer.carrier or info.carrier
    carried = outer.carrierSubmitTimeStamp or info.carrierSubmitTimeStamp
    return Notification(
        correlation_id or text(outer.correlationId) or text(outer.corelationid),
        text(outer.transid),
        code,
        status,
        state,
        number(text(info.destination)),
        moment(info.timeStamp),
        count(info.messageCount),
        text(carrier) if carrier else "",
        description,
        url,
        ip,
        user_agent,
        text(outer.callbackData) if outer.callbackData else "",
        moment(carried) if carried else None,
        text(info.attemptedUpgradeto) if info.attemptedUpgradeto else "",
        text(info.upgradeResult) if info.upgradeResult else "",
    )


def _second_look(raw: bytes) -> _Outer:
    """Slightly broken JSON, names in another spelling, or no envelope around the rest: not documented, but it costs nothing to read."""
    try:
        said = lenient.decoded(raw)
        said = said[0] if isinstance(said, list) and len(said) == 1 else said
        said = _by_our_names(said, ("deliveryInfoNotification",))
        said = _by_our_names(said.get("deliveryInfoNotification", said), _Outer.__struct_fields__)
        said["deliveryInfo"] = _by_our_names(said["deliveryInfo"], _Info.__struct_fields__)
        return msgspec.convert(said, _Outer)
    except (msgspec.ValidationError, AttributeError, KeyError, TypeError) as error:
        raise UnreadableBody(NO_RECEIPT(error=error)) from None
    except (ValueError, RecursionError) as error:
        raise UnreadableBody(NOT_JSON(error=error)) from None


def _by_our_names(said: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Fields by the names that we know, whatever their case and signs; the first that says something."""
    known = {name.lower(): name for name in reversed(tuple(names))}
    found: dict[str, Any] = {}
    for written, value in said.items():
        name = (
            written if written in names else known.get("".join(filter(str.isalnum, written)).lower(), written)
        )
        if found.get(name) in (None, ""):
            found[name] = value
    return found


def _state_by_status(status: str) -> State:
    """For codes that are not documented. A word that is not documented changes nothing: unknown, never failed."""
    return _STATES_BY_STATUS.get("".join(filter(str.isalpha, status)).lower(), "unknown")


def _click(description: str) -> tuple[str, str]:
    """`url|ip`. The address is the part after the last bar, if it is one; a bar may also be part of the URL."""
    url, bar, last = description.rpartition("|")
    if bar:
        try:
            return url, str(ipaddress.ip_address(last.strip()))
        except ValueError:
            pass
    return description, ""
