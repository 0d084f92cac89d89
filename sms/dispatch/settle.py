"""Settle: what becomes of messages of which we do not know whether they were sent. Receipts settle most of them (`sms.inbound.receipts`).

What is left is decided by the send's policy (`by_policy`) or by a person (`by_person`). Sending again makes the message pending under a
new attempt; everything that is checked before a post is then checked once more. Those of partners that nothing settles come to an end
in `unproven`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.utils.translation import gettext_noop

from sms.dispatch.claim import RESEND_AFTER, lock_sends, may_be_sent_again, reopen
from sms.dispatch.isolation import held_if_broken
from sms.ledger import states
from sms.ledger.counters import CounterDeltas
from sms.ledger.state_machine import StateChange
from sms.models import (
    Actor,
    Message,
    MessageState,
    ReceiptInbox,
    Receipts,
    Resend,
    Send,
    SendState,
    Slice,
    StateCount,
)
from sms.models.audit import audit
from sms.models.message import GIVEN_UP
from sms.models.sql.session import database_now
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

WITNESSES = 20  # messages posted around the same time that must have had a receipt
AROUND = timedelta(minutes=5)
NEIGHBOURS = 2000  # ids to either side that are asked: the messages of a send are posted roughly in order
HEALTHY = timedelta(minutes=1)  # no receipt may have been waiting for longer
NEARBY = 500  # ids within which messages have the same witnesses
AT_ONCE = 500
READ_AT_ONCE = 5000


TREATED_AS_SENT = KeptSentence(gettext_noop("Treated as sent by %(person)s."))
GIVEN_UP_BY = KeptSentence(gettext_noop("Given up by %(person)s."))


class Settlement(StrEnum):
    SEND_AGAIN = "send_again"
    TREAT_AS_SENT = "treat_as_sent"
    GIVE_UP = "give_up"


def by_policy(send_ids: Collection[int]) -> int:
    """Send again what the policy of these sends allows; returns how many messages.

    Their slices come due again by themselves (`claim.finish`); a claim calls this first.
    """
    done = 0
    for send in _unsettled(send_ids):
        with held_if_broken(send.pk):
            done += _by_policy_of(send)
    return done


def _by_policy_of(send: Send) -> int:
    now = database_now()
    rows = may_be_sent_again(send, Message.objects.filter(send=send), now=now)
    rows = rows.filter(posted_at__lt=now - RESEND_AFTER[Resend(send.resend)])
    if send.resend == Resend.EVIDENCE:
        messages = _surely_not_sent(send, list(rows.order_by("pk")[:READ_AT_ONCE]), now=now)
    else:
        messages = list(rows.order_by("pk")[:AT_ONCE])
    if not messages:
        return 0
    with transaction.atomic():
        lock_sends([send.pk])
        ids = [message.pk for message in messages]
        states.hold(ids)
        Message.objects.filter(pk__in=ids).update(resent=F("resent") + 1)
        done = _send_again(send, messages, now=now)
    log.warning("sent_again_by_policy", send=send.pk, policy=send.resend, messages=len(messages))
    return done


def _unsettled(send_ids: Collection[int]) -> "QuerySet[Send]":
    """Those with unconfirmed messages and a policy. By the counters, since each request of a partner is a send with a policy."""
    counted = StateCount.objects.filter(send__in=list(send_ids), state=MessageState.UNCONFIRMED)
    some = counted.values("send_id").annotate(left=Sum("delta")).filter(left__gt=0).order_by()
    sends = Send.objects.filter(pk__in=[row["send_id"] for row in some]).exclude(resend=Resend.NEVER)
    return sends.exclude(state=SendState.CANCELLED).order_by("pk")


def by_person(
    send: Send, verdict: Settlement, *, by: Actor, reason: str = "", only: Collection[int] | None = None
) -> int:
    """Decide about the unconfirmed messages of a send, or `only` those with these ids; returns how many that were.

    Messages whose receipt came in the meantime are left alone, and nothing of a cancelled send is sent again.
    """
    with transaction.atomic():
        lock_sends([send.pk])
        send.refresh_from_db(fields=["state"])
        if verdict == Settlement.SEND_AGAIN and send.state == SendState.CANCELLED:
            return 0  # it would be called cancelled, though it may have been sent
        now = database_now()
        rows = Message.objects.filter(send=send, state=MessageState.UNCONFIRMED).order_by("pk")
        if only is not None:
            rows = rows.filter(pk__in=list(only))
        messages = list(rows)
        if not messages:
            return 0
        if verdict == Settlement.SEND_AGAIN:
            done = _send_again(send, messages, now=now)
        else:
            state = MessageState.QUEUED if verdict == Settlement.TREAT_AS_SENT else MessageState.FAILED
            code = "" if verdict == Settlement.TREAT_AS_SENT else GIVEN_UP
            words = (GIVEN_UP_BY if code else TREATED_AS_SENT)(person=by.label)
            deltas = CounterDeltas()
            states.apply(
                [
                    StateChange(one.pk, state, now, attempt=one.attempt, code=code, detail=words)
                    for one in messages
                ],
                deltas=deltas,
            )
            deltas.write()
            done = len(messages)
        audit(f"messages.{verdict.value}", send, by=by, messages=done, reason=reason[:200])
    return done


def _surely_not_sent(send: Send, messages: Sequence[Message], *, now: datetime) -> list[Message]:
    """Up to AT_ONCE of these of which others, posted around the same time, had their receipts long ago.

    Others of the same send; for a partner's request, which is rarely so large, others of the service that asked for the same.
    None at all while receipts do not come in as they should: some are late, or some cannot be read.
    """
    waiting = ReceiptInbox.objects.filter(why=ReceiptInbox.Why.NEW, receipt__received_at__lt=now - HEALTHY)
    unread = ReceiptInbox.objects.filter(
        why__in=(ReceiptInbox.Why.UNREADABLE, ReceiptInbox.Why.BROKE),
        receipt__received_at__gt=min((m.posted_at for m in messages if m.posted_at), default=now),
    )
    if not messages or waiting.exists() or unread.exists():
        return []
    known: dict[tuple[int, datetime], bool] = {}
    found: list[Message] = []
    for message in messages:
        if message.posted_at is None:
            continue
        place = (message.pk // NEARBY, message.posted_at.replace(second=0, microsecond=0))
        if place not in known:
            known[place] = _has_witnesses(send, message.pk, message.posted_at)
        if known[place]:
            found.append(message)
            if len(found) == AT_ONCE:
                break
    return found


def _has_witnesses(send: Send, pk: int, posted_at: datetime) -> bool:
    # that a receipt is missing proves something only where it was asked for
    wide = bool(send.partner) and Receipts.SUBMITTED in send.requested_receipts
    witnesses = Message.objects.filter(
        **({"send__service": send.service_id} if wide else {"send": send.pk}),
        send__simulated=send.simulated,  # what the simulator took proves nothing of the provider
        pk__gte=pk - NEIGHBOURS,
        pk__lte=pk + NEIGHBOURS,
        posted_at__gte=posted_at - AROUND,
        posted_at__lte=posted_at + AROUND,
        submitted_at__isnull=False,
    )
    return len(witnesses.values_list("pk", flat=True)[:WITNESSES]) == WITNESSES


def _send_again(send: Send, messages: Sequence[Message], *, now: datetime) -> int:
    with transaction.atomic():
        deltas = CounterDeltas()
        changes = [
            StateChange(message.pk, MessageState.PENDING, now, attempt=message.attempt, returned=True)
            for message in messages
        ]
        states.apply(changes, deltas=deltas)
        returned = deltas.gained(MessageState.PENDING)
        deltas.write()
        first, last = messages[0].pk, messages[-1].pk
        around = Slice.objects.filter(send=send, first_id__lte=last, last_id__gte=first)
        reopen(list(around.values_list("pk", flat=True)))
    return returned
