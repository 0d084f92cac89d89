"""What the pages and the API show of callbacks: endpoints with how they are doing, and the log. A fixed number of queries."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from sms.callbacks.leases import SECRETS, waiting_counts
from sms.callbacks.schedule import OPENS_AFTER
from sms.models import Callback, CallbackEndpoint, Service
from sms.models.event_types import EVENTS
from sms.models.paging import given
from sms.models.sql.clock import corrected_now
from sms.words import number, retold

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
            return _("receipts of API sends that name it as notifyUrl")
        one = self.endpoint
        kinds = ", ".join(NAMES.get(kind, kind).lower() for kind in one.events) or _("everything")
        if one.all_keys and not one.senders and not one.labels:
            return kinds
        # Translators: events is a list of names, or “everything”.
        return _("%(events)s, of some sends") % {"events": kinds}


def overview(service: Service, *, only: int | None = None) -> list[EndpointRow]:
    """Endpoints of a service: ours first, then hosts of notifyUrls. Secrets are not read."""
    rows = CallbackEndpoint.objects.filter(given(pk=only), service=service).defer(*SECRETS)
    endpoints = list(rows.order_by("-kind", "name", "pk"))
    waiting = waiting_counts([endpoint.pk for endpoint in endpoints])
    now = corrected_now()
    return [EndpointRow(one, waiting[one.pk], *_state_of(one, now)) for one in endpoints]


def switched_off(service: Service) -> list[CallbackEndpoint]:
    """Endpoints that were switched off by themselves, the latest first; one query. Secrets are not read."""
    rows = CallbackEndpoint.objects.filter(service=service, disabled_at__isnull=False)
    return list(rows.defer(*SECRETS).order_by("-disabled_at"))


def _state_of(endpoint: CallbackEndpoint, now: datetime) -> tuple[str, str, str]:
    """`word`, `mark` and `says`."""
    if endpoint.disabled_at:
        return _("Switched off"), "failed", retold(endpoint.disabled_because)
    if endpoint.moved_at:
        says = _(
            "Its address was changed. Events are kept, and delivered when it has answered the challenge."
        )
        return _("Not verified"), "unconfirmed", says
    if endpoint.verified_at is None:
        return _("Not verified"), "unconfirmed", _("It gets nothing before it answers the challenge.")
    if endpoint.paused_at:
        return _("Paused"), "paused", _("What happens in between is kept.")
    if endpoint.failures >= OPENS_AFTER:
        says = ngettext(
            "%(n)s try in a row failed. One callback at a time is tried until it takes one.",
            "%(n)s tries in a row failed. One callback at a time is tried until it takes one.",
            endpoint.failures,
        )
        return _("Failing"), "failed", says % {"n": number(endpoint.failures)}
    if endpoint.open_until and endpoint.open_until > now:
        return _("Held"), "paused", _("It asked us to wait.")
    return pgettext("adjective", "On"), "delivered", ""


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
    asked = given(state=state, kind=kind, message_id=message, pk__lt=before)
    rows = Callback.objects.filter(asked, endpoint=endpoint).order_by("-pk").defer("body", "log")
    return list(rows[:limit])
