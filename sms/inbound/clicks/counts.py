"""Verdicts kept in step with what is known: the clicks of whole messages judged again, and a send's counters moved by the difference.

Called by `fold` for messages with changes, and by `manage.py judge_clicks` for history. Both hold the messages' row locks, so a message is
judged by one at a time and its clicks are counted once.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from sms.inbound.clicks.verdicts import RULES, ClickVerdict, ClickVisit, judge
from sms.ledger.counters import CounterDeltas, MessagePlace, best_of, quarter_of
from sms.models import Click, ClickCount, Message, Receipt
from sms.models.paging import given
from sms.models.sql.id_list import among
from sms.webex.errors import UnreadableBody
from sms.webex.receipts import parse_receipt


@dataclass(frozen=True, slots=True)
class RejudgeStep:
    """What one batch of a re-run did. `last_id`: up to which message the past is judged."""

    last_id: int
    messages: int
    changed: int


def judge_messages(message_ids: Collection[int]) -> int:
    """Judge all clicks of these messages; returns how many verdicts changed. The caller has locked the messages."""
    clicks: dict[int, list[Click]] = defaultdict(list)
    for click in Click.objects.filter(message_id__in=among(message_ids)).order_by("message_id", "pk"):
        clicks[click.message_id].append(click)
    if not clicks:
        return 0
    delivered = _delivered_at(clicks)
    named = ("pk", "send_id", "posted_at", "state", "country", "carrier")
    places = {pk: rest for pk, *rest in Message.objects.filter(pk__in=clicks).values_list(*named)}
    deltas = CounterDeltas()
    counts: dict[tuple[int, str, int], list[int]] = defaultdict(lambda: [0, 0])
    changes: dict[ClickVerdict, list[int]] = defaultdict(list)
    moved = 0
    for message_id, its in clicks.items():
        send_id, posted_at, state, country, carrier = places[message_id]
        verdicts = judge(
            [ClickVisit(click.at, click.url, click.ip, click.user_agent) for click in its],
            posted_at=posted_at,
            delivered_at=delivered.get(message_id),
        )
        judged = [click for click in its if click.rules_version]
        before = [click.verdict for click in judged]
        after = [verdict.kind.value for verdict in verdicts]
        _count(counts, send_id, judged, before, -1)
        _count(counts, send_id, its, after, 1)
        place = MessagePlace(send_id, quarter_of(state, posted_at), country, carrier)
        deltas.clicks(place, before, -1)
        deltas.clicks(place, after, 1)
        for click, verdict in zip(its, verdicts, strict=True):
            if (click.verdict, click.reason) != (verdict.kind, verdict.reason):
                moved += 1
            elif click.rules_version == verdict.rules_version:
                continue
            changes[verdict].append(click.pk)
    for verdict, ids in changes.items():
        Click.objects.filter(pk__in=ids).update(
            verdict=verdict.kind.value, reason=verdict.reason.value, rules_version=verdict.rules_version
        )
    deltas.write()
    ClickCount.add({key: (clicks, messages) for key, (clicks, messages) in counts.items()})
    return moved


def _count(
    counts: dict[tuple[int, str, int], list[int]],
    send_id: int,
    clicks: Sequence[Click],
    verdicts: Sequence[str],
    sign: int,
) -> None:
    hours = [int(click.at.timestamp()) // 3600 for click in clicks]
    for verdict, hour in zip(verdicts, hours, strict=True):
        counts[(send_id, str(verdict), hour)][0] += sign
    best = best_of(verdicts)
    if best is not None:
        counts[(send_id, best, min(hours))][1] += sign


def _delivered_at(message_ids: Iterable[int]) -> dict[int, datetime]:
    """The time of each message's earliest Delivered receipt.

    From the receipts, because `Message.final_at` is the click's own time where the click was the first report of the delivery.
    """
    found: dict[int, datetime] = {}
    # ids above 0 is what the index holds
    rows = Receipt.objects.filter(message_id__in=list(message_ids), message_id__gt=0)
    for message_id, raw, received_at in rows.order_by().values_list("message_id", "raw", "received_at"):
        try:
            note = parse_receipt(bytes(raw))
        except UnreadableBody:
            continue
        if note.state == "delivered":
            at = note.at or received_at
            found[message_id] = min(at, found.get(message_id, at))
    return found


def judge_history(
    *, since: datetime | None = None, everything: bool = False, batch: int = 500
) -> Iterator[RejudgeStep]:
    """Judge the past in transactions of `batch` messages, in order of id; yields after each.

    Only what older rules judged, or none, unless `everything`; only messages with a click at or after `since`. May be stopped and
    started again at any time, also while receipts are folded.
    """
    asked = given(rules_version__lt=None if everything else RULES, at__gte=since)
    rows = Click.objects.filter(asked).order_by("message_id")
    last_id = 0
    while True:
        with transaction.atomic():
            later = rows.filter(message_id__gt=last_id).values_list("message_id", flat=True)
            ids = list(later.distinct()[:batch])
            if not ids:
                return
            # in order of id, as the ledger does
            list(Message.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
            last_id = ids[-1]
            step = RejudgeStep(last_id, len(ids), judge_messages(ids))
        yield step
