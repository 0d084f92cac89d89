"""What events say, in the envelope of Standard Webhooks: the same to who reads them and to who is called. A handful of queries for many.

The recipient and what a partner calls things are looked up here, so each says of them what is known now, whoever shared a batch with it.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import msgspec
from django.db.models import Model, QuerySet

from sms.models.callback import Callback
from sms.models.event import Event
from sms.models.event_types import EVENT_TYPES
from sms.models.inbound import InboundMessage
from sms.models.message import Message
from sms.models.optout import OptOut
from sms.models.send import Reject, Send
from sms.models.service import Service
from sms.models.sql.id_list import among
from sms.values.msisdn import BadNumber, mask, parse
from sms.values.msisdn.mention import has_end_of, masked, numbers_like, starred
from sms.webex import codes
from sms.webex.wire import stamp

Facts = dict[str, Any]
OF_SENDS = ("name", "client_reference", "callback_data", "sender__address")
# may be the number itself
THEIR_WORDS = ("reference", "correlation_id", "client_reference", "callback_data", "name")
_MAY_BE_A_NUMBER = re.compile(r"(?:\d.*?){5}", re.DOTALL)  # fewer figures are none, and most names have fewer
IN_TEXTS = ("detail", "url", "reason", "text")  # what people and networks wrote, in which a number may stand


class LoggedEvent(NamedTuple):
    """What of an event's row is told, or says where it stands."""

    pk: int
    transaction_id: int
    event_id: str
    service_id: int
    type: str
    send_id: int
    message_id: int
    subject_id: int
    at: datetime
    test: bool
    data: Facts


def logged(rows: "QuerySet[Event]") -> list[LoggedEvent]:
    return list(map(LoggedEvent._make, rows.values_list(*LoggedEvent._fields)))


def fill(callbacks: Sequence[Callback], *, numbers: bool, texts: bool) -> None:
    """Give callbacks that tell of an event their body. Of one that is kept no longer it stays empty."""
    bare = {one.event_id: one for one in callbacks if not one.body}
    if not bare:
        return
    rows = logged(Event.objects.filter(event_id__in=bare))
    for row, body in zip(rows, envelopes(rows, numbers=numbers, texts=texts), strict=True):
        bare[row.event_id].body = msgspec.json.encode(body).decode()


def envelopes(rows: Sequence[LoggedEvent], *, numbers: bool, texts: bool) -> list[Facts]:
    """`numbers`: whole ones; `texts`: what people wrote to us."""
    known = _Known(rows)
    told = [known.about(row) for row in rows]
    if not numbers:
        _hide_numbers(told, known.countries)
    return [_envelope(row, found, texts=texts) for row, found in zip(rows, told, strict=True)]


def _envelope(row: LoggedEvent, found: Facts, *, texts: bool) -> Facts:
    if not texts:
        found["text"] = found["url"] = None  # a link is part of what a message says
    return {
        "id": row.event_id,
        "type": row.type,
        "timestamp": stamp(row.at),
        "test": row.test,
        "data": {
            name: None if (value := found.get(name)) == "" else value for name in EVENT_TYPES[row.type].fields
        },
    }


def _hide_numbers(told: Sequence[Facts], countries: Mapping[str, str]) -> None:
    """In place. What a partner calls one recipient may be the number of this or of another one of its send: asks the database only where
    something looks like a number. `countries` are the default ones, by service."""
    words = {
        (found["send"], found["service"], text)
        for found in told
        if found["send"]
        for name in THEIR_WORDS
        if (text := found.get(name))
    }
    written = {(send, one): countries[service] for send, service, text in words for one in numbers_like(text)}
    read = {asked: number for asked, country in written.items() if (number := _e164(asked[1], country))}
    theirs = _recipients(read)
    # most texts are the same in all events of a send; they are remembered no longer than this page
    may_be_a_number, without_numbers = cache(_may_be_a_number), cache(masked)
    for found in told:
        number = found.get("number") or ""
        for name in THEIR_WORDS:
            if (text := found.get(name)) and may_be_a_number(text):
                found[name] = _without(text, number, theirs.get(found["send"], ()))
        if number:
            found["number"] = mask(number)
        for name in IN_TEXTS:
            if text := found.get(name):
                found[name] = without_numbers(text)


def _may_be_a_number(text: str) -> bool:
    return _MAY_BE_A_NUMBER.search(text) is not None


def _without(text: str, number: str, recipients: Collection[str]) -> str:
    for one in {number, *recipients}:
        text = starred(text, one)
    return masked(text) if has_end_of(number, text) else text


def _recipients(read: Mapping[tuple[int, str], str]) -> dict[int, set[str]]:
    """Those of the numbers to which their sends go, by send."""
    found: dict[int, set[str]] = {}
    if read:
        rows = Message.objects.filter(
            send__in=among({send for send, _ in read}), msisdn__in=set(read.values())
        )
        for send_id, number in rows.order_by().values_list("send_id", "msisdn"):
            found.setdefault(send_id, set()).add(number)
    return found


def _e164(written: str, country: str) -> str:
    try:
        return parse(written, country=country).e164
    except BadNumber:
        return ""


class _Known:
    """What is looked up for events, each kind of thing at once."""

    def __init__(self, rows: Sequence[LoggedEvent]) -> None:
        self.subjects = {
            kind: _by_pk(
                _values(model, (row.subject_id for row in rows if row.type.startswith(kind)), *columns)
            )
            for kind, (model, columns, _) in SUBJECTS.items()
        }
        self.messages = _by_pk(_values(Message, {row.message_id for row in rows}, *MESSAGE))
        self.sends = {
            one["pk"]: _of_send(one) for one in _values(Send, {row.send_id for row in rows}, *OF_SENDS)
        }
        services = {row.service_id for row in rows}
        rows_of = Service.objects.filter(pk__in=services).values_list("pk", "slug", "default_country")
        self.slugs, self.countries = dict[int, str](), dict[str, str]()
        for pk, slug, country in rows_of:
            self.slugs[pk], self.countries[slug] = slug, country

    def about(self, row: LoggedEvent) -> Facts:
        message = self.messages.get(row.message_id)
        found: Facts = {
            **self.sends.get(row.send_id, {}),
            **(_of_message(message) if message else {}),
            "service": self.slugs[row.service_id],
            "send": row.send_id or None,
            "message": row.message_id or None,
        }
        if row.subject_id:
            for kind, (_, _, read) in SUBJECTS.items():
                if row.type.startswith(kind) and (subject := self.subjects[kind].get(row.subject_id)):
                    found |= read(subject)
        found |= row.data
        if row.message_id and "detail" in found:
            found["detail"] = codes.in_words(found["code"] or "", found["detail"] or "")
        return found


MESSAGE = ("row", "msisdn", "provider_id", "echo__correlation_id", "echo__reference")


def _of_send(one: Facts) -> Facts:
    return {
        "name": one["name"],
        "sender": one["sender__address"],
        "client_reference": one["client_reference"],
        "callback_data": one["callback_data"],
    }


def _of_message(one: Facts) -> Facts:
    return {
        "row": one["row"],
        "number": _number(one["msisdn"]),
        "provider_id": one["provider_id"],
        "correlation_id": one["echo__correlation_id"],
        "reference": one["echo__reference"],
    }


def _of_reject(one: Facts) -> Facts:
    return {
        "row": one["row"],
        "number": one["value"],
        "reference": one["reference"],
        "correlation_id": one["correlation_id"],
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
        "conversation": one["conversation"],
        "matched_keyword": one["matched"],
    }


def _of_opt_out(one: Facts) -> Facts:
    return {"opt_out": one["pk"], "number": _number(one["msisdn"]), "source": one["source"]}


def _number(stored: str) -> str:
    """Empty where it is no longer kept."""
    return stored if stored.startswith("+") else ""


# what events of these types tell of, beside their message and their send: its model, the columns, and what they say
SUBJECTS: dict[str, tuple[type[Model], tuple[str, ...], Callable[[Facts], Facts]]] = {
    "message.rejected": (
        Reject,
        ("row", "value", "code", "field", "reason", "reference", "correlation_id"),
        _of_reject,
    ),
    "inbound.": (
        InboundMessage,
        ("msisdn", "address", "text", "meaning", "sure", "conversation", "matched"),
        _of_inbound,
    ),
    "opt_out.": (OptOut, ("msisdn", "source"), _of_opt_out),
}


def _values(model: Any, ids: Iterable[int], *columns: str) -> list[Facts]:
    wanted = {pk for pk in ids if pk}
    return (
        list(model.objects.filter(pk__in=among(wanted)).order_by().values("pk", *columns)) if wanted else []
    )


def _by_pk(rows: list[Facts]) -> dict[int, Facts]:
    return {row["pk"]: row for row in rows}
