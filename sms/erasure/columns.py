"""Every other column that can hold a text: looked through for the number in whatever way it is written there, and cleaned.

Which columns there are stands in `sms.personal`; where a row's service is, here. Long tables are walked in windows of ids, so that no
statement is long. A column that is listed and has no path to a service belongs to the desk as a whole and is looked through all the same.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction
from django.db.models import F, Max, Min, QuerySet, Value
from django.db.models.functions import Cast, Replace

from sms.archive import in_values
from sms.erasure.subject import Subject
from sms.models import AuditEvent, IdempotentAnswer, InboundMessage, Receipt
from sms.personal import COLUMNS, Kind
from sms.retention.ledger_rows import exchange, shorten

WINDOW = 50_000  # ids
BETWEEN = (" ", "-", "(", ")", ".", "/", "\u00a0")
# where a row's service is; the empty path: the desk as a whole
SERVICE: dict[str, str] = {
    "sms.Message": "send__service",
    "sms.Echo": "message__send__service",
    "sms.Receipt": "service",
    "sms.ReceiptInbox": "receipt__service",
    "sms.Click": "message__send__service",
    "sms.Send": "service",
    "sms.SendKeeping": "send__service",
    "sms.Reject": "send__service",
    "sms.Upload": "service",
    "sms.Draft": "service",
    "sms.SavedAudience": "service",
    "sms.AudienceVersion": "service",
    "sms.ColumnMemory": "service",
    "sms.Preparation": "service",
    "sms.Label": "service",
    "sms.DraftPresence": "draft__service",
    "sms.InboundMessage": "service",
    "sms.OptOut": "service",
    "sms.Callback": "endpoint__service",
    "sms.Notify": "send__service",
    "sms.IdempotentAnswer": "service",
    "sms.Hold": "service",
    "sms.ApprovalRequest": "service",
    "sms.ApprovalDecision": "request__service",
    "sms.Erasure": "service",
    "sms.ReportFile": "service",
    "sms.ReportedSend": "service_id",
}
# a value that must stay one of a kind is made so by its row
UNIQUE = {"sms.Send.client_reference", "sms.SavedAudience.name", "sms.Label.word"}


def texts() -> Iterator[tuple[type[models.Model], str]]:
    """Columns of text and of numbers."""
    for label, columns in COLUMNS.items():
        for name, kind in columns.items():
            if kind in (Kind.SAYS, Kind.NUMBER):
                yield apps.get_model(label), name


def erase(subject: Subject, rest: Callable[[], object]) -> dict[str, int]:
    """Take the number out of every text; rows by column."""
    done: dict[str, int] = {}
    for model, name in texts():
        for rows in _windows(_of(model, subject)):
            count = _clean(subject, model, name, rows)
            if count:
                done[f"{model.__name__}.{name}"] = done.get(f"{model.__name__}.{name}", 0) + count
            rest()
    return done


def _clean(subject: Subject, model: type[models.Model], name: str, rows: "QuerySet[Any]") -> int:
    mention, field, done = subject.mention, model._meta.get_field(name), 0
    label = f"{model._meta.label}.{name}"
    for pk, value in list(naming(rows, name, subject).values_list("pk", name)):
        put = f"•••{pk}" if label in UNIQUE else "•••"
        if isinstance(value, str):
            if not mention.found(value):
                continue
            after: Any = mention.without(value, put=put)[: getattr(field, "max_length", None)]
            after = "" if name in ("value", "destination") else after
        else:
            after = in_values(value, mention)
            if after == value:
                continue
        done += model._base_manager.filter(pk=pk).update(**{name: after})
    return done


def left(subject: Subject, rest: Callable[[], object]) -> dict[str, int]:
    """Rows by column that still name it."""
    found: dict[str, int] = {}
    for model, name in texts():
        for rows in _windows(_of(model, subject)):
            values = naming(rows, name, subject).values_list(name, flat=True)
            if count := sum(_says(subject, value) for value in values):
                found[f"{model.__name__}.{name}"] = found.get(f"{model.__name__}.{name}", 0) + count
            rest()
    return found


def _says(subject: Subject, value: Any) -> bool:
    return (
        subject.mention.found(value) if isinstance(value, str) else in_values(value, subject.mention) != value
    )


def _of(model: type[models.Model], subject: Subject) -> "QuerySet[Any]":
    path = SERVICE.get(model._meta.label)
    rows: QuerySet[Any] = model._base_manager.order_by()
    return rows.filter(**{path: subject.service.pk}) if path else rows


def _windows(rows: "QuerySet[Any]") -> "Iterator[QuerySet[Any]]":
    ends = rows.model._base_manager.aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return
    for start in range(ends["first"], ends["last"] + 1, WINDOW):
        yield rows.filter(pk__gte=start, pk__lt=start + WINDOW)


def naming(rows: "QuerySet[Any]", name: str, subject: Subject) -> "QuerySet[Any]":
    """Rows that may name it: the database looks past what people put between digits; digits of other scripts are looked at here."""
    bare: Any = Cast(F(name), models.TextField())
    for sign in BETWEEN:
        bare = Replace(bare, Value(sign), Value(""), output_field=models.TextField())
    return rows.annotate(bare=bare).filter(bare__contains=subject.needles[0].decode())


class _Position(models.Func):
    """Where bytes begin in other bytes, from 1; 0 where they do not."""

    output_field = models.IntegerField()
    arity = 2

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="INSTR", **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        turned = self.copy()
        turned.set_source_expressions(self.get_source_expressions()[::-1])
        return turned.as_sql(compiler, connection, function="POSITION", arg_joiner=" IN ", **extra)


def with_bytes(rows: "QuerySet[Any]", name: str, subject: Subject) -> "QuerySet[Any]":
    """Rows whose bytes hold the digits."""
    needle = Value(subject.needles[0], output_field=models.BinaryField())
    return rows.annotate(at=_Position(F(name), needle)).filter(at__gt=0)


# --- bytes as they came ---------------------------------------------------------------------------------------------------


def erase_receipts(subject: Subject, rest: Callable[[], object]) -> int:
    """Receipts that name it: of its messages, unmatched, in quarantine."""
    done = 0
    for rows in _windows(_of(Receipt, subject)):
        with transaction.atomic():
            ids = list(with_bytes(rows, "raw", subject).values_list("pk", flat=True))
            done += shorten(Receipt.objects.filter(pk__in=ids))
            stubborn = list(
                with_bytes(Receipt.objects.filter(pk__in=ids), "raw", subject).values_list("pk", flat=True)
            )
            exchange(Receipt, "raw", [(pk, b"") for pk in stubborn], kind="bytea")
        rest()
    return done


def left_in_receipts(subject: Subject, rest: Callable[[], object]) -> int:
    """Receipts that hold it."""
    found = 0
    for rows in _windows(_of(Receipt, subject)):
        found += with_bytes(rows, "raw", subject).count()
        rest()
    return found


def erase_inbound(subject: Subject) -> int:
    """SMS from the person: that there was one stays, and what it asked for."""
    rows = InboundMessage.objects.filter(service=subject.service)
    ids = set(rows.filter(msisdn__in=subject.forms).values_list("pk", flat=True))
    ids |= set(with_bytes(rows, "raw", subject).values_list("pk", flat=True))
    return InboundMessage.objects.filter(pk__in=ids).update(msisdn="", raw=b"", text="", reason="")


def left_in_inbound(subject: Subject) -> int:
    """SMS that hold it."""
    rows = InboundMessage.objects.filter(service=subject.service)
    return rows.filter(msisdn__in=subject.forms).count() + with_bytes(rows, "raw", subject).count()


def _naming_answers(subject: Subject) -> set[int]:
    rows = IdempotentAnswer.objects.filter(service=subject.service)
    found = set(with_bytes(rows, "body", subject).values_list("pk", flat=True))
    return found | set(naming(rows, "key", subject).values_list("pk", flat=True))


def erase_answers(subject: Subject) -> int:
    """Stored answers that name it go: without its body an answer is none."""
    return IdempotentAnswer.objects.filter(pk__in=_naming_answers(subject)).delete()[0]


def left_in_answers(subject: Subject) -> int:
    """Stored answers that hold it."""
    return len(_naming_answers(subject))


def left_in_audit(subject: Subject) -> int:
    """Rows of the audit that name it. None may: it is only ever added to, so this is looked at and never changed."""
    rows = AuditEvent.objects.filter(service_slug__in=(subject.service.slug, ""))
    return sum(
        with_text.count()
        for window in _windows(rows)
        for with_text in (window.filter(details__contains=subject.needles[0].decode()),)
    )


def left_elsewhere(subject: Subject) -> dict[str, int]:
    """Tables of other applications (the queue's tasks, the admin's log): none holds numbers by design, and this looks."""
    found: dict[str, int] = {}
    for model in apps.get_models():
        if model._meta.app_label in ("sms", "portal") or model._meta.proxy or not model._meta.managed:
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, (models.TextField, models.CharField)):
                rows = model._base_manager.filter(**{f"{field.name}__contains": subject.needles[0].decode()})
                if count := rows.count():
                    found[f"{model._meta.label}.{field.name}"] = count
    return found


def after_deleting() -> None:
    """SQLite: what the journal holds goes into the file, where deleted text was overwritten (`before_deleting`)."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def before_deleting() -> None:
    """SQLite: overwrite what is deleted. On PostgreSQL dead rows are gone with the next vacuum."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")
