"""What is known of a service for the checks of going live, in a few statements. Only what came since it is connected as it is counts."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from portal.demo.entries import ADDRESSES, DOMAIN, POLICY_GROUP, SENDERS, SLUG
from portal.models import Membership, Role, User
from sms.catalogue.tenant_probe import findings_of
from sms.models import (
    ApiKey,
    CallbackEndpoint,
    InboundMessage,
    Message,
    MessageState,
    ProbePost,
    ProbeReceipt,
    Receipt,
    RefusedPost,
    Send,
    Service,
    ShortLinkDomain,
    StateCount,
)
from sms.models.sql.clock import corrected_now

ACCEPTED = (MessageState.QUEUED, MessageState.SUBMITTED, MessageState.DELIVERED)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Times are of what was seen, None where it was not seen."""

    service: Service
    since: datetime
    public_url: str
    accepted_at: datetime | None
    delivered_at: datetime | None
    receipt_at: datetime | None
    incoming_at: datetime | None
    asked_at: datetime | None
    refused: bool
    admins: tuple[str, ...]
    demo_people: bool
    demo_entries: bool
    demo_keys: bool
    older_keys: int
    proved: int
    proved_at: datetime | None
    older_callbacks: int
    senders: int
    policy_groups: int
    domains: tuple[ShortLinkDomain, ...]

    def holds_for(self, parts: tuple[str, ...]) -> str:
        """What a step was checked for, of `provider`, `public`, `token` and `webhook`; of tokens a digest, since they are secret."""
        of = {
            "provider": self.service.secrets_origin,
            "public": self.public_url,
            "token": hashlib.sha256(self.service.receipt_token.encode()).hexdigest()[:12],
            "webhook": hashlib.sha256(self.service.webhook_token.encode()).hexdigest()[:12],
        }
        return " ".join(of[part] for part in parts)


def evidence_of(service: Service) -> Evidence:
    since = service.live_since or service.created_at
    of_service: dict[str, Any] = {"service": OuterRef("pk")}
    counted = StateCount.objects.filter(send=OuterRef("pk"), delta__gt=0)
    # an answer names the message; "treated as sent" by a person does not
    taken = Message.objects.filter(send=OuterRef("pk"), state__in=ACCEPTED).exclude(provider_id="")
    sends = Send.objects.filter(**of_service, created_at__gte=since, simulated=False).order_by("-id")
    # a tenant probe posts without a send
    probed = ProbePost.objects.filter(step__probe__service=OuterRef("pk"), at__gte=since, accepted=True)
    reported = ProbeReceipt.objects.filter(post__step__probe__service=OuterRef("pk"), at__gte=since)
    demo_entries = Q(pk__in=[])
    if service.slug == SLUG:
        demo_entries = (
            Q(senders__active=True, senders__address__in=[address for address, *_ in SENDERS])
            | Q(policy_groups__active=True, policy_groups__group_id=POLICY_GROUP)
            | Q(link_domains__active=True, link_domains__host=DOMAIN)
        )
    row = (
        Service.objects.filter(pk=service.pk)
        .annotate(
            accepted=Coalesce(
                _first(sends.filter(Exists(taken)), "created_at"), _first(probed.order_by("-id"), "at")
            ),
            delivered=_first(
                sends.filter(Exists(counted.filter(state=MessageState.DELIVERED))), "created_at"
            ),
            receipt=Coalesce(
                _first(
                    Receipt.objects.filter(
                        **of_service, received_at__gte=since, message_id__gt=0, simulated=False
                    ).order_by("-id"),
                    "received_at",
                ),
                _first(reported.order_by("-id"), "at"),
            ),
            incoming=_first(
                InboundMessage.objects.filter(**of_service, received_at__gte=since, why="").order_by("-id"),
                "received_at",
            ),
            refused=Exists(RefusedPost.objects.filter(**of_service)),
            entries=Exists(Service.objects.filter(demo_entries, pk=OuterRef("pk"))),
        )
        .values("accepted", "delivered", "receipt", "incoming", "refused", "entries", "receipt_asked_at")
        .get()
    )
    keys = list(
        service.api_keys.filter(
            ApiKey.usable_at(corrected_now()), is_test=False, created_at__lt=since
        ).values_list("created_by", flat=True)
    )
    # when each endpoint was made is in the audit only, so all of them count
    callbacks = service.callback_endpoints.filter(kind=CallbackEndpoint.Kind.EVENTS, disabled_at=None)
    proved = dict(findings_of(service).values_list("doubt", "at"))
    return Evidence(
        service=service,
        since=since,
        public_url=settings.PUBLIC_URL,
        accepted_at=row["accepted"],
        delivered_at=row["delivered"],
        receipt_at=row["receipt"],
        incoming_at=row["incoming"],
        asked_at=row["receipt_asked_at"],
        refused=row["refused"],
        admins=_admins(service),
        demo_people=User.objects.filter(email__in=ADDRESSES, is_active=True).exists(),
        demo_entries=row["entries"],
        demo_keys=any(made_by in ADDRESSES for made_by in keys),
        older_keys=len(keys),
        proved=len(proved),
        proved_at=max(proved.values(), default=None),
        older_callbacks=callbacks.count() if since > service.created_at else 0,
        senders=service.senders.filter(active=True).count(),
        policy_groups=service.policy_groups.filter(active=True).count(),
        domains=tuple(service.link_domains.filter(active=True).select_related("region")),
    )


def _first(rows: "QuerySet[Any]", column: str) -> Subquery:
    return Subquery(rows.values(column)[:1], output_field=DateTimeField())


def _admins(service: Service) -> tuple[str, ...]:
    """Own people who can configure it, by address."""
    members = Membership.objects.filter(service=service, role=Role.ADMIN).values("user")
    found = User.objects.filter(Q(pk__in=members) | Q(is_superuser=True), is_active=True)
    return tuple(found.exclude(email__in=ADDRESSES).order_by("email").values_list("email", flat=True))
