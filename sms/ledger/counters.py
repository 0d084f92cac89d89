"""The deltas of one transaction, written once at its end: counters by send, and facts by send and place.

What a message adds to the facts follows from its row alone (`sms.models.sql.facts.from_messages` says the same in SQL), so that
every change is what it added before taken away and what it adds now put there, and nothing has to be counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import msgspec

from sms.models.fact import FIGURES, HOUR, NAMED, FactDelta
from sms.models.link import Click
from sms.models.message import NOT_POSTED, MessageState
from sms.models.send import StateCount
from sms.models.sql.insert import StatementBatch, insert
from sms.values.histogram import bucket

COUNTED = ("send_id", "state", "code", "window", "delta")
BEST = (Click.Verdict.HUMAN, Click.Verdict.UNSURE, Click.Verdict.MACHINE)  # whose click a message counts for


class MessageRow(msgspec.Struct, gc=False):
    """What the ledger knows of a message; its names and order are those of `ledger.READ`."""

    id: int
    send_id: int
    attempt: int
    posted_at: datetime | None
    country: str
    segments: int
    state: str
    code: str
    detail: str
    provider_id: str
    carrier: str
    segments_billed: int | None
    queued_at: datetime | None
    submitted_at: datetime | None
    final_at: datetime | None


class RowSnapshot(NamedTuple):
    """What of a row may have changed, as it was."""

    state: str
    code: str
    carrier: str
    segments_billed: int | None
    queued_at: datetime | None
    submitted_at: datetime | None
    final_at: datetime | None

    @classmethod
    def of(cls, row: MessageRow) -> "RowSnapshot":
        """As it is now."""
        return cls(
            row.state,
            row.code,
            row.carrier,
            row.segments_billed,
            row.queued_at,
            row.submitted_at,
            row.final_at,
        )


class CountKey(NamedTuple):
    """Messages that count alike."""

    send_id: int
    country: str
    carrier: str
    segments: int
    segments_billed: int | None


Key = tuple[str, str, str, int, int, int, int, str, str]
# send, posted at, country, segments; then state, code, carrier and segments billed: as they were, and as they are
Change = tuple[int, datetime | None, str, int, str, str, str, int | None, str, str, str, int | None]


@dataclass(slots=True)
class CounterDeltas:
    """Deltas. `moves` by send, state, code and window of posting; `facts` by NAMED, five FIGURES each."""

    moves: Counter[tuple[int, str, str, int]]
    facts: dict[Key, list[int]] = field(default_factory=dict)
    changes: Counter[Change] = field(default_factory=Counter)  # alike, so that each is worked out once

    @classmethod
    def new(cls) -> "CounterDeltas":
        """Nothing moved yet."""
        return cls(Counter())

    def add(self, key: Key, *figures: int) -> None:
        """Add up to five FIGURES under NAMED."""
        held = self.facts.get(key)
        if held is None:
            held = self.facts[key] = [0, 0, 0, 0, 0]
        for place, figure in enumerate(figures):
            held[place] += figure

    def create(self, send_id: int, of: Iterable[tuple[str, int]]) -> None:
        """New messages, each a country and its segments."""
        for (country, segments), count in Counter(of).items():
            self._counter(send_id, MessageState.PENDING, "", None, count)
            self._state(CountKey(send_id, country, "", segments, None), MessageState.PENDING, "", 0, count)

    def move(
        self,
        alike: CountKey,
        old: MessageState,
        new: MessageState,
        count: int,
        *,
        posted: datetime | None = None,
    ) -> None:
        """`count` messages went from one state to another; no failures."""
        for state, times in ((old, -count), (new, count)):
            self._counter(alike.send_id, state, "", posted, times)
            self._state(alike, state, "", hour_of(state, posted), times)

    def time(
        self, measure: str, alike: CountKey, later: datetime, earlier: datetime, posted: datetime, count: int
    ) -> None:
        """`count` messages posted at `posted` took from `earlier` to `later`; a measure that is no carrier's."""
        hour = int(posted.timestamp()) // HOUR
        self.add((measure, "", "", bucket(later, earlier), alike.send_id, 0, hour, alike.country, ""), count)

    def change(self, row: MessageRow, before: RowSnapshot, begun: Mapping[int, datetime]) -> None:
        """One row that was `before`. `begun`: when messages of a send could be posted first, for rows where `moves_hour`."""
        posted, was = row.posted_at, before
        send, country = row.send_id, row.country
        of_old = (was.state, was.code, was.carrier, was.segments_billed)
        of_new = (row.state, row.code, row.carrier, row.segments_billed)
        if of_old != of_new:
            self.changes[(send, posted, country, row.segments, *of_old, *of_new)] += 1
        if posted is None:
            return
        old_hour, hour = hour_of(was.state, posted), hour_of(row.state, posted)
        if old_hour != hour:
            waited = bucket(posted, begun[send])
            self._time("wait", waited, send, old_hour, country, "", -1)
            self._time("wait", waited, send, hour, country, "", 1)
        if old_hour != hour or was.queued_at != row.queued_at:
            self._since("submit", was.queued_at, posted, send, old_hour, country, "", -1)
            self._since("submit", row.queued_at, posted, send, hour, country, "", 1)
        moved = old_hour != hour or was.carrier != row.carrier
        if moved or was.submitted_at != row.submitted_at:
            self._since("carrier", was.submitted_at, posted, send, old_hour, country, was.carrier, -1)
            self._since("carrier", row.submitted_at, posted, send, hour, country, row.carrier, 1)
        delivered, then = _delivered(row.state, row.final_at), _delivered(was.state, was.final_at)
        if moved or delivered != then:
            self._since("deliver", then, posted, send, old_hour, country, was.carrier, -1)
            self._since("deliver", delivered, posted, send, hour, country, row.carrier, 1)

    def _settle(self) -> None:
        """Counters and states of the changes, which are many and mostly alike."""
        for change, count in self.changes.items():
            send, posted, country, segments = change[:4]
            for (state, code, carrier, billed), times in ((change[4:8], -count), (change[8:], count)):
                self._counter(send, state, code, posted, times)
                alike = CountKey(send, country, carrier, segments, billed)
                self._state(alike, state, code, hour_of(state, posted), times)
        self.changes.clear()

    def clicks(self, place: tuple[int, int, str, str], verdicts: Sequence[str], sign: int) -> None:
        """The counted clicks of one message; `place` is send, hour, country, carrier."""
        send_id, hour, country, carrier = place
        for verdict in verdicts:
            self.add(("click", str(verdict), "", 0, send_id, 0, hour, country, carrier), 0, sign)
        if (best := best_of(verdicts)) is not None:
            self.add(("click", best, "", 0, send_id, 0, hour, country, carrier), sign)

    def opted_out(self, service_id: int, send_id: int | None, at: datetime, country: str) -> None:
        """One person's refusal, in the hour in which it came."""
        service = 0 if send_id else service_id
        self.add(("opt_out", "", "", 0, send_id or 0, service, int(at.timestamp()) // HOUR, country, ""), 1)

    def gained(self, state: str) -> int:
        """How many more messages are in a state."""
        self._settle()
        return sum(count for (_, held, _, _), count in self.moves.items() if held == state)

    def write(self, *, later: StatementBatch | None = None) -> None:
        """Insert the deltas, in one journey to the database."""
        self._settle()
        statements = later or StatementBatch()
        rows = [(*place, delta) for place, delta in sorted(self.moves.items()) if delta]
        insert(StateCount, COUNTED, rows, later=statements)
        facts = [(*key, *figures) for key, figures in self.facts.items() if any(figures)]
        insert(FactDelta, NAMED + FIGURES, facts, later=statements)
        if later is None:
            statements.run()
        self.moves.clear()
        self.facts.clear()

    def _counter(self, send_id: int, state: str, code: str, posted: datetime | None, count: int) -> None:
        """Only failures count by code."""
        window = 0 if posted is None or state in NOT_POSTED else window_of(posted)
        self.moves[(send_id, str(state), code if state == MessageState.FAILED else "", window)] += count

    def _state(self, alike: CountKey, state: str, code: str, hour: int, count: int) -> None:
        send_id, country, carrier, segments, billed = alike
        code = code if state == MessageState.FAILED else ""
        key = ("state", str(state), code, 0, send_id, 0, hour, country, carrier)
        self.add(
            key,
            count,
            segments * count,
            count if segments else 0,
            0 if billed is None else billed * count,
            0 if billed is None else count,
        )

    def _since(
        self,
        measure: str,
        later: datetime | None,
        posted: datetime,
        send: int,
        hour: int,
        country: str,
        carrier: str,
        sign: int,
    ) -> None:
        if later is not None and hour:
            self._time(measure, bucket(later, posted), send, hour, country, carrier, sign)

    def _time(
        self, measure: str, number: int, send: int, hour: int, country: str, carrier: str, sign: int
    ) -> None:
        if hour:
            key = (measure, "", "", number, send, 0, hour, country, carrier)
            held = self.facts.get(key)
            if held is None:
                self.facts[key] = [sign, 0, 0, 0, 0]
            else:
                held[0] += sign


def window_of(at: datetime) -> int:
    """The five minutes that a moment is in."""
    return int(at.timestamp()) // StateCount.WINDOW


def hour_of(state: str, posted: datetime | None) -> int:
    """Of posting, since 1970; 0 for what is not posted."""
    return 0 if posted is None or state in NOT_POSTED else int(posted.timestamp()) // HOUR


def moves_hour(row: MessageRow, before: RowSnapshot) -> bool:
    """Whether it came to be posted, or came back."""
    return row.posted_at is not None and (row.state in NOT_POSTED) != (before.state in NOT_POSTED)


def best_of(verdicts: Sequence[str]) -> str | None:
    """The one that a message is counted for."""
    return next((best.value for best in BEST if best in verdicts), None)


def _delivered(state: str, final_at: datetime | None) -> datetime | None:
    return final_at if state == MessageState.DELIVERED else None
