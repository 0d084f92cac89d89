"""What events say, in the envelope of Standard Webhooks: the same to who reads them and to who is called. A handful of queries for many.

The recipient and what a partner calls things are looked up here, so each says of them what is known now, whoever shared a batch with it.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from sms.models.callback import Callback
from sms.models.event import Event
from sms.models.event_types import EVENT_TYPES
from sms.models.inbound import InboundMessage
from sms.models.message import Message
from sms.models.optout import OptOut
from sms.models.send import Reject, Send
from sms.models.service import Service
from sms.models.sql.id_list import among
from sms.values.msisdn import mask
from sms.values.msisdn.mention import masked, starred
from sms.webex.wire import stamp

Facts = dict[str, Any]
OF_SENDS = ("name", "client_reference", "callback_data", "reference", "sender__address")
THEIR_WORDS = ("reference", "correlation_id", "client_reference", "callback_data")  # may be the number itself
IN_TEXTS = ("detail", "url", "reason", "text")  # what people and networks wrote, in which a number may stand


def fill(callbacks: Sequence[Callback], *, numbers: bool, texts: bool) -> None:
    """Give callbacks that tell of an event their body. Of one that is kept no longer it stays empty."""
    bare = {one.event_id: one for one in callbacks if not one.body}
    if not bare:
        return
    rows = list(Event.objects.filter(event_id__in=bare))
    for row, body in zip(rows, envelopes(rows, numbers=numbers, texts=texts), strict=True):
        bare[row.event_id].body = msgspec.json.encode(body).decode()


def envelopes(rows: Sequence[Event], *, numbers: bool, texts: bool) -> list[Facts]:
    """`numbers`: whole ones; `texts`: what people wrote to us."""
    known = _Known(rows)
    return [_envelope(row, known, numbers=numbers, texts=texts) for row in rows]


def _envelope(row: Event, known: "_Known", *, numbers: bool, texts: bool) -> Facts:
    found = known.about(row) | row.data
    if not numbers and (number := found.get("number")):
        hidden = {
            name: starred(found[name], number) for name in THEIR_WORDS if _may_name(found.get(name), number)
        }
        found |= hidden | {"number": mask(number)}
    if not numbers:
        found |= {name: masked(found[name]) for name in IN_TEXTS if found.get(name)}
    if not texts:
        found["text"] = None
    data = {name: found.get(name) for name in EVENT_TYPES[row.type].fields}
    empty = {name: None for name, value in data.items() if value == ""}
    return {
        "id": row.event_id,
        "type": row.type,
        "timestamp": stamp(row.at),
        "test": row.test,
        "data": data | empty,
    }


class _Known:
    """What is looked up for events, each kind of thing at once."""

    def __init__(self, rows: Sequence[Event]) -> None:
        self.rejects = _by_pk(_values(Reject, _subjects(rows, "message.rejected"), *REJECT))
        self.inbound = _by_pk(_values(InboundMessage, _subjects(rows, "inbound."), *INBOUND))
        self.opt_outs = _by_pk(_values(OptOut, _subjects(rows, "opt_out."), *OPT_OUT))
        self.messages = _by_pk(_values(Message, (row.message_id for row in rows), *MESSAGE))
        self.sends = _by_pk(_values(Send, (row.send_id for row in rows), *OF_SENDS))
        self.slugs = dict(
            Service.objects.filter(pk__in={row.service_id for row in rows}).values_list("pk", "slug")
        )

    def about(self, row: Event) -> Facts:
        found: Facts = {"service": self.slugs[row.service_id]}
        found |= {"send": row.send_id or None, "message": row.message_id or None}
        if send := self.sends.get(row.send_id):
            found |= {"name": send["name"], "sender": send["sender__address"]}
            found |= {"client_reference": send["client_reference"], "callback_data": send["callback_data"]}
        if message := self.messages.get(row.message_id):
            found |= {
                "row": message["row"],
                "number": _number(message["msisdn"]),
                "provider_id": message["provider_id"],
                "correlation_id": message["echo__correlation_id"],
                "reference": message["echo__reference"],
            }
        for kind, rows, read in (
            ("message.rejected", self.rejects, _of_reject),
            ("inbound.", self.inbound, _of_inbound),
            ("opt_out.", self.opt_outs, _of_opt_out),
        ):
            if row.type.startswith(kind) and (subject := rows.get(row.subject_id)):
                found |= read(subject)
        return found


MESSAGE = ("row", "msisdn", "provider_id", "echo__correlation_id", "echo__reference")
REJECT = ("row", "value", "code", "field", "reason", "reference")
INBOUND = ("msisdn", "address", "text", "meaning", "sure")
OPT_OUT = ("msisdn", "source")


def _of_reject(one: Facts) -> Facts:
    return {
        "row": one["row"],
        "number": one["value"],
        "reference": one["reference"],
        "code": one["code"],
        "field": one["field"],
        "detail": one["reason"],
    }


def _of_inbound(one: Facts) -> Facts:
    return {
        "inbound": one["pk"],
        "number": _number(one["msisdn"]),
        "address": one["address"],
        "text": one["text"],
        "keyword": one["meaning"],
        "sure": one["sure"],
    }


def _of_opt_out(one: Facts) -> Facts:
    return {"opt_out": one["pk"], "number": _number(one["msisdn"]), "source": one["source"]}


def _may_name(text: str | None, number: str) -> bool:
    """Whether to look closer."""
    return bool(text) and (not text.isascii() or number[-6:] in "".join(filter(str.isdigit, text)))


def _number(stored: str) -> str:
    """Empty where it is no longer kept."""
    return stored if stored.startswith("+") else ""


def _subjects(rows: Sequence[Event], kind: str) -> Iterable[int]:
    return (row.subject_id for row in rows if row.type.startswith(kind))


def _values(model: Any, ids: Iterable[int], *columns: str) -> list[Facts]:
    wanted = {pk for pk in ids if pk}
    return (
        list(model.objects.filter(pk__in=among(wanted)).order_by().values("pk", *columns)) if wanted else []
    )


def _by_pk(rows: list[Facts]) -> dict[int, Facts]:
    return {row["pk"]: row for row in rows}
