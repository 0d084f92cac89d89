"""Stop what has not been posted, and pause a whole service. Each is one audited act."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Sum

from sms.dispatch.restored_copy import refuse_to_resume
from sms.dispatch.service_pause import pause_service
from sms.ledger import wakeups
from sms.models import Actor, MessageState, Preparation, Send, SendState, Service, StateCount
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.sends.cancel import cancel
from sms.sends.holds import Scope, hold, record, tell_resumed, unfinished


def stop(scope: Scope | Service, *, by: Actor) -> int:
    """Cancel whatever of it was not posted yet, for good; returns how many messages that stopped."""
    stopped = sum(cancel(send, by=by) for send in unfinished(scope))
    if not isinstance(scope, Send):
        record(scope, "stopped", by=by, stopped=stopped)
    return stopped


def hold_unfinished(service: Service, *, by: Actor, because: str) -> int:
    """Hold whatever of it has not ended, each send by itself, so that a person looks at each; returns how many sends."""
    sends = list(unfinished(service))
    for send in sends:
        hold(send, by=by, because=because)
    return len(sends)


def pause_everything(service: Service, *, by: Actor, because: str) -> bool:
    """Post nothing of a whole service; False where it is paused already."""
    with transaction.atomic():
        return pause_service(service.pk, by=by, because=because, at=corrected_now())


def resume_service(service: Service, *, by: Actor) -> bool:
    """Let a whole service go on; what is held by itself stays held. Raises NotAfterRestore for a restored copy."""
    refuse_to_resume(service)
    with transaction.atomic():
        paused = Service.objects.filter(pk=service.pk, paused_at__isnull=False)
        if not paused.update(paused_at=None, paused_because=""):
            return False
        tell_resumed(unfinished(service), once=("service", corrected_now().isoformat()))
        audit("service.resumed", service, by=by)
        wakeups.dispatch()
    return True


def resume_writing(send: Send, *, by: Actor) -> bool:
    """Take up the writing of a large send's messages where it failed; False where there is nothing to take up."""
    with transaction.atomic():
        locked = Send.objects.select_for_update(no_key=True).get(pk=send.pk)
        failed = Preparation.objects.filter(send=locked, state=Preparation.State.FAILED)
        if locked.state != SendState.PREPARING or not Preparation.take_up(failed):
            return False
        audit("send.writing_resumed", locked, by=by)
    return True


@dataclass(frozen=True, slots=True)
class AtStake:
    sends: int
    messages: int


def at_stake(scope: Scope | Service) -> AtStake:
    """Sends that are not finished, and their messages that were not posted yet."""
    sends = unfinished(scope)
    waiting = StateCount.objects.filter(send__in=sends.order_by().values("pk"), state=MessageState.PENDING)
    return AtStake(sends.count(), waiting.aggregate(total=Sum("delta"))["total"] or 0)
