"""Messages of a service or of one send, in the ledger and in its archives."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.db.models import Q, QuerySet

from sms.compliance import archive
from sms.models import Echo, Message, Receipt, Send, Service
from sms.models.paging import given
from sms.values import correlation_id
from sms.values.msisdn import BadNumber, parse
from sms.values.msisdn.hidden import hidden


@dataclass(frozen=True, slots=True)
class FoundMessages:
    """Messages of a search, newest first; one more than a page where there are more. `problem`: why archives could not be read."""

    messages: list[Message]
    problem: str = ""


def find_messages(service: Service, text: str, *, before: int | None = None, page: int = 50) -> FoundMessages:
    """Messages by number, correlation id, provider id or what a partner calls them or their recipient, below id `before`, archived ones
    too; empty text finds the latest here."""
    wanted = text.strip()
    if not wanted:
        return FoundMessages(list(_rows(service, before)[: page + 1]))
    in_ledger, in_archives = _lookups(service, wanted)
    if called := _called(service, wanted, before=before, most=page + 1):
        in_ledger |= Q(pk__in=called)
    return _with_archived(
        service,
        list(_rows(service, before).filter(in_ledger)[: page + 1]),
        lambda: [*in_archives(), *archive.histories_of(service, archive.called(service, wanted))],
        before=before,
        page=page,
    )


def find_called(service: Service, name: str, *, before: int | None = None, page: int = 50) -> FoundMessages:
    """Messages that a partner calls so, or whose recipient, archived ones too."""
    rows = _rows(service, before).filter(pk__in=_called(service, name, before=before, most=page + 1))
    archived = partial(archive.called, service, name)
    return _with_archived(
        service, list(rows), lambda: archive.histories_of(service, archived()), before=before, page=page
    )


def _rows(service: Service, before: int | None) -> "QuerySet[Message]":
    rows = Message.objects.filter(given(pk__lt=before), send__service=service)
    return rows.select_related("send", "echo").order_by("-id")


def _called(service: Service, name: str, *, before: int | None, most: int) -> list[int]:
    """Ids of the newest in the ledger. Asked before the messages, so that each is one look into an index."""
    found: set[int] = set()
    for column in ("reference", "correlation_id"):
        rows = Echo.objects.filter(given(pk__lt=before), service=service, **{column: name})
        found.update(rows.order_by("-pk").values_list("pk", flat=True)[:most])
    return sorted(found, reverse=True)[:most]


def _with_archived(
    service: Service,
    found: list[Message],
    in_archives: Callable[[], list[archive.MessageHistory]],
    *,
    before: int | None,
    page: int,
) -> FoundMessages:
    problem = ""
    try:
        archived = in_archives() if archive.has(service) else []
    except archive.ArchiveError as error:
        archived, problem = [], str(error)
    by_id = {one.pk: one for one in found}
    for one in archived:
        if before is None or one.message.pk < before:
            by_id.setdefault(one.message.pk, one.message)
    return FoundMessages(sorted(by_id.values(), key=lambda one: -one.pk)[: page + 1], problem)


def _lookups(service: Service, wanted: str) -> tuple[Q, Callable[[], list[archive.MessageHistory]]]:
    """What the text asks of the ledger, and of the archives: a correlation id, a number, else a provider id."""
    ours = correlation_id.read(wanted, key=service.correlation_key)
    if ours is not None:
        found = partial(archive.one, service, ours.message_id)
        return Q(pk=ours.message_id), lambda: [one for one in (found(),) if one]
    try:
        number = parse(wanted, country=service.default_country).e164
    except BadNumber:
        rows = partial(archive.by_provider_id, service, wanted)
        return Q(provider_id=wanted), lambda: archive.histories_of(service, rows())
    spelled = (number, hidden(number, key=service.number_key))
    return Q(msisdn__in=spelled), lambda: archive.histories_of(service, archive.to_number(service, number))


def story_of(service: Service, message_id: int) -> archive.MessageHistory | None:
    """One message with its receipts and clicks, from the ledger or from an archive; None where neither has it. Raises ArchiveError."""
    related = ("send__sender", "send__template", "send__created_by", "send__service")
    rows = Message.objects.filter(send__service=service, pk=message_id)
    message = rows.select_related(*related).first()
    if message is None:
        return archive.one(service, message_id)
    receipts = list(Receipt.objects.filter(message_id=message.pk, service=service))
    clicks = {click.receipt_id: click for click in message.clicks.all()}
    return archive.MessageHistory(message, receipts, clicks, archived=False)


def messages_of(send: Send, *, state: str = "", after: int = 0, page: int = 50) -> FoundMessages:
    """A send's messages in order from the one behind `after`, in the ledger and in archives."""
    rows = send.messages.filter(given(state=state), pk__gt=after).order_by("id")
    found, problem, archived = list(rows[: page + 1]), "", list[archive.ArchivedMessage]()
    if archive.has(send.service):
        try:
            archived = archive.of_send(send, after=after, state=state, most=page + 1)
        except archive.ArchiveError as error:
            problem = str(error)
    found += [archive.history_of(row, send=send).message for row in archived]
    return FoundMessages(sorted(found, key=lambda one: one.pk)[: page + 1], problem)
