"""Cancel what a send has not posted yet. Called by its page, the API, the controls, and a rejection."""

from datetime import datetime

from django.db import transaction

from sms.callbacks import events
from sms.compose import spending
from sms.compose.approval import endings
from sms.ledger import states
from sms.ledger.counters import CounterDeltas
from sms.ledger.settled import settle_after
from sms.models import OVER, Actor, Preparation, Send, SendState, Slice
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now


def cancel(send: Send, *, by: Actor, now: datetime | None = None) -> int:
    """Cancel what was not posted yet; returns how many messages that stopped.

    Locking the slices comes first: it waits for a dispatcher that is arming one right now, and one that arms after reads the new state.
    Slices that are leased stay open, so that what they have in flight is still recorded or swept.
    """
    now = now or corrected_now()
    with transaction.atomic():
        # NO KEY: counters point to the send, and a process that writes one while we wait for its messages must not wait for us
        locked = Send.objects.select_for_update(no_key=True).get(pk=send.pk)
        if locked.state in OVER:
            return 0
        if locked.state == SendState.PREPARING:
            # the writer of its messages holds the send's lock for each block, so what is counted here is final
            ended = {"state": Preparation.State.CANCELLED, "owner": "", "leased_until": None, "ended_at": now}
            Preparation.objects.filter(send=locked).update(**ended)
            locked.recipients = sum(locked.counts().values())
        endings.withdraw(locked, by=by, now=now)
        slices = list(Slice.of_send(locked.pk).filter(done=False))
        Slice.objects.filter(pk__in=[item.pk for item in slices if not item.owner]).update(done=True)
        spending.give_back_all(locked)
        deltas = CounterDeltas()
        stopped = states.cancel(locked.pk, at=now, deltas=deltas)
        deltas.write()
        locked.state, locked.cancelled_at, locked.cancelled_by = SendState.CANCELLED, now, by.label
        locked.save(update_fields=["state", "recipients", "cancelled_at", "cancelled_by"])
        events.record([events.of_send(locked, "send.cancelled", at=now)])
        audit("send.cancelled", locked, by=by, stopped=stopped)
        settle_after([locked.pk])
    send.refresh_from_db()
    return stopped
