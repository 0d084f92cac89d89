"""What the pages and the API show of callbacks: endpoints with how they are doing, and the log. A fixed number of queries."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from sms.callbacks.leases import SECRETS, waiting_counts
from sms.callbacks.schedule import OPENS_AFTER
from sms.models import Callback, CallbackEndpoint, Service
from sms.models.callback import EVENTS

NAMES = dict(EVENTS)


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One endpoint. `word` is its state in a word, `mark` the picture for it, `says` a sentence where something is amiss."""

    endpoint: CallbackEndpoint
    waiting: int
    word: str
    mark: str
    says: str

    @property
    def events(self) -> str:
        if self.endpoint.kind == CallbackEndpoint.Kind.NOTIFY:
            return "receipts of API sends that name it as notifyUrl"
        return ", ".join(NAMES.get(kind, kind).lower() for kind in self.endpoint.events) or "everything"


def overview(service: Service, *, only: int | None = None, now: datetime | None = None) -> list[EndpointRow]:
    """Endpoints of a service: ours first, then hosts of notifyUrls. Secrets are not read."""
    now = now or timezone.now()
    rows = CallbackEndpoint.objects.filter(service=service).defer(*SECRETS).order_by("-kind", "name", "pk")
    if only is not None:
        rows = rows.filter(pk=only)
    endpoints = list(rows)
    waiting = waiting_counts([endpoint.pk for endpoint in endpoints])
    return [_row(endpoint, waiting[endpoint.pk], now) for endpoint in endpoints]


def switched_off(service: Service) -> list[CallbackEndpoint]:
    """Endpoints that were switched off by themselves, the latest first; one query. Secrets are not read."""
    rows = CallbackEndpoint.objects.filter(service=service, disabled_at__isnull=False)
    return list(rows.defer(*SECRETS).order_by("-disabled_at"))


def _row(endpoint: CallbackEndpoint, waiting: int, now: datetime) -> EndpointRow:
    if endpoint.disabled_at:
        return EndpointRow(endpoint, waiting, "Switched off", "failed", endpoint.disabled_because)
    if endpoint.verified_at is None:
        return EndpointRow(
            endpoint,
            waiting,
            "Not verified",
            "unconfirmed",
            "It gets nothing before it answers the challenge.",
        )
    if endpoint.paused_at:
        return EndpointRow(endpoint, waiting, "Paused", "paused", "What happens in between is kept.")
    if endpoint.failures >= OPENS_AFTER:
        says = (
            f"{endpoint.failures} tries in a row failed. One callback at a time is tried until it takes one."
        )
        return EndpointRow(endpoint, waiting, "Failing", "failed", says)
    if endpoint.open_until and endpoint.open_until > now:
        return EndpointRow(endpoint, waiting, "Held", "paused", "It asked us to wait.")
    return EndpointRow(endpoint, waiting, "On", "delivered", "")


def log_of(
    endpoint: CallbackEndpoint,
    *,
    state: str = "",
    kind: str = "",
    message: int | None = None,
    before: int | None = None,
    limit: int,
) -> list[Callback]:
    """The log, newest first, without bodies; `before` is the id to go on from."""
    rows = Callback.objects.filter(endpoint=endpoint).order_by("-pk").defer("body", "log")
    if state:
        rows = rows.filter(state=state)
    if kind:
        rows = rows.filter(kind=kind)
    if message is not None:
        rows = rows.filter(message_id=message)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows[:limit])
