"""When a send is settled: all of it was handed over or cancelled, and each message has its end. Noted once, and never taken back.

What ends the last message (a receipt, its refusal, three days of silence) is committed first, and the look at the counters comes after, so
that of two who end the last two messages at once the later one sees both. `look_again` finds what a process that died left unnoticed.
"""

from collections.abc import Collection
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils.translation import gettext, gettext_noop

from sms import notices
from sms.callbacks import events
from sms.ledger import progress_log
from sms.models.conversation import ConversationAnswer
from sms.models.message import OPEN, MessageState
from sms.models.notice import NoticeKind
from sms.models.send import Send, StateCount
from sms.models.send_state import OVER, SendState
from sms.models.sql.clock import corrected_now
from sms.models.sql.id_list import among
from sms.words import KeptSentence, number

TOLD = (*events.OF_SENDS, "reference", "name", "created_by", "test")
DID_NOT_ARRIVE = (MessageState.FAILED, MessageState.CANCELLED, MessageState.EXPIRED)
AT_ONCE = 1000
NEWEST = 10_000  # sends that are looked at every minute


COUNTED = {
    MessageState.PENDING: gettext_noop("%(n)s waiting"),
    MessageState.POSTING: gettext_noop("%(n)s sending"),
    MessageState.UNCONFIRMED: gettext_noop("%(n)s not confirmed"),
    MessageState.QUEUED: gettext_noop("%(n)s accepted"),
    MessageState.SUBMITTED: gettext_noop("%(n)s submitted"),
    MessageState.NO_REPORT: gettext_noop("%(n)s no report"),
    MessageState.FAILED: gettext_noop("%(n)s failed"),
    MessageState.DELIVERED: gettext_noop("%(n)s delivered"),
    MessageState.CANCELLED: gettext_noop("%(n)s cancelled"),
    MessageState.EXPIRED: gettext_noop("%(n)s expired"),
}


class _Done(KeptSentence):
    """Its counts are read back one by one."""

    def read(self, kept: str) -> dict[str, str] | None:
        facts = super().read(kept)
        return facts and facts | {
            "counts": gettext(", ").join(map(_count_retold, facts["counts"].split(", ")))
        }


def _count_retold(part: str) -> str:
    count, _, words = part.partition(" ")
    if (text := f"%(n)s {words}") not in COUNTED.values():
        return part
    return gettext(text) % {"n": number(int(count.replace(",", "")))}


# the more special one first: a sentence is read back by the first that it fits
NOTHING_DONE = KeptSentence(gettext_noop("“%(name)s” is done: no message."))
# Translators: counts are messages by what became of them, as “95 delivered, 5 failed”
DONE = _Done(gettext_noop("“%(name)s” is done: %(counts)s."))
NOT_ARRIVED = gettext_noop("An answer of yours did not arrive.")


def settle_after(send_ids: Collection[int]) -> None:
    """Look at these sends once the transaction is committed."""
    if send_ids:
        transaction.on_commit(partial(settle, frozenset(send_ids)), robust=True)


def settle(send_ids: Collection[int], *, now: datetime | None = None) -> int:
    """Note those of these sends that are settled by now; returns how many. One query where none is."""
    if not send_ids:
        return 0
    open_ones = StateCount.objects.filter(send__in=among(send_ids), state__in=OPEN).order_by().values("send")
    left = open_ones.annotate(left=Sum("delta")).filter(left__gt=0).values_list("send", flat=True)
    ids = sorted(set(send_ids).difference(left))
    if not ids:
        return 0
    now = now or corrected_now()
    with transaction.atomic():
        rows = _unsettled().filter(pk__in=among(ids)).order_by("pk").select_for_update(no_key=True)
        locked = list(rows.only(*TOLD))
        Send.objects.filter(pk__in=among([one.pk for one in locked])).update(settled_at=now)
        for one in locked:
            one.settled_at = now
        tell("send.settled", locked, at=now)
        progress_log.settled(locked)
        for one in locked:
            _tell_author(one, now=now)
    return len(locked)


def tell(kind: str, sends: Collection[Send], *, at: datetime) -> None:
    """An event of each. What came by `/v2/messages` is followed by its messages, which say the same."""
    events.record([events.of_send(one, kind, at=at, once=(kind,)) for one in sends if one.reference is None])


def _tell_author(send: Send, *, now: datetime) -> None:
    """A person who made it, unless it was a test; what was cancelled is not done. Of answers to replies only what did not arrive is told:
    somebody who answers all day would be told of nothing else."""
    if send.created_by_id is None or send.test or send.state == SendState.CANCELLED:
        return
    counts = send.counts()
    parts = [COUNTED[MessageState(state)] % {"n": f"{count:,}"} for state, count in sorted(counts.items())]
    done = DONE(name=send.name, counts=", ".join(parts)) if parts else NOTHING_DONE(name=send.name)
    says, page, page_id = done, "send", send.pk
    answer = ConversationAnswer.objects.filter(send=send).first()
    if answer is not None:
        if not any(counts.get(state) for state in DID_NOT_ARRIVE):
            return
        says, page, page_id = NOT_ARRIVED, "reply", answer.conversation_id
    notices.tell(
        NoticeKind.SEND_DONE,
        [send.created_by_id],
        event=f"send_done:{send.pk}",
        says=says,
        service=send.service,
        page=page,
        page_id=page_id,
        now=now,
    )


def look_again(*, newest: int | None = NEWEST) -> int:
    """Settle what nobody noticed among the newest sends, or among all; returns how many."""
    before, looked, done = 2**63 - 1, 0, 0
    while newest is None or looked < newest:
        ids = list(_unsettled().filter(pk__lt=before).order_by("-pk").values_list("pk", flat=True)[:AT_ONCE])
        if not ids:
            break
        done += settle(ids)
        before, looked = ids[-1], looked + len(ids)
    return done


def _unsettled() -> "QuerySet[Send]":
    return Send.objects.filter(state__in=OVER, settled_at=None)
