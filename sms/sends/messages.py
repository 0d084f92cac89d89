"""Messages of a service or of one send, in the ledger and in its archives."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from django.db.models import Q, QuerySet

from sms.compliance import archive
from sms.models import ApiKey, Click, Echo, Message, Receipt, Send, Service
from sms.models.paging import given
from sms.models.sql import id_windows
from sms.values import correlation_id
from sms.values.msisdn import BadNumber, parse
from sms.values.msisdn.hidden import hidden

WINDOW = 50_000  # ids looked through by one statement
PATIENCE = 2.0  # seconds of looking for one page; what is further away comes by another press


@dataclass(frozen=True, slots=True)
class FoundMessages:
    """Messages of a search, newest first, of one send in order of its rows; one more than a page where there are more. `problem`: why
    archives could not be read.

    `looked_to`: the id down to which was looked, where that took too long to look through all.
    """

    messages: list[Message]
    problem: str = ""
    looked_to: int | None = None


@dataclass(frozen=True, slots=True)
class FoundHistories:
    """Messages with their receipts and clicks, newest first. `problem`: why archives could not be read."""

    histories: list[archive.MessageHistory]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SendMessageSelection:
    """Of one send's messages; empty fields choose all of them. `ends` is how the number ends."""

    state: str = ""
    code: str = ""
    row: int | None = None
    ends: str = ""

    @property
    def asked(self) -> Q:
        found = given(state=self.state, code=self.code, row=self.row, msisdn__endswith=self.ends)
        # what stands there once a number is gone may end in digits as well
        return found & Q(msisdn__startswith="+") if self.ends else found

    def fits(self, one: archive.ArchivedMessage) -> bool:
        return (
            self.state in ("", one.state)
            and self.code in ("", one.code)
            and self.row in (None, one.row)
            and (not self.ends or (one.msisdn.startswith("+") and one.msisdn.endswith(self.ends)))
        )


EVERY_ROW = SendMessageSelection()


def find_messages(
    service: Service, text: str, *, before: int | None = None, page: int = 50, key: ApiKey | None = None
) -> FoundMessages:
    """Messages by number, correlation id, provider id or what a partner calls them or their recipient, below id `before`, archived ones
    too.

    For a `key` those that it may know of.
    """
    wanted, rows = text.strip(), _rows(service, before, key)
    in_ledger, in_archives = _lookups(service, wanted)
    if called := _called(service, wanted, before=before, most=page + 1, key=key):
        in_ledger |= Q(pk__in=called)
    archived = _archived(
        service, lambda: [*in_archives(), *archive.histories_of(service, archive.called(service, wanted))]
    )
    return _together(list(rows.filter(in_ledger)[: page + 1]), archived, before=before, page=page, key=key)


def find_called(
    service: Service, name: str, *, before: int | None = None, page: int = 50, key: ApiKey | None = None
) -> FoundMessages:
    """Messages that a partner calls so, or whose recipient, archived ones too. For a `key` those that it may know of."""
    called = _called(service, name, before=before, most=page + 1, key=key)
    rows = _rows(service, before, key).filter(pk__in=called)
    archived = _archived(service, lambda: archive.histories_of(service, archive.called(service, name)))
    return _together(list(rows), archived, before=before, page=page, key=key)


def _rows(service: Service, before: int | None, key: ApiKey | None) -> "QuerySet[Message]":
    rows = Message.objects.filter(given(pk__lt=before), send__service=service)
    rows = key.mine(rows, "send__owner") if key else rows
    return rows.select_related("send", "echo").order_by("-id")


def _called(service: Service, name: str, *, before: int | None, most: int, key: ApiKey | None) -> list[int]:
    """Ids of the newest in the ledger. Asked before the messages, so that each is one look into an index."""
    found: set[int] = set()
    for column in ("reference", "correlation_id"):
        rows = Echo.objects.filter(given(pk__lt=before), service=service, **{column: name})
        rows = rows.exclude(**{column: ""})  # in the words of the index, without which SQLite does not use it
        rows = key.mine(rows, "message__send__owner") if key else rows
        found.update(rows.order_by("-pk").values_list("pk", flat=True)[:most])
    return sorted(found, reverse=True)[:most]


def _archived(
    service: Service, find: Callable[[], list[archive.MessageHistory]]
) -> tuple[list[archive.MessageHistory], str]:
    """And why archives could not be read."""
    try:
        return (find() if archive.has(service) else []), ""
    except archive.ArchiveError as error:
        return [], str(error)


def _together(
    found: list[Message],
    archived: tuple[list[archive.MessageHistory], str],
    *,
    before: int | None,
    page: int,
    key: ApiKey | None,
) -> FoundMessages:
    stories, problem = archived
    by_id = {one.pk: one for one in found}
    for one in stories:
        if (before is None or one.message.pk < before) and _is_for(key, one.message):
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
        in_ledger = Q(provider_id=wanted) & ~Q(provider_id="")  # as above
        return in_ledger, lambda: archive.histories_of(service, rows())
    spelled = (number, hidden(number, key=service.number_key))
    return Q(msisdn__in=spelled), lambda: archive.histories_of(service, archive.to_number(service, number))


def _is_for(key: ApiKey | None, message: Message) -> bool:
    return key is None or key.knows_of(message.send.owner)


RELATED = ("send__sender", "send__link_domain", "send__template", "send__created_by", "send__service", "echo")


def stories_to(
    service: Service, forms: Sequence[str], *, before: int | None = None, most: int
) -> FoundHistories:
    """The newest messages below id `before` to a number, given in each form in which it may be stored; archived ones too."""
    rows = Message.objects.filter(given(pk__lt=before), send__service=service, msisdn__in=forms)
    here = list(rows.select_related(*RELATED).order_by("-id")[:most])
    archived, problem = _archived(
        service, lambda: archive.histories_of(service, archive.to_any(service, forms))
    )
    by_id = {one.message.pk: one for one in archived if before is None or one.message.pk < before}
    by_id |= {one.message.pk: one for one in _stories(here)}  # one that is being moved is in both
    return FoundHistories([by_id[pk] for pk in sorted(by_id, reverse=True)[:most]], problem)


def _stories(messages: Sequence[Message]) -> list[archive.MessageHistory]:
    """Of messages of one service, from the ledger, with two queries for all."""
    clicks: dict[int, dict[int, Click]] = defaultdict(dict)
    receipts: dict[int, list[Receipt]] = defaultdict(list)
    if messages:
        ids = [one.pk for one in messages]
        of_click = {}
        for click in Click.objects.filter(message_id__in=ids):
            clicks[click.message_id][click.receipt_id] = click
            of_click[click.receipt_id] = click.message_id
        for receipt in archive.receipts_of(ids, of_click, service=messages[0].send.service_id):
            receipts[of_click.get(receipt.pk, receipt.message_id)].append(receipt)
    return [archive.MessageHistory(one, receipts[one.pk], clicks[one.pk], archived=False) for one in messages]


def story_of(
    service: Service, message_id: int, *, key: ApiKey | None = None
) -> archive.MessageHistory | None:
    """One message with its receipts and clicks, from the ledger or from an archive; None where neither has it, or `key` may not know of
    it. Raises ArchiveError."""
    rows = Message.objects.filter(send__service=service, pk=message_id)
    rows = key.mine(rows, "send__owner") if key else rows
    message = rows.select_related(*RELATED).first()
    if message is None:
        found = archive.one(service, message_id)
        return found if found and _is_for(key, found.message) else None
    return _stories([message])[0]


def messages_of(
    send: Send,
    chosen: SendMessageSelection = EVERY_ROW,
    *,
    after: int = 0,
    page: int = 50,
    patience: float = PATIENCE,
) -> FoundMessages:
    """A send's messages that fit, in order from the one behind `after`, in the ledger and in archives."""
    found, looked_to = _in_ledger(send, chosen, after=after, most=page + 1, patience=patience)
    problem, archived = "", list[archive.ArchivedMessage]()
    if archive.has(send.service):
        try:
            archived = archive.of_send(send, fits=chosen.fits, after=after, most=page + 1)
        except archive.ArchiveError as error:
            problem = str(error)
    found += [archive.history_of(row, send=send).message for row in archived]
    return FoundMessages(sorted(found, key=lambda one: one.pk)[: page + 1], problem, looked_to)


def _in_ledger(
    send: Send, chosen: SendMessageSelection, *, after: int, most: int, patience: float
) -> tuple[list[Message], int | None]:
    rows = send.messages.filter(chosen.asked, pk__gt=after).order_by("id")
    if chosen == EVERY_ROW:
        return list(rows[:most]), None
    found, deadline = list[Message](), time.monotonic() + patience
    for low, high in id_windows.ascending(send.messages.all(), width=WINDOW, start=after + 1):
        if time.monotonic() >= deadline:
            return found, low - 1
        found += rows.filter(pk__gte=low, pk__lt=high)[: most - len(found)]
        if len(found) >= most:
            break
    return found, None
