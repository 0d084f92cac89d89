"""The deltas of one transaction, written once at its end: counters by send, and facts by send and place.

What a message adds to both follows from its row alone (`sms.models.sql.facts.from_messages` says the same in SQL), so a change is
what the row added before taken away and what it adds now put there, and nothing has to be counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import astuple, replace

from sms.ledger.settled import settle_after
from sms.models.fact import FIGURES, NAMED, QUARTER, FactDelta
from sms.models.link import Click
from sms.models.message import ENDED, NOT_POSTED, MessageState
from sms.models.send import StateCount
from sms.models.sql.insert import StatementBatch, insert
from sms.models.sql.messages import ChangedGroup, MessageRow
from sms.values.histogram import bucket

BEST = (Click.Verdict.HUMAN, Click.Verdict.UNSURE, Click.Verdict.MACHINE)  # whose click a message counts for


class CountedMessage(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """Everything of a message that counters and the measure "state" depend on. Most are equal, so each is worked out once."""

    send_id: int
    country: str
    carrier: str
    segments: int
    segments_billed: int | None
    posted_at: datetime | None
    state: str
    code: str = ""

    @classmethod
    def of(cls, one: MessageRow | ChangedGroup, state: str, code: str = "") -> "CountedMessage":
        return cls(
            one.send_id,
            one.country,
            one.carrier,
            one.segments,
            one.segments_billed,
            one.posted_at,
            state,
            code if state == MessageState.FAILED else "",  # only failures count by code
        )


class MessagePlace(msgspec.Struct, frozen=True, gc=False):
    """Where and when a message is counted; `quarter` is that of its posting, since 1970, and 0 if it is not posted."""

    send_id: int
    quarter: int
    country: str
    carrier: str

    @classmethod
    def of(cls, row: MessageRow) -> "MessagePlace":
        return cls(row.send_id, quarter_of(row.state, row.posted_at), row.country, row.carrier)


class FactKey(msgspec.Struct, frozen=True, gc=False):
    """What a fact is about: the columns NAMED of `FactDelta`, in that order."""

    measure: str
    word: str
    code: str
    bucket: int
    send_id: int
    service_id: int
    quarter: int
    country: str
    carrier: str


class FactFigures(msgspec.Struct, gc=False):
    """How much was counted: the columns FIGURES of `FactDelta`, in that order."""

    messages: int = 0
    amount: int = 0
    amount_of: int = 0
    billed: int = 0
    billed_of: int = 0


NOTHING = FactFigures()


class CounterDeltas:
    """What counters and facts move by until `write`."""

    def __init__(self) -> None:
        self.facts: dict[FactKey, FactFigures] = {}
        self._messages: Counter[CountedMessage] = Counter()

    def create(self, send_id: int, of: Iterable[tuple[str, int]]) -> None:
        for (country, segments), count in Counter(of).items():
            message = CountedMessage(send_id, country, "", segments, None, None, MessageState.PENDING)
            self._messages[message] += count

    def move(self, message: CountedMessage, before: MessageState, *, count: int) -> None:
        """`count` messages came from the state `before` to that of `message`; no failures."""
        self._messages[replace(message, state=before)] -= count
        self._messages[message] += count

    def change(self, before: MessageRow, row: MessageRow, ready: Mapping[int, datetime]) -> None:
        """One row that was `before`. `ready`: when each send could first be posted, needed where a row `crossed_posting`."""
        self._messages[CountedMessage.of(before, before.state, before.code)] -= 1
        self._messages[CountedMessage.of(row, row.state, row.code)] += 1
        posted = row.posted_at
        if posted is None:
            return
        old_quarter, quarter = quarter_of(before.state, posted), quarter_of(row.state, posted)
        if old_quarter != quarter:
            waited = bucket(posted, ready[row.send_id])
            self._time("wait", waited, row, old_quarter, "", -1)
            self._time("wait", waited, row, quarter, "", 1)
        if old_quarter != quarter or before.queued_at != row.queued_at:
            self._since("submit", before.queued_at, before, old_quarter, "", -1)
            self._since("submit", row.queued_at, row, quarter, "", 1)
        new_place = old_quarter != quarter or before.carrier != row.carrier
        if new_place or before.submitted_at != row.submitted_at:
            self._since("carrier", before.submitted_at, before, old_quarter, before.carrier, -1)
            self._since("carrier", row.submitted_at, row, quarter, row.carrier, 1)
        was_delivered, delivered = _delivered_at(before), _delivered_at(row)
        if new_place or was_delivered != delivered:
            self._since("deliver", was_delivered, before, old_quarter, before.carrier, -1)
            self._since("deliver", delivered, row, quarter, row.carrier, 1)

    def time(
        self, measure: str, message: CountedMessage, began: datetime, ended: datetime, *, count: int
    ) -> None:
        """`count` posted messages took from one moment to the other; a measure that is not by carrier."""
        quarter = quarter_of(message.state, message.posted_at)
        self._time(measure, bucket(ended, began), message, quarter, "", count)

    def clicks(self, place: MessagePlace, verdicts: Sequence[str], sign: int) -> None:
        for verdict in verdicts:
            self._figures(_click(place, str(verdict))).amount += sign
        if (best := best_of(verdicts)) is not None:
            self._figures(_click(place, best)).messages += sign

    def opted_out(self, service_id: int, send_id: int | None, at: datetime, country: str) -> None:
        quarter = int(at.timestamp()) // QUARTER
        key = FactKey("opt_out", "", "", 0, send_id or 0, 0 if send_id else service_id, quarter, country, "")
        self._figures(key).messages += 1

    def gained(self, state: str) -> int:
        return sum(count for message, count in self._messages.items() if message.state == state)

    def write(self, *, batch: StatementBatch | None = None) -> None:
        """Insert the deltas in one journey to the database, or with the caller's `batch`. Sends of which a message ended may be settled."""
        statements = batch or StatementBatch()
        counters: Counter[tuple[int, str, str, int]] = Counter()
        for message, count in self._messages.items():
            if count:
                posted = message.posted_at
                window = 0 if posted is None or message.state in NOT_POSTED else window_of(posted)
                counters[(message.send_id, str(message.state), message.code, window)] += count
                self._state(message, count)
        rows = [(*key, delta) for key, delta in sorted(counters.items()) if delta]
        insert(StateCount, ("send_id", "state", "code", "window", "delta"), rows, batch=statements)
        facts = [
            (*astuple(key), *astuple(figures)) for key, figures in self.facts.items() if figures != NOTHING
        ]
        insert(FactDelta, NAMED + FIGURES, facts, batch=statements)
        if batch is None:
            statements.run()
        settle_after(
            {one.send_id for one, count in self._messages.items() if count > 0 and one.state in ENDED}
        )
        self._messages.clear()
        self.facts.clear()

    def _figures(self, key: FactKey) -> FactFigures:
        found = self.facts.get(key)
        if found is None:
            found = self.facts[key] = FactFigures()
        return found

    def _state(self, message: CountedMessage, count: int) -> None:
        quarter, billed = quarter_of(message.state, message.posted_at), message.segments_billed
        place = (message.send_id, 0, quarter, message.country, message.carrier)
        key = FactKey("state", str(message.state), message.code, 0, *place)
        figures = self._figures(key)
        figures.messages += count
        figures.amount += message.segments * count
        figures.amount_of += count if message.segments else 0
        figures.billed += 0 if billed is None else billed * count
        figures.billed_of += 0 if billed is None else count

    def _since(
        self, measure: str, ended: datetime | None, row: MessageRow, quarter: int, carrier: str, sign: int
    ) -> None:
        if quarter and ended is not None and row.posted_at is not None:
            self._time(measure, bucket(ended, row.posted_at), row, quarter, carrier, sign)

    def _time(
        self,
        measure: str,
        number: int,
        one: MessageRow | CountedMessage,
        quarter: int,
        carrier: str,
        count: int,
    ) -> None:
        if quarter:
            key = FactKey(measure, "", "", number, one.send_id, 0, quarter, one.country, carrier)
            self._figures(key).messages += count


def _click(place: MessagePlace, verdict: str) -> FactKey:
    return FactKey("click", verdict, "", 0, place.send_id, 0, place.quarter, place.country, place.carrier)


def window_of(at: datetime) -> int:
    return int(at.timestamp()) // StateCount.WINDOW


def quarter_of(state: str, posted_at: datetime | None) -> int:
    """Of posting, since 1970; 0 for what is not posted."""
    return 0 if posted_at is None or state in NOT_POSTED else int(posted_at.timestamp()) // QUARTER


def crossed_posting(before: MessageRow, row: MessageRow) -> bool:
    """Whether it came to be posted, or came back."""
    return row.posted_at is not None and (row.state in NOT_POSTED) != (before.state in NOT_POSTED)


def best_of(verdicts: Sequence[str]) -> str | None:
    """The one that a message is counted for."""
    return next((best.value for best in BEST if best in verdicts), None)


def _delivered_at(row: MessageRow) -> datetime | None:
    return row.final_at if row.state == MessageState.DELIVERED else None
