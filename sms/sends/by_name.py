"""Sends and what they are made of, found by a name: for the search of the pages, which is asked again with nearly every letter.

Of the large table only the newest rows are looked at; what is called by its whole name is one look into an index.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.db.models import Case, CharField, F, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL

from sms.models import Draft, Send, Service

NEWEST_SENDS = 3000  # of those that people made, and as many of all
NEWEST_DRAFTS = 1000
LONGEST_KEY = 18  # digits
COLUMNS = ("kind", "key", "title", "detail", "over")  # of a named thing

# Each half walks an index from its end. As a condition of the ORM, either half or the other would be a walk through the whole table.
_NEWEST = """
    SELECT id FROM (SELECT id FROM sms_send WHERE service_id = %s ORDER BY id DESC LIMIT %s) AS newest
    UNION SELECT id FROM
    (SELECT id FROM sms_send WHERE service_id = %s AND owner IS NULL ORDER BY id DESC LIMIT %s) AS newest_of_people
"""


def words_in(text: str, column: str) -> Q:
    """Each of the words stands somewhere in the column."""
    found = Q()
    for word in text.split():
        found &= Q(**{f"{column}__icontains": word})
    return found


def sends_named(service: Service, text: str, *, most: int) -> list[Send]:
    """With these words in the name, the newest first, among the newest of the service and the newest that people made."""
    newest = RawSQL(_NEWEST, (service.pk, NEWEST_SENDS) * 2)  # noqa: S611 - the text is a constant
    return _listed(Send.objects.filter(words_in(text, "name"), pk__in=newest), most)


def sends_called(service: Service, text: str, *, most: int) -> list[Send]:
    """Whose number, messageId or name at a partner this is, whole."""
    rows = Send.objects.filter(service=service)
    # in the words of the indexes, without which SQLite does not use them
    called = rows.filter(client_reference=text).exclude(client_reference="")
    ways = [called.filter(owner__isnull=True), called.filter(owner__isnull=False)]
    ways += [rows.filter(**{column: key}) for column, key in _keys(text)]
    # each of them is one look into an index; as one condition they are a walk through the table
    found = ways[0].order_by().values("pk").union(*(way.order_by().values("pk") for way in ways[1:]))
    return _listed(Send.objects.filter(pk__in=found), most)


def _listed(rows: "QuerySet[Send]", most: int) -> list[Send]:
    return list(rows.order_by("-id")[:most])


def _keys(text: str) -> Iterator[tuple[str, object]]:
    digits = text.removeprefix("#")
    if digits.isascii() and digits.isdecimal() and len(digits) <= LONGEST_KEY:
        yield "pk", int(digits)
    with suppress(ValueError):
        yield "reference", UUID(text)


def named_things(service: Service, text: str) -> list["QuerySet[Any, Any]"]:
    """Labels, templates, saved audiences and drafts, in COLUMNS, for one union: a search has few queries to ask."""
    newest = (
        service.drafts.filter(send=None, discarded_at=None)
        .order_by("-changed_at")
        .values("pk")[:NEWEST_DRAFTS]
    )
    names = words_in(text.replace(" ", "_"), "name")
    return [
        named(service.labels.filter(words_in(text, "word")), "label", "word"),
        named(
            service.templates.filter(names | words_in(text, "name") | words_in(text, "text")),
            "template",
            "name",
            detail="text",
            over=Q(active=False),
        ),
        named(
            service.audiences.filter(words_in(text, "name") | words_in(text, "note")),
            "audience",
            "name",
            detail="note",
            over=Q(archived_at__isnull=False),
        ),
        named(Draft.objects.filter(words_in(text, "name"), pk__in=newest), "draft", "name"),
    ]


def named(
    rows: "QuerySet[Any, Any]", kind: str, title: str, *, detail: str = "", over: Q | None = None
) -> "QuerySet[Any, Any]":
    """Rows as COLUMNS; `over` is when one is archived."""
    no = Value(value=False)
    is_over = Case(When(over, then=Value(value=True)), default=no) if over else no
    return (
        rows.order_by()
        .annotate(
            kind=Value(kind, output_field=CharField()),
            key=F("pk"),
            title=F(title),
            detail=F(detail) if detail else Value("", output_field=CharField()),
            over=is_over,
        )
        .values_list(*COLUMNS)
    )
