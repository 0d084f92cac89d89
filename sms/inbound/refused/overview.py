"""Refused posts and checked signatures as pages, `/readyz` and `/metrics` show them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min
from django.utils.translation import ngettext

from sms.models import CameTo, PostKind, PostTally, RefusedPost, Service
from sms.words import number

_SAYS: Mapping[tuple[PostKind, CameTo], Callable[[int], str]] = {
    (PostKind.RECEIPT, CameTo.NOTIFY_URL): lambda n: ngettext(
        "%(n)s receipt at the address in messages", "%(n)s receipts at the address in messages", n
    ),
    (PostKind.RECEIPT, CameTo.WEBHOOK): lambda n: ngettext(
        "%(n)s receipt at the address for webhooks", "%(n)s receipts at the address for webhooks", n
    ),
    (PostKind.RECEIPT, CameTo.RETIRED): lambda n: ngettext(
        "%(n)s receipt at an address that has ended", "%(n)s receipts at an address that has ended", n
    ),
    (PostKind.RECEIPT, CameTo.UNKNOWN): lambda n: ngettext(
        "%(n)s receipt at an address that no service has",
        "%(n)s receipts at an address that no service has",
        n,
    ),
    (PostKind.INBOUND, CameTo.NOTIFY_URL): lambda n: ngettext(
        "%(n)s incoming SMS at the address in messages", "%(n)s incoming SMS at the address in messages", n
    ),
    (PostKind.INBOUND, CameTo.WEBHOOK): lambda n: ngettext(
        "%(n)s incoming SMS at the address for webhooks", "%(n)s incoming SMS at the address for webhooks", n
    ),
    (PostKind.INBOUND, CameTo.RETIRED): lambda n: ngettext(
        "%(n)s incoming SMS at an address that has ended",
        "%(n)s incoming SMS at an address that has ended",
        n,
    ),
    (PostKind.INBOUND, CameTo.UNKNOWN): lambda n: ngettext(
        "%(n)s incoming SMS at an address that no service has",
        "%(n)s incoming SMS at an address that no service has",
        n,
    ),
}


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """Posts of one kind that wait at one kind of address."""

    kind: PostKind
    came_to: CameTo
    count: int
    first: datetime
    last: datetime

    def __str__(self) -> str:
        return _SAYS[self.kind, self.came_to](self.count) % {"n": number(self.count)}


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """Signatures of one kind of post at one address of a service. `proved_at` empty: nothing is refused yet."""

    kind: PostKind
    came_to: CameTo
    proved_at: datetime | None
    would_refuse: int
    last_at: datetime | None


def kept_of(service: Service | None) -> list[RefusedRow]:
    """What is kept for a service; without one, what nothing shows to be about any."""
    rows = RefusedPost.objects.filter(service=service).order_by("kind", "came_to").values("kind", "came_to")
    found = rows.annotate(count=Count("pk"), first=Min("received_at"), last=Max("received_at"))
    return [
        RefusedRow(PostKind(one["kind"]), CameTo(one["came_to"]), one["count"], one["first"], one["last"])
        for one in found
    ]


def checks_of(service: Service) -> list[SignatureCheck]:
    """Every kind of post whose signature is checked now: at the address for webhooks, and in messages where the service says so."""
    if not (mark := service.signature_mark):
        return []
    rows = PostTally.objects.filter(service=service, mark=mark)
    tallies = {(row.kind, row.came_to): row for row in rows}
    checked = [CameTo.WEBHOOK, *([CameTo.NOTIFY_URL] if service.notify_url_signed else [])]
    return [
        SignatureCheck(kind, came_to, row.proved_at, row.would_refuse, row.last_at)
        if (row := tallies.get((kind, came_to)))
        else SignatureCheck(kind, came_to, None, 0, None)
        for came_to in checked
        for kind in PostKind
        if came_to == CameTo.WEBHOOK or kind == PostKind.RECEIPT
    ]


def tallies() -> list[PostTally]:
    """All that was counted, with the slug of the service."""
    return list(PostTally.objects.select_related("service").defer(*Service.secrets("service")).order_by("pk"))
