"""What receipts did not report: messages without any for days, and minutes in which receipts stopped.

Both read the counters by window of posting (`StateCount.window`), so that no walk over the messages is needed to find nothing.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext_noop

from sms.ledger import states
from sms.ledger.counters import CounterDeltas, window_of
from sms.ledger.state_machine import StateChange
from sms.models import USUAL_RECEIPTS, Message, MessageState, Service, StateCount
from sms.models.sql.clock import corrected_now
from sms.models.sql.session import database_now
from sms.webex.limits import LONGEST_VALIDITY

NO_REPORT_AFTER = timedelta(seconds=LONGEST_VALIDITY)
OPEN = (MessageState.QUEUED, MessageState.SUBMITTED)
ENDED = (MessageState.DELIVERED, MessageState.FAILED)

LOOK_BACK = timedelta(hours=24)
RIPE = timedelta(minutes=10)  # younger windows still get their receipts
LEAST = 20  # messages in a window before its share says anything
SHORT = 0.75  # of the day's usual share: below that a window looks incomplete


def note_silence(*, now: datetime | None = None, limit: int = 5000, batch: int = 1000) -> int:
    """Mark messages that were posted 72 hours ago and never heard of again, at most `limit`; returns how many."""
    now = now or database_now()
    before = now - NO_REPORT_AFTER
    sends = (
        StateCount.objects.filter(window__gt=0, window__lt=window_of(before), state__in=OPEN)
        .values("send_id")
        .annotate(left=Sum("delta"))
        .filter(left__gt=0)
        .order_by("send_id")
        .values_list("send_id", flat=True)
    )
    done = 0
    for send_id in list(sends[:100]):
        last_id = 0
        while done < limit:
            with transaction.atomic():
                silent = Message.objects.filter(
                    send_id=send_id, pk__gt=last_id, state__in=OPEN, posted_at__lt=before
                )
                ids = list(silent.order_by("pk").values_list("pk", flat=True)[:batch])
                if not ids:
                    break
                last_id, deltas = ids[-1], CounterDeltas()
                words = gettext_noop("No final receipt arrived within 72 hours.")
                states.apply(
                    [StateChange(pk, MessageState.NO_REPORT, now, detail=words) for pk in ids], deltas=deltas
                )
                deltas.write()
            done += len(ids)
    return done


@dataclass(frozen=True, slots=True)
class ReceiptGap:
    """Consecutive windows with fewer receipts than others of the day. `share` and `usual` are percent.

    `usual` is None where nothing of the day can be compared with: of `posted` messages not one has ended.
    """

    begins: datetime
    ends: datetime
    posted: int
    ended: int
    usual: int | None

    @property
    def share(self) -> int:
        """Percent of its messages with a final receipt."""
        return self.ended * 100 // self.posted

    @property
    def missing(self) -> int:
        """Messages that would have ended by now if it were like the rest of the day."""
        return max(self.posted * (100 if self.usual is None else self.usual) // 100 - self.ended, 0)


def gaps(service: Service, *, now: datetime | None = None) -> list[ReceiptGap]:
    """Where receipts look incomplete in the last 24 hours, the newest first. One query over the counters."""
    now = now or corrected_now()
    rows = (
        StateCount.objects.filter(
            send__service=service,
            send__simulated=False,
            window__gt=0,
            window__gte=window_of(now - LOOK_BACK),
            window__lt=window_of(now - RIPE),
        )
        # what was not asked for is not missing; of a partner's messages all are
        .filter(Q(send__receipts=USUAL_RECEIPTS) | Q(send__reference__isnull=False))
        .values("window", "state")
        .annotate(total=Sum("delta"))
        .order_by()
    )
    posted, ended = Counter[int](), Counter[int]()
    for row in rows:
        posted[row["window"]] += row["total"]
        if row["state"] in ENDED:
            ended[row["window"]] += row["total"]
    return find_gaps(posted, ended)


def find_gaps(posted: Mapping[int, int], ended: Mapping[int, int]) -> list[ReceiptGap]:
    """Gaps among windows, by messages posted and ended in each; the newest first.

    Every window is compared with the day's better half, which a gap of hours does not drag down, and on a day on which few messages
    arrive nothing is short. A window in which nothing at all ended is short whatever the day was like.
    """
    share = {window: ended.get(window, 0) / count for window, count in posted.items() if count >= LEAST}
    heard = sorted(value for value in share.values() if value > 0)
    usual = heard[len(heard) * 3 // 4] if heard else None
    short = {
        window
        for window, value in share.items()
        if value == 0 or (usual is not None and value < usual * SHORT)
    }
    runs: list[list[int]] = []
    for window in sorted(share):
        if window not in short:
            runs.append([])  # a window with answers in between separates two gaps; a silent one does not
        elif runs and runs[-1]:
            runs[-1].append(window)
        else:
            runs.append([window])
    return [
        ReceiptGap(
            begins=_moment(run[0]),
            ends=_moment(run[-1] + 1),
            posted=sum(posted[window] for window in run),
            ended=sum(ended.get(window, 0) for window in run),
            usual=None if usual is None else round(usual * 100),
        )
        for run in reversed(runs)
        if run
    ]


def _moment(window: int) -> datetime:
    return datetime.fromtimestamp(window * StateCount.WINDOW, UTC)
