"""Messages of a service or of one send, in the ledger and in its archives."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.db.models import Q

from sms.compliance import archive
from sms.models import ApiKey, Message, Receipt, Send, Service
from sms.models.paging import given
from sms.values import correlation_id
from sms.values.msisdn import BadNumber, parse
from sms.values.msisdn.hidden import hidden


@dataclass(frozen=True, slots=True)
class FoundMessages:
    """Messages of a search, newest first; one more than a page where there are more. `problem`: why archives could not be read."""

    messages: list[Message]
    problem: str = ""


def find_messages(
    service: Service, text: str, *, before: int | None = None, page: int = 50, key: ApiKey | None = None
) -> FoundMessages:
    """Messages by number, correlation id or provider id, below id `before`, archived ones too; empty text finds the latest here.

    For a `key` those that it may know of.
    """
    rows = Message.objects.filter(given(pk__lt=before), send__service=service)
    rows = key.mine(rows, "send__owner") if key else rows
    rows = rows.select_related("send").order_by("-id")
    wanted = text.strip()
    if not wanted:
        return FoundMessages(list(rows[: page + 1]))
    in_ledger, in_archives = _lookups(service, wanted)
    found, problem = list(rows.filter(in_ledger)[: page + 1]), ""
    try:
        archived = in_archives() if archive.has(service) else []
    except archive.ArchiveError as error:
        archived, problem = [], str(error)
    found += [
        one.message
        for one in archived
        if (before is None or one.message.pk < before) and _is_for(key, one.message)
    ]
    return FoundMessages(sorted(found, key=lambda one: -one.pk)[: page + 1], problem)


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


def _is_for(key: ApiKey | None, message: Message) -> bool:
    return key is None or key.knows_of(message.send.owner)


def story_of(
    service: Service, message_id: int, *, key: ApiKey | None = None
) -> archive.MessageHistory | None:
    """One message with its receipts and clicks, from the ledger or from an archive; None where neither has it, or `key` may not know of
    it. Raises ArchiveError."""
    related = ("send__sender", "send__template", "send__created_by", "send__service")
    rows = Message.objects.filter(send__service=service, pk=message_id)
    rows = key.mine(rows, "send__owner") if key else rows
    message = rows.select_related(*related).first()
    if message is None:
        found = archive.one(service, message_id)
        return found if found and _is_for(key, found.message) else None
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
