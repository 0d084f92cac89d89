"""A restored copy: nothing of it is posted, and nobody resumes it, until `manage.py after_restore` has settled what it does not know."""

from datetime import datetime

import structlog
from django.db.models import Max
from django.utils.translation import gettext, gettext_noop

from sms.dispatch.service_pause import pause_service
from sms.models import Actor, RestoredCopy, Send, Service
from sms.models.audit import audit
from sms.models.sql import sequences

log = structlog.get_logger(__name__)

FOUND = gettext_noop(
    "This is a restored copy of the database: what was sent since it was made is not known here. "
    "Your operator runs manage.py after_restore; until then it cannot be resumed."
)

SETTLED = gettext_noop(
    "This is a restored copy, and manage.py after_restore has run. "
    "Settle what is unconfirmed and look at what is held; then resume it."
)
DENIED = gettext_noop(
    "It was taken for a restored copy, and an operator has said that nothing was lost. Resume it."
)


class NotAfterRestore(Exception):
    """Somebody wants to resume a restored copy; the text says what comes first."""


def declare(why: str, *, at: datetime) -> int:
    """Pause all services and move the sequences, in the caller's transaction; returns of how many services that was not known.

    A finding that nobody has settled may have come with the backup itself. It counts from now on: what was made since is in doubt too.
    """
    last_send = Send.objects.aggregate(last=Max("pk"))["last"] or 0
    # what is made from now on takes no id of what was lost
    sequences.move_on(at=at)
    waiting = RestoredCopy.objects.filter(settled_at=None)
    known = set(waiting.values_list("service_id", flat=True))
    waiting.update(found_at=at, why=why[:300], last_send=last_send, attempts_from=0)
    by, new = Actor.system(), 0
    Service.objects.filter(paused_because__in=(SETTLED, DENIED)).update(paused_because=FOUND)
    for service in Service.objects.defer(*Service.secrets()).order_by("pk"):
        pause_service(service.pk, by=by, because=FOUND, at=at)
        if service.pk in known:
            continue
        RestoredCopy.objects.create(service=service, found_at=at, why=why[:300], last_send=last_send)
        audit("service.restored_copy_found", service, by=by, reason=why)
        new += 1
    log.error("restored_copy", why=why, services=new)
    return new


def refuse_to_resume(service: Service) -> None:
    """Raises NotAfterRestore while it is a restored copy that is not settled."""
    if RestoredCopy.objects.filter(service=service, settled_at=None).exists():
        raise NotAfterRestore(gettext(FOUND))
