"""What stands about a person beside messages: replies, opt-outs, rows that became no message, erasures, and who asked for the whole.

Of each kind there is little, so all are found by one statement, each by an index of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast

from sms.models import AuditEvent, Erasure, InboundMessage, OptOut, Reject
from sms.models.paging import given
from sms.sends.person.identity import AUDIT_NOUN, Person
from sms.values.msisdn.usual_writings import usual_writings


class NoteKind(StrEnum):
    REPLY = "reply"
    OPTED_OUT = "opted_out"
    LIFTED = "lifted"
    LEFT_OUT = "left_out"
    ERASURE_ASKED = "erasure_asked"
    ERASED = "erased"
    AUDITED = "audited"


class NotesPlace(NamedTuple):
    """Where notes go on: from this time back, and how many of exactly this time were shown."""

    at: datetime
    shown: int


@dataclass(frozen=True, slots=True)
class Note:
    """`said` is what they wrote, the evidence, or the reason; `how` a code: of the meaning, the source, the problem or the act.

    `by` is who did it; `to` our number that a reply was sent to. `message_id` is 0 where it is about none.
    """

    at: datetime
    kind: NoteKind
    pk: int
    said: str
    how: str
    by: str
    to: str
    row: int
    send_id: int | None
    send_name: str
    message_id: int


COLUMNS = tuple(f"note_{name}" for name in Note.__dataclass_fields__)


def notes_about(person: Person, *, place: NotesPlace | None, most: int, audited: bool) -> Iterator[Note]:
    """The newest behind `place`. `audited`: also who looked at the number, and who was given what is held."""
    until = place.at if place else None
    parts = [*_of_the_person(person, until), *_about_erasures(person, until)]
    if audited:
        parts.append(_from_audit(person, until))
    rows = parts[0].union(*parts[1:], all=True).order_by("-note_at", "note_kind", "-note_pk")
    skip = place.shown if place else 0
    for at, kind, *rest in rows[skip : skip + most]:
        yield Note(at, NoteKind(kind), *rest)


def _of_the_person(person: Person, until: datetime | None) -> Iterator["QuerySet[Any, Any]"]:
    service, forms = person.service, person.forms
    replies = InboundMessage.objects.filter(given(received_at__lte=until), service=service, msisdn__in=forms)
    yield _as_notes(
        replies,
        NoteKind.REPLY,
        at="received_at",
        said="text",
        how="meaning",
        to="address",
        send="send",
        message_id="message_id",
    )
    opt_outs = OptOut.objects.filter(service=service, msisdn__in=forms)
    yield _as_notes(
        opt_outs.filter(given(at__lte=until)),
        NoteKind.OPTED_OUT,
        at="at",
        said="evidence",
        how="source",
        by="by",
        send="send",
    )
    lifted = opt_outs.filter(given(lifted_at__lte=until), lifted_at__isnull=False)
    yield _as_notes(lifted, NoteKind.LIFTED, at="lifted_at", said="lifted_because", by="lifted_by")
    written = [form for one in person.spellings for form in usual_writings(one)]
    if written:
        rejects = Reject.objects.filter(
            given(send__created_at__lte=until), ~Q(value=""), send__service=service, value__in=written
        )
        yield _as_notes(
            rejects,
            NoteKind.LEFT_OUT,
            at="send__created_at",
            said="reason",
            how="code",
            row="row",
            send="send",
        )


def _about_erasures(person: Person, until: datetime | None) -> Iterator["QuerySet[Any, Any]"]:
    rows = Erasure.objects.filter(service=person.service, digest__in=person.digests)
    asked = rows.filter(given(asked_at__lte=until))
    yield _as_notes(asked, NoteKind.ERASURE_ASKED, at="asked_at", said="reason", by="asked_by")
    done = rows.filter(given(done_at__lte=until), done_at__isnull=False)
    yield _as_notes(done, NoteKind.ERASED, at="done_at", said="reason")


def _from_audit(person: Person, until: datetime | None) -> "QuerySet[Any, Any]":
    rows = AuditEvent.objects.filter(
        given(at__lte=until), service_slug=person.service.slug, noun=AUDIT_NOUN, noun_key__in=person.digests
    )
    return _as_notes(rows, NoteKind.AUDITED, at="at", how="act", by="actor_label")


def _as_notes(
    rows: "QuerySet[Any, Any]",
    kind: NoteKind,
    *,
    at: str,
    said: str = "",
    how: str = "",
    by: str = "",
    to: str = "",
    row: str = "",
    send: str = "",
    message_id: str = "",
) -> "QuerySet[Any, Any]":
    columns = {
        "note_at": F(at),
        "note_kind": _text(Value(kind.value)),
        "note_pk": Cast("pk", BigIntegerField()),
        **{
            f"note_{name}": _text(F(column) if column else Value(""))
            for name, column in (("said", said), ("how", how), ("by", by), ("to", to))
        },
        "note_row": Cast(row or Value(0), BigIntegerField()),
        "note_send_id": Cast(F(f"{send}_id") if send else Value(None), BigIntegerField()),
        "note_send_name": _text(F(f"{send}__name") if send else Value("")),
        "note_message_id": Cast(message_id or Value(0), BigIntegerField()),
    }
    return rows.order_by().annotate(**columns).values_list(*COLUMNS)


def _text(what: Any) -> Cast:
    return Cast(what, TextField())
