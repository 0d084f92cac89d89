"""After a restore: what was sent since the backup was made is not known, so nothing of it may be sent by itself.

Whatever a receipt names is accepted under that attempt; everything else that was open is *unconfirmed*, and a receipt or a person settles
it: what a policy goes by was lost. What is due later waits under a hold. Every step may be done again, so this may be killed anywhere.
See docs/decisions/0047-a-restore-that-cannot-send-twice.md.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime

import structlog
from django.db import Error, transaction
from django.db.models import Max, Sum
from django.utils.translation import gettext_noop

from sms.dispatch.claim import EXTRA, lock_sends
from sms.dispatch.recovery import recover
from sms.dispatch.restored_copy import DENIED, FOUND, SETTLED
from sms.inbound import optouts, receipts
from sms.ledger.counters import CounterDeltas
from sms.ledger.crash_points import point
from sms.ledger.lost_history import Surmise, surmise
from sms.models import (
    Actor,
    InboundMessage,
    Message,
    MessageState,
    Receipt,
    RecurringSend,
    RestoredCopy,
    Send,
    SendState,
    Service,
    StateCount,
)
from sms.models.audit import audit
from sms.models.message import UNSENT
from sms.models.sql.clock import corrected_now
from sms.models.sql.id_list import among
from sms.models.sql.session import database_now
from sms.models.sql.trouble import may_be_of_one_alone
from sms.sends import holds
from sms.sends.recurring import control as recurring
from sms.values import lives
from sms.webex.errors import UnreadableBody
from sms.webex.receipts import parse_receipt

log = structlog.get_logger(__name__)

AT_ONCE = 1000
IN_DOUBT = gettext_noop("In a restored copy of the database: whether it was sent is not known.")
DUE_LATER = gettext_noop(
    "This send is of a restored copy. Unless a person moved it forward in what was lost, it has not gone out. "
    "Look at the provider before you resume it."
)
HALF_WRITTEN = gettext_noop(
    "Its messages were being written when the copy was made. It may have gone out since. "
    "Look at the provider before you resume it; else cancel it."
)


@dataclass(slots=True)
class Found:
    """What was done with one service, in messages; then sends, recurring sends and keyword answers."""

    proved: int = 0
    unconfirmed: int = 0
    due_later: int = 0
    sends_held: int = 0
    recurring_paused: int = 0
    answers_left_out: int = 0

    def __iadd__(self, other: "Found") -> "Found":
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
        return self


def bring_in() -> int:
    """Posts of the provider that wait on the spools of this host; returns how many. Its answers that wait beside them are proof as well."""
    recover()
    return _swept(receipts.sweep) + _swept(optouts.sweep)


def _swept(sweep: Callable[[], int]) -> int:
    """A post over which alone the database takes too long stays on the spool, and does not keep a restore from going on."""
    done = 0
    try:
        while some := sweep():
            done += some
    except Error as problem:
        if not may_be_of_one_alone(problem):
            raise
        log.error("spool_not_empty", error=type(problem).__name__)
    return done


def settle(copy: RestoredCopy, *, by: Actor) -> Found:
    """Settle one service; receipts must be stored by then. It stays paused, and may be resumed."""
    service = copy.service
    sends = list(_open_sends(copy))
    if not copy.attempts_from:
        made = Message.objects.filter(send__in=sends, state__in=UNSENT).aggregate(most=Max("attempt"))
        # by the time: an earlier restore of the same backup is known to nobody, and what it posted may be proved by receipts too
        copy.attempts_from = max(lives.first_attempt(copy.found_at), (made["most"] or 0) + 1)
        copy.save(update_fields=["attempts_from"])
    found, now = Found(), database_now()
    for send in sends:
        found += _settle_send(send, copy, now=now, by=by)
    if copy.settled_at is None:  # afterwards people have looked
        running = RecurringSend.objects.filter(service=service, state=RecurringSend.State.RUNNING)
        found.recurring_paused = sum(recurring.pause(one, by=by) for one in running.filter(next_at__lte=now))
    owed = InboundMessage.objects.filter(service=service, answer_due=True, received_at__lte=copy.found_at)
    found.answers_left_out = owed.update(answer_due=False, not_answered=IN_DOUBT[:200])
    receipts.retry(service)
    _until_nothing(receipts.fold)
    with transaction.atomic():
        RestoredCopy.objects.filter(pk=copy.pk).update(settled_at=corrected_now())
        _say(service, SETTLED)
        audit(
            "service.restored_copy_settled",
            service,
            by=by,
            **{one.name: getattr(found, one.name) for one in fields(found)},
        )
        point("settled_uncommitted")
    return found


def deny(copy: RestoredCopy, *, because: str, by: Actor) -> None:
    """An operator knows that nothing was lost. It stays paused, and may be resumed."""
    with transaction.atomic():
        RestoredCopy.objects.filter(pk=copy.pk).update(settled_at=corrected_now())
        _say(copy.service, DENIED)
        audit("service.restored_copy_denied", copy.service, by=by, reason=because[:200])


def left_over(service: Service) -> int:
    """Its unconfirmed messages now, which receipts may have settled since."""
    counted = StateCount.objects.filter(send__service=service, state=MessageState.UNCONFIRMED)
    return counted.aggregate(left=Sum("delta"))["left"] or 0


def _say(service: Service, words: str) -> None:
    """Only where the pause is ours: a person's reason for a pause stays."""
    Service.objects.filter(pk=service.pk, paused_because=FOUND).update(paused_because=words)


def _open_sends(copy: RestoredCopy) -> Iterator[Send]:
    """Those of the copy with messages that may still be posted, or with messages to come; not what is simulated."""
    counted = StateCount.objects.filter(
        send__service=copy.service_id, send__lte=copy.last_send, send__simulated=False, state__in=UNSENT
    )
    some = counted.order_by().values("send_id").annotate(left=Sum("delta")).filter(left__gt=0)
    ids = set(some.values_list("send_id", flat=True))
    unwritten = Send.objects.filter(
        service=copy.service_id, pk__lte=copy.last_send, simulated=False, state=SendState.PREPARING
    )
    ids.update(unwritten.values_list("pk", flat=True))
    yield from Send.objects.filter(pk__in=among(ids)).select_related("service").order_by("pk")


def _settle_send(send: Send, copy: RestoredCopy, *, now: datetime, by: Actor) -> Found:
    found = Found()
    later = send.due_at > now and send.state in (SendState.SCHEDULED, SendState.AWAITING)
    if copy.settled_at is None and (later or send.state == SendState.PREPARING):
        holds.hold(send, by=by, because=DUE_LATER if later else HALF_WRITTEN)
        found.sends_held += 1
    open_ones = Message.objects.filter(send=send, state__in=UNSENT, attempt__lt=copy.attempts_from)
    last_id = 0
    while True:
        with transaction.atomic():
            lock_sends([send.pk])
            rows = open_ones.filter(pk__gt=last_id).order_by("pk")
            states = dict(rows.values_list("pk", "state")[:AT_ONCE])
            if not states:
                return found
            last_id, deltas = max(states), CounterDeltas()
            proofs = _proofs(copy, list(states))
            found.proved += surmise(list(proofs.values()), deltas=deltas)
            # of a send for later, what nothing was heard of
            rest = {pk: state for pk, state in states.items() if pk not in proofs}
            waiting = [pk for pk, state in rest.items() if later and state == MessageState.PENDING]
            in_doubt = [pk for pk, state in rest.items() if not (later and state == MessageState.PENDING)]
            found.due_later += _put(waiting, MessageState.PENDING, copy, deltas=deltas)
            found.unconfirmed += _put(in_doubt, MessageState.UNCONFIRMED, copy, deltas=deltas)
            # no policy sends it again: the receipts of the lost part were heard there
            Message.objects.filter(pk__in=among(in_doubt), resent__lt=EXTRA).update(resent=EXTRA)
            deltas.write()
            point("settling_uncommitted")
        point("settling_committed")


def _put(ids: list[int], state: MessageState, copy: RestoredCopy, *, deltas: CounterDeltas) -> int:
    detail = IN_DOUBT if state == MessageState.UNCONFIRMED else ""
    return surmise(
        [Surmise(pk, state, copy.attempts_from, copy.found_at, detail) for pk in ids], deltas=deltas
    )


def _proofs(copy: RestoredCopy, message_ids: list[int]) -> dict[int, Surmise]:
    """What receipts say of these messages: the last attempt that one names, and the earliest time that one tells."""
    rows = Receipt.objects.filter(
        message_id__in=among(message_ids),
        service=copy.service_id,
        attempt__range=(1, copy.attempts_from - 1),
        simulated=False,
    ).order_by("pk")
    attempts: dict[int, int] = defaultdict(int)
    times: dict[int, datetime] = {}
    for message_id, attempt, raw, received_at in rows.values_list(
        "message_id", "attempt", "raw", "received_at"
    ):
        attempts[message_id] = max(attempts[message_id], attempt)
        at = received_at
        with suppress(UnreadableBody):
            at = parse_receipt(bytes(raw)).at or received_at
        times[message_id] = min(times.get(message_id, at), at)
    return {pk: Surmise(pk, MessageState.QUEUED, attempt, times[pk]) for pk, attempt in attempts.items()}


def _until_nothing(work: Callable[[], int]) -> int:
    done = 0
    while some := work():
        done += some
    return done
