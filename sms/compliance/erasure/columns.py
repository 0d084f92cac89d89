"""Every column of text, of every application: searched for the number in whatever way it is written there, and cleaned.

Which columns there are is declared by the models (`sms.compliance.personal_columns`). A table that belongs to no service is searched as a
whole.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.models import QuerySet

from sms.compliance.archive import in_values
from sms.compliance.erasure.naming import Subject, ids_naming, naming, says, windows
from sms.compliance.personal_columns import columns, declared, personal_of, rows_of, title_of
from sms.models import AuditEvent, Message
from sms.models.personal import ColumnKind


def erase(subject: Subject) -> Counter[str]:
    """Take the number out of every text; rows by column."""
    done: Counter[str] = Counter()
    for model, name in columns(ColumnKind.TEXT, ColumnKind.NUMBER):
        if (model, name) == (Message, "msisdn"):
            continue  # with the whole message (`ledger`)
        personal = personal_of(model)
        for rows in windows(rows_of(model, subject.service)):
            open_rows = rows.exclude(personal.fixed_while) if name in personal.fixed else rows
            if count := _clean(subject, model, name, open_rows):
                done[title_of(model, name)] += count
            subject.rest()
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


def left(subject: Subject) -> int:
    return _counted(subject, ColumnKind.TEXT, ColumnKind.NUMBER).total()


def in_the_catalogue(subject: Subject) -> Counter[str]:
    """Rows of templates and names of senders that name it. Sends are made from them, so people change them, not an erasure."""
    return _counted(subject, ColumnKind.CATALOGUE)


def _counted(subject: Subject, *kinds: ColumnKind) -> Counter[str]:
    found: Counter[str] = Counter()
    for model, name in columns(*kinds):
        for rows in windows(rows_of(model, subject.service)):
            if count := len(ids_naming(rows, name, subject)):
                found[title_of(model, name)] += count
            subject.rest()
    return found


def left_in_audit(subject: Subject) -> int:
    """Rows of the audit that name it. There should be none: rows are only ever added to the audit, so this only counts."""
    rows = AuditEvent.objects.filter(service_slug__in=(subject.service.slug, ""))
    named = (naming(window, "details", subject).values_list("said", flat=True) for window in windows(rows))
    return sum(says(text, subject) for texts in named for text in texts)


def packed_rows(subject: Subject) -> Iterator[tuple[type[models.Model], Any]]:
    for model, personal in declared():
        if personal.unpacked is None:
            continue
        for row in rows_of(model, subject.service).order_by("pk").iterator(chunk_size=200):
            if subject.mention.found(personal.unpacked(row)):
                yield model, row.pk


def erase_elsewhere(subject: Subject) -> int:
    """Delete rows that name it and have to be unpacked for that: what failed tasks and visits left behind, searches that were saved."""
    found = list(packed_rows(subject))
    return sum(model._base_manager.filter(pk=pk).delete()[0] for model, pk in found)
