"""Watch: sends under way that go wrong are held by rule, and a send that ramps up is let go on, stage by stage.

Each rule holds a send once: a person who resumes it has seen the figures and overrules the rule.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, Sum
from django.utils.translation import gettext_noop

from sms.dispatch.isolation import held_if_broken, hold
from sms.ledger import wakeups
from sms.ledger.counters import window_of
from sms.models import (
    Actor,
    Hold,
    Message,
    MessageState,
    OptOut,
    Receipts,
    Send,
    SendState,
    Service,
    Slice,
    StateCount,
)
from sms.models.audit import audit
from sms.models.sql.clock import host_clock
from sms.models.sql.session import database_now
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

SAMPLE = 100  # messages before a share says anything; a first stage may be smaller
SILENT_AFTER = timedelta(minutes=10)
SETTLED = 0.8  # share of a stage with a final receipt after which the next may begin
PATIENCE = timedelta(minutes=10)  # after which a stage goes on without them, if nothing speaks against it
PUT_OFF = timedelta(minutes=2)  # a slice that comes due no sooner waits for more than a short trouble
LAST_STAGE = 2
RAMP_FAILURES = 20  # percent, where the service has no rule of its own or a laxer one

# why a send was held, as it is kept
FAILURES = KeptSentence(
    gettext_noop(
        "%(share)s %% of the messages with a result have failed; this service holds a send at %(limit)s %%."
    )
)
SILENCE = KeptSentence(
    gettext_noop(
        "%(silent)s of %(posted)s messages have had no receipt for ten minutes; this service holds a send at %(limit)s %%."
    )
)
OPT_OUTS = KeptSentence(
    gettext_noop(
        "%(refusals)s of %(posted)s recipients have opted out; this service holds a send at %(limit)s %%."
    )
)


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule that is broken: its name, the sentence for people, and the figures."""

    rule: str
    because: str
    facts: dict[str, int]


def watch() -> int:
    """Check every send under way that is large enough for a rule; returns how many were held or let go on.

    Small sends that do not ramp are below every rule's sample, so a crowd of them costs nothing. A host with a wrong clock judges nobody.
    """
    if host_clock.refusal():
        return 0
    now = database_now()
    open_slices = Slice.objects.filter(send=OuterRef("pk"), done=False)
    sends = (
        Send.objects.filter(
            Q(recipients__gte=SAMPLE) | Q(ramp=True),
            Exists(open_slices),
            Q(simulated=False) | Q(ramp=True),  # no rule holds what reaches nobody, but its ramp goes on
            state=SendState.SENDING,
            service__paused_at__isnull=True,
        )
        .exclude(Exists(Hold.objects.active().filter(send=OuterRef("pk"))))
        .select_related("service")
        .defer(*Service.secrets("service"))
    )
    done = 0
    for send in sends:
        with held_if_broken(send.pk):
            done += _check(send, now)
    return done


def _check(send: Send, now: datetime) -> bool:
    counts = send.counts()
    if send.simulated:
        return send.ramp and send.stage < LAST_STAGE and _next_stage(send, counts, now=now)
    overruled = set(Hold.objects.filter(send=send).exclude(rule="").values_list("rule", flat=True))
    for broken in broken_rules(send, counts, now=now):
        if broken.rule not in overruled:
            hold(send, broken.rule, because=broken.because, facts=broken.facts)
            return True
    return send.ramp and send.stage < LAST_STAGE and _next_stage(send, counts, now=now)


def broken_rules(send: Send, counts: dict[str, int], *, now: datetime) -> list[BrokenRule]:
    service, found = send.service, list[BrokenRule]()
    waiting = counts.get(MessageState.PENDING, 0)
    ended = sum(counts.get(state, 0) for state in (MessageState.CANCELLED, MessageState.EXPIRED))
    posted = send.recipients - waiting - ended
    sample = min(SAMPLE, posted) if send.ramp and send.stage < LAST_STAGE else SAMPLE
    failed = counts.get(MessageState.FAILED, 0)
    settled = failed + counts.get(MessageState.DELIVERED, 0)
    facts = {"posted": posted, "waiting": waiting}
    limit = service.hold_failures
    if send.ramp:
        limit = RAMP_FAILURES if limit is None else min(limit, RAMP_FAILURES)
    # where only one of the two is reported, a share of failures says nothing
    known = Receipts.DELIVERED | Receipts.FAILED in send.requested_receipts
    if limit is not None and known and settled >= max(sample, 1) and failed * 100 >= limit * settled:
        share = failed * 100 // settled
        because = FAILURES(share=share, limit=limit)
        more = {"failed": failed, "settled": settled, "limit": limit}
        found.append(BrokenRule("failures", because, facts | more))
    limit = service.hold_silence if Receipts.SUBMITTED in send.requested_receipts else None
    queued = counts.get(MessageState.QUEUED, 0)
    if limit is not None and posted >= sample and queued * 100 >= limit * posted and posted:
        needed = max(sample, 1, -(-limit * posted // 100))
        silent = _silent(send, needed, now=now)
        if silent >= needed:
            because = SILENCE(silent=f"{silent:,}", posted=f"{posted:,}", limit=limit)
            found.append(BrokenRule("silence", because, facts | {"silent": silent, "limit": limit}))
    limit = service.hold_opt_outs
    if limit is not None and posted >= max(sample, 1):
        refusals = OptOut.objects.filter(send=send).count()
        if refusals and refusals * 100 >= limit * posted:
            because = OPT_OUTS(refusals=f"{refusals:,}", posted=f"{posted:,}", limit=limit)
            found.append(BrokenRule("opt_outs", because, facts | {"opt_outs": refusals, "limit": limit}))
    return found


def _silent(send: Send, needed: int, *, now: datetime) -> int:
    """Messages without a receipt for SILENT_AFTER; exact where it decides whether they are `needed`.

    By the counters' windows, since this is asked every other second of sends with millions. Only of the window in which that moment lies
    messages are counted, and only where it tips the scales.
    """
    before = now - SILENT_AFTER
    cut = window_of(before)
    rows = send.counters.filter(state=MessageState.QUEUED, window__gt=0, window__lte=cut).order_by()
    by_window = dict(rows.values_list("window").annotate(total=Sum("delta")))
    older = sum(count for window, count in by_window.items() if window < cut)
    if older >= needed or older + by_window.get(cut, 0) < needed:
        return older
    begins = datetime.fromtimestamp(cut * StateCount.WINDOW, UTC)
    late = Message.objects.filter(
        send=send, state=MessageState.QUEUED, posted_at__gte=begins, posted_at__lt=before
    )
    return older + late.count()


def _next_stage(send: Send, counts: dict[str, int], *, now: datetime) -> bool:
    """Let the next stage begin once this one is posted and has answered well enough, or long enough ago.

    What was put off (by quiet hours, or to see whether it must be sent again) is not waited for.
    """
    busy = Q(due_at__lte=now + PUT_OFF) | ~Q(owner="")
    if Slice.objects.filter(busy, send=send, stage__lte=send.stage, done=False).exists():
        return False
    released = Slice.objects.filter(send=send, stage__lte=send.stage).aggregate(last=Max("last_id"))["last"]
    settled = sum(counts.get(state, 0) for state in (MessageState.FAILED, MessageState.DELIVERED))
    posted = send.recipients - counts.get(MessageState.PENDING, 0)
    if not posted:
        return False
    if settled < SETTLED * posted:
        last = Message.objects.filter(send=send, pk__lte=released).aggregate(at=Max("posted_at"))["at"]
        if last is not None and last > now - PATIENCE:
            return False
    with transaction.atomic():
        if not Send.objects.filter(pk=send.pk, stage=send.stage).update(stage=send.stage + 1):
            return False
        audit("send.stage", send, by=Actor.system(), stage=send.stage + 1, posted=posted)
        wakeups.dispatch()
    return True
