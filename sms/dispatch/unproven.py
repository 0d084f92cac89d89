"""The end of partners' messages of which nothing proves that they were sent: a failure with a code of its own, which a receipt undoes.

A program waits for an answer where a person would look, so it gets one. Messages that people sent stay unconfirmed until a person
decides (`settle.by_person`). Called by `sms.worker.jobs`.
"""

from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_noop

from sms.ledger import states
from sms.ledger.counters import CounterDeltas, window_of
from sms.ledger.state_machine import StateChange
from sms.models import Message, MessageState, Send, Service, StateCount
from sms.models.message import NO_PROOF
from sms.models.sql.session import database_now
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

NO_PROOF_IN_AN_HOUR = gettext_noop(
    "Neither an answer nor a receipt came within 1 hour. It may have been sent."
)
NO_PROOF_IN_HOURS = KeptSentence(
    gettext_noop("Neither an answer nor a receipt came within %(hours)s hours. It may have been sent.")
)

AT_ONCE = 500


def end_unproven(*, limit: int = 5000) -> int:
    """End what was posted `Service.unconfirmed_hours` ago and is still unconfirmed, at most `limit`; returns how many.

    Read from the counters by window of posting, so that finding nothing costs no walk over the messages.
    """
    now, done, ids = database_now(), 0, list[int]()
    # by their hours, so that many whose time has not come do not stand before those whose time has
    for hours in set(Service.objects.values_list("unconfirmed_hours", flat=True)):
        counted = StateCount.objects.filter(
            send__service__unconfirmed_hours=hours,
            window__gt=0,
            window__lte=window_of(now - timedelta(hours=hours)),
            state=MessageState.UNCONFIRMED,
        ).exclude(send__partner="")
        some = counted.values("send_id").annotate(left=Sum("delta")).filter(left__gt=0)
        ids += some.order_by("send_id").values_list("send_id", flat=True)[:limit]
    sends = Send.objects.filter(pk__in=ids).select_related("service").defer(*Service.secrets("service"))
    for send in sends.order_by("pk"):
        done += _end(send, limit=limit - done)
    if done:
        log.warning("unconfirmed_messages_ended", messages=done)
    return done


def _end(send: Send, *, limit: int) -> int:
    now, hours = database_now(), send.service.unconfirmed_hours
    rows = Message.objects.filter(
        send=send, state=MessageState.UNCONFIRMED, posted_at__lte=now - timedelta(hours=hours)
    ).order_by("pk")
    words = NO_PROOF_IN_AN_HOUR if hours == 1 else NO_PROOF_IN_HOURS(hours=hours)
    done = last_id = 0
    while done < limit:
        with transaction.atomic():
            found = list(rows.filter(pk__gt=last_id).values_list("pk", "attempt")[:AT_ONCE])
            if not found:
                break
            last_id, deltas = found[-1][0], CounterDeltas()
            changes = [
                StateChange(pk, MessageState.FAILED, now, attempt=attempt, code=NO_PROOF, detail=words)
                for pk, attempt in found
            ]
            states.apply(changes, deltas=deltas)
            done += deltas.gained(MessageState.FAILED)
            deltas.write()
    return done
