"""What a run knows of the services and sends that it works on: connections, breakers and request templates, each read once."""

from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext_noop

from sms import simulator
from sms.catalogue.credentials import ProviderConnection, connection_of
from sms.compose.approval import release
from sms.dispatch.breaker import Breaker, Breakers
from sms.dispatch.claim import ClaimedSlice
from sms.dispatch.request import RequestTemplate, template_of
from sms.dispatch.service_pause import pause_service
from sms.models import Actor, Send
from sms.models.fields import UnreadableSecret
from sms.models.sql.session import database_now
from sms.simulator import SimulatedConnection
from sms.webex.origin import SecretElsewhere
from sms.words import KeptSentence

SECRET_NOT_READ = KeptSentence(gettext_noop("A stored key or secret cannot be read: %(problem)s."))


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """What it takes to post for one service; `templates` are by send."""

    breaker: Breaker
    connection: ProviderConnection | SimulatedConnection
    templates: dict[int, RequestTemplate] = field(default_factory=dict)
    slug: str = ""  # of the service, for what is counted


class ServiceContexts(dict[int, ServiceContext]):
    def __init__(self, breakers: Breakers, *, public_url: str, simulated: bool = False) -> None:
        super().__init__()
        self._connection_of = simulator.connection_of if simulated else connection_of
        self._breakers, self._public_url = breakers, public_url
        self._stale: set[int] = set()  # sends whose template is not what was approved

    def prepare(self, lease: ClaimedSlice) -> bool:
        """Whether a slice's messages can be posted: its service can be connected to, and what would be sent is what was approved.

        A service whose secrets cannot be read, or were typed for another address, is paused, and stops no other.
        """
        return self._load(lease) and self._as_approved(lease)

    def template(self, lease: ClaimedSlice) -> RequestTemplate:
        return self[lease.service_id].templates[lease.send_id]

    def _load(self, lease: ClaimedSlice) -> bool:
        context = self.get(lease.service_id)
        template = context.templates.get(lease.send_id) if context is not None else None
        # what was approved is read again for each slice: another process may have found a change, and had it approved again
        if template is not None and not template.approvers and lease.send_id not in self._stale:
            return True
        related = ("service__region", "sender", "policy_group", "link_domain", "template")
        try:
            send = Send.objects.select_related(*related).get(pk=lease.send_id)
            if context is None:
                breaker = self._breakers[lease.service_id]
                context = self[lease.service_id] = ServiceContext(
                    breaker, self._connection_of(send.service), slug=send.service.slug
                )
            context.templates[lease.send_id] = template_of(send, public_url=self._public_url)
            self._stale.discard(lease.send_id)
        except (UnreadableSecret, SecretElsewhere) as problem:
            unreadable = isinstance(problem, UnreadableSecret)
            with transaction.atomic():
                reason = SECRET_NOT_READ(problem=problem) if unreadable else str(problem)
                pause_service(lease.service_id, by=Actor.system(), because=reason, at=database_now())
            return False
        return True

    def _as_approved(self, lease: ClaimedSlice) -> bool:
        """Compares what was just read with what was approved, where approval was needed."""
        if not self.template(lease).approvers:
            return True
        approved = release.is_as_approved(
            lease.send_id,
            slice_id=lease.slice_id,
            first_id=lease.first_id,
            last_id=lease.last_id,
            now=database_now(),
        )
        if not approved:
            self._stale.add(lease.send_id)
        return approved
