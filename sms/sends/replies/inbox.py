"""Lists of conversations with their counts. Every one is bounded by an index (`sms.models.conversation`); no table of messages is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import IntegerField, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy, pgettext_lazy

from sms.models import Conversation, InboundMessage, Label, Send, Service
from sms.models.sql.id_list import among

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

COUNTED = 999  # beyond that pages say "more than"
FILTERS: "dict[str, StrOrPromise]" = {
    "open": pgettext_lazy("adjective", "Open"),
    "mine": gettext_lazy("Mine"),
    "unassigned": gettext_lazy("Not assigned"),
    "done": gettext_lazy("Done"),
    "maybe": gettext_lazy("Perhaps a refusal"),
}


@dataclass(frozen=True, slots=True)
class ListedConversation:
    conversation: Conversation
    last: InboundMessage | None  # that came in


@dataclass(frozen=True, slots=True)
class InboxFigures:
    """Each up to COUNTED + 1. `oldest`: since when the one waits that has waited longest."""

    open: int
    mine: int
    maybe: int
    oldest: datetime | None


def conversations(
    service: Service, wanted: str, *, user: Any, label: Label | None = None, send: Send | None = None
) -> "QuerySet[Conversation]":
    """Those of a filter (FILTERS, anything else is all), the newest SMS first; of a send those in which it was answered."""
    rows = Conversation.objects.filter(service=service).order_by("-last_inbound_id")
    if label is not None:
        rows = rows.filter(labels=label)
    if send is not None:
        rows = rows.filter(pk__in=_to(send).values("conversation"))
    if wanted == "done":
        return rows.filter(done_at__isnull=False)
    if wanted == "maybe":
        return rows.filter(pk__in=_to_decide(service).values("conversation"))
    return rows.filter(_Q[wanted](user)) if wanted in _Q else rows


def listed(rows: Sequence[Conversation]) -> list[ListedConversation]:
    """With what came last, in one query for all."""
    ids = among({one.last_inbound_id for one in rows})
    found = InboundMessage.objects.filter(pk__in=ids).defer("raw") if rows else ()
    last = {one.conversation_id: one for one in found}
    return [ListedConversation(one, last.get(one.pk)) for one in rows]


class _CountedRows(Subquery):
    """How many rows there are, up to COUNTED + 1."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()

    def __init__(self, rows: "QuerySet[Any]") -> None:
        super().__init__(rows.order_by().values("pk")[: COUNTED + 1])


def figures(service: Service, *, user: Any) -> InboxFigures:
    """In one query, all beside the row of the service."""
    rows = Conversation.objects.filter(service=service)
    waits = rows.filter(waiting_since__isnull=False).order_by("waiting_since")
    found = Service.objects.filter(pk=service.pk).values_list(
        _CountedRows(rows.filter(_Q["open"](user))),
        _CountedRows(rows.filter(_Q["mine"](user))),
        _CountedRows(_to_decide(service)),
        Subquery(waits.values("waiting_since")[:1]),
    )
    return InboxFigures(*found.get())


def replies_to(send: Send) -> int:
    """How many SMS answered it, up to COUNTED + 1."""
    return _to(send)[: COUNTED + 1].count()


def set_aside(service: Service) -> "QuerySet[InboundMessage]":
    """SMS that belong to no conversation, because they could not be read or acted on; the newest first."""
    return InboundMessage.objects.filter(service=service).exclude(why="").defer("raw").order_by("-id")


def _to(send: Send) -> "QuerySet[InboundMessage]":
    return InboundMessage.objects.filter(send=send, conversation__isnull=False).order_by()


def _to_decide(service: Service) -> "QuerySet[InboundMessage]":
    return InboundMessage.objects.filter(service=service, meaning=InboundMessage.Meaning.MAYBE)


_Q: dict[str, Any] = {
    "open": lambda _user: Q(done_at__isnull=True),
    "mine": lambda user: Q(done_at__isnull=True, assigned_to=user),
    "unassigned": lambda _user: Q(done_at__isnull=True, assigned_to__isnull=True),
}
