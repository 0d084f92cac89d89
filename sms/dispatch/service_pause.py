"""Pause a whole service: by a person, or by ourselves where nothing could be posted. Inside a transaction."""

from datetime import datetime
from typing import Any

import structlog

from sms.callbacks import events
from sms.models import UNFINISHED, Actor, Send, Service
from sms.models.audit import audit
from sms.notices import tell_held

log = structlog.get_logger(__name__)


def pause_service(service_id: int, *, by: Actor, because: str, at: datetime, **facts: Any) -> bool:
    """Post nothing of it, with one audit row however often it is asked for; False where it is paused already."""
    because = because[:200]
    fresh = Service.objects.filter(pk=service_id, paused_at__isnull=True)
    if not fresh.update(paused_at=at, paused_because=because):
        return False
    sends = Send.objects.filter(service=service_id, state__in=UNFINISHED)
    told: dict[str, Any] = {"once": ("service", at.isoformat()), "reason": because, "rule": None}
    events.record_sends(sends, "send.held", at=at, **told)
    service = Service.objects.defer(*Service.secrets()).get(pk=service_id)
    tell_held(
        service,
        service.name,
        sends,
        event=f"pause:{service_id}:{at.isoformat()}",
        because=because,
        by=by,
        now=at,
    )
    audit(
        "service.paused",
        by=by,
        service=service.slug,
        noun="service",
        key=service_id,
        because=because,
        **facts,
    )
    log.warning("service_paused", service=service.slug, by=by.label, because=because)
    return True
