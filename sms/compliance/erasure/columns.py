"""Every column of text, of every application: searched for the number in whatever way it is written there, and cleaned.

Which columns there are is declared by the models (`sms.compliance.personal_columns`). A table that belongs to no service is searched as a
whole.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.db import models
from django.db.models import QuerySet

from sms.compliance.archive import in_values
from sms.compliance.erasure.naming import ids_naming, naming, says, windows
from sms.compliance.erasure.subject import Subject
from sms.compliance.personal_columns import columns, declared, personal_of, rows_of, title_of
from sms.models import AuditEvent, Message
from sms.models.personal import ColumnKind

Rest = Callable[[], object]


def erase(subject: Subject, rest: Rest) -> dict[str, int]:
    """Take the number out of every text; rows by column."""
    done: dict[str, int] = {}
    for model, name in columns(ColumnKind.TEXT, ColumnKind.NUMBER):
        if (model, name) == (Message, "msisdn"):
            continue  # with the whole message (`ledger`)
        personal = personal_of(model)
        for rows in windows(rows_of(model, subject.service)):
            open_rows = rows.exclude(personal.fixed_while) if name in personal.fixed else rows
            if count := _clean(subject, model, name, open_rows):
                title = title_of(model, name)
                done[title] = done.get(title, 0) + count
            rest()
    return done


def _clean(subject: Subject, model: type[models.Model], name: str, rows: "QuerySet[Any]") -> int:
    mention, field, done = subject.mention, model._meta.get_field(name), 0
    personal = personal_of(model)
    for pk, value in list(naming(rows, name, subject).values_list("pk", name)):
        if not says(value, subject):
            continue
        if name in personal.numbers:
            after: Any = ""
        elif isinstance(value, str):
            put = f"•••{pk}" if name in personal.unique else "•••"
            after = mention.without(value, put=put)[: getattr(field, "max_length", None)]
        else:
            after = in_values(value, mention)
        done += model._base_manager.filter(pk=pk).update(**{name: after})
    return done


def left(subject: Subject, rest: Rest) -> dict[str, int]:
    return _counted(subject, rest, ColumnKind.TEXT, ColumnKind.NUMBER)


def in_the_catalogue(subject: Subject, rest: Rest) -> dict[str, int]:
    """The same of templates and names of senders. Sends are made from them, so people change them, not an erasure."""
    return _counted(subject, rest, ColumnKind.CATALOGUE)


def _counted(subject: Subject, rest: Rest, *kinds: ColumnKind) -> dict[str, int]:
    found: dict[str, int] = {}
    for model, name in columns(*kinds):
        for rows in windows(rows_of(model, subject.service)):
            if count := len(ids_naming(rows, name, subject)):
                title = title_of(model, name)
                found[title] = found.get(title, 0) + count
            rest()
    return found


def left_in_audit(subject: Subject) -> int:
    """Rows of the audit that name it. There should be none: rows are only ever added to the audit, so this only counts."""
    rows = AuditEvent.objects.filter(service_slug__in=(subject.service.slug, ""))
    return sum(
        sum(says(text, subject) for text in naming(window, "details", subject).values_list("said", flat=True))
        for window in windows(rows)
    )


def _packed_rows(subject: Subject) -> Iterator[tuple[type[models.Model], Any]]:
    for model, personal in declared():
        if personal.unpacked is None:
            continue
        for row in model._base_manager.order_by("pk").iterator(chunk_size=200):
            if subject.mention.found(personal.unpacked(row)):
                yield model, row.pk


def erase_elsewhere(subject: Subject) -> int:
    """Delete rows of the queue and of sign-in that name it: what failed tasks and visits left behind."""
    found = list(_packed_rows(subject))
    return sum(model._base_manager.filter(pk=pk).delete()[0] for model, pk in found)


def left_elsewhere(subject: Subject) -> int:
    return sum(1 for _ in _packed_rows(subject))
