"""Every other column that can hold a text: looked through for the number in whatever way it is written there, and cleaned.

Which columns there are stands in `sms.compliance.personal_columns`; where a row's service is, here. A column that is listed
and has no path to a service
belongs to the desk as a whole and is looked through all the same.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Q, QuerySet

from sms.compliance.archive import in_values
from sms.compliance.erasure.naming import ids_naming, naming, says, windows
from sms.compliance.erasure.subject import UNSENT, Subject
from sms.compliance.personal_columns import COLUMNS, PACKED_ELSEWHERE, ColumnKind
from sms.models import UNFINISHED, AuditEvent

Rest = Callable[[], object]
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
    "sms.ReportSchedule": "service",
    "sms.CallbackEndpoint": "service",
    "sms.Service": "pk",
    "sms.Sender": "service",
    "sms.Smartlink": "service",
    "sms.MessageTemplate": "service",
    "sms.TemplateVersion": "template__service",
    "sms.ContactPolicyGroup": "service",
    "sms.ApiKey": "service",
    "sms.FactProfile": "service_id",
}
# what is said to others is waited for (`waits`), also where it came to be meanwhile: columns of which nothing may change in such rows
SAYING = ("text", "callback_data", "wishes")  # of a send
UNSAID = Q(send__state__in=UNFINISHED) & (Q(state__in=UNSENT) | Q(send__approvers__gt=0))
UNDER_WAY: dict[str, Q] = {
    **{f"sms.Send.{name}": Q(state__in=UNFINISHED) for name in SAYING},
    **{f"sms.Message.{name}": UNSAID for name in ("text", "substitutions")},
}
# a value that must stay one of a kind is made so by its row
UNIQUE = {"sms.Send.client_reference", "sms.SavedAudience.name", "sms.Label.word"}


def columns(*kinds: ColumnKind) -> Iterator[tuple[type[models.Model], str]]:
    """Columns of some kinds, of every application."""
    for label, listed in COLUMNS.items():
        for name, kind in listed.items():
            if kind in kinds:
                yield apps.get_model(label), name


def words(model: type[models.Model], name: str) -> str:
    """A column for people: `draft: text`."""
    return f"{model._meta.verbose_name}: {model._meta.get_field(name).verbose_name}"  # type: ignore[union-attr]


def of_service(model: type[models.Model], subject: Subject) -> "QuerySet[Any]":
    """The rows of the person's service; of the desk where a row has none."""
    path = SERVICE.get(model._meta.label)
    rows: QuerySet[Any] = model._base_manager.order_by()
    return rows.filter(**{path: subject.service.pk}) if path else rows


def erase(subject: Subject, rest: Rest) -> dict[str, int]:
    """Take the number out of every text; rows by column."""
    done: dict[str, int] = {}
    for model, name in columns(ColumnKind.SAYS, ColumnKind.NUMBER):
        if (model._meta.label, name) == ("sms.Message", "msisdn"):
            continue  # the ledger's own (`ledger`)
        for rows in windows(of_service(model, subject)):
            under_way = UNDER_WAY.get(f"{model._meta.label}.{name}")
            count = _clean(subject, model, name, rows.exclude(under_way) if under_way else rows)
            if count:
                done[words(model, name)] = done.get(words(model, name), 0) + count
            rest()
    return done


def _clean(subject: Subject, model: type[models.Model], name: str, rows: "QuerySet[Any]") -> int:
    mention, field, done = subject.mention, model._meta.get_field(name), 0
    label = f"{model._meta.label}.{name}"
    number = COLUMNS[model._meta.label][name] is ColumnKind.NUMBER
    for pk, value in list(naming(rows, name, subject).values_list("pk", name)):
        if not says(value, subject):
            continue
        if number or label == "sms.Echo.destination":
            after: Any = ""
        elif isinstance(value, str):
            put = f"•••{pk}" if label in UNIQUE else "•••"
            after = mention.without(value, put=put)[: getattr(field, "max_length", None)]
        else:
            after = in_values(value, mention)
        done += model._base_manager.filter(pk=pk).update(**{name: after})
    return done


def left(subject: Subject, rest: Rest) -> dict[str, int]:
    """Rows by column that still name it."""
    return _counted(subject, rest, ColumnKind.SAYS, ColumnKind.NUMBER)


def in_the_catalogue(subject: Subject, rest: Rest) -> dict[str, int]:
    """The same of what the desk itself says: templates, names of senders. Sends are made of it, so that people change it, not we."""
    return _counted(subject, rest, ColumnKind.OURS)


def _counted(subject: Subject, rest: Rest, *kinds: ColumnKind) -> dict[str, int]:
    found: dict[str, int] = {}
    for model, name in columns(*kinds):
        for rows in windows(of_service(model, subject)):
            if count := len(ids_naming(rows, name, subject)):
                found[words(model, name)] = found.get(words(model, name), 0) + count
            rest()
    return found


def left_in_audit(subject: Subject) -> int:
    """Rows of the audit that name it. None may: it is only ever added to, so this is looked at and never changed."""
    rows = AuditEvent.objects.filter(service_slug__in=(subject.service.slug, ""))
    return sum(
        sum(says(text, subject) for text in naming(window, "details", subject).values_list("said", flat=True))
        for window in windows(rows)
    )


def _packed_elsewhere(subject: Subject) -> Iterator[tuple[type[models.Model], Any]]:
    for label, unpacked in PACKED_ELSEWHERE.items():
        model = apps.get_model(label)
        for row in model._base_manager.order_by("pk").iterator(chunk_size=200):
            if subject.mention.found(unpacked(row)):
                yield model, row.pk


def erase_elsewhere(subject: Subject) -> int:
    """Rows of the queue and of sign-in that name it, which are leavings of something that went wrong, go as a whole."""
    found = list(_packed_elsewhere(subject))
    return sum(model._base_manager.filter(pk=pk).delete()[0] for model, pk in found)


def left_elsewhere(subject: Subject) -> int:
    """Rows of the queue and of sign-in that hold it."""
    return sum(1 for _ in _packed_elsewhere(subject))
