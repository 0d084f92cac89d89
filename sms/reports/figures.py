"""The figures of one row of a report, each with what it covers. Unknown is None, never 0."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from sms.models import MessageState
from sms.models.message import NOT_POSTED
from sms.values.histogram import percentiles

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SHOWN_TIMES: "Mapping[str, StrOrPromise]" = {
    "submit": _("Time to accept"),
    "carrier": _("Time to carrier"),
    "deliver": _("Time to deliver"),
}
NO_SEGMENTS = frozenset({"CA", "IN"})  # the provider reports no segments there
MICRO = 1_000_000  # prices have six decimals
SHARES = (0.5, 0.95, 0.99)
LEAST = 20  # messages from which a percentile says something


@dataclass(slots=True)
class FactSums:
    """Sums of facts. `times` is None where they are not kept for what was asked; `tracked` are messages with tracked links."""

    states: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    segments: int = 0
    segments_of: int = 0
    billed: int = 0
    billed_of: int = 0
    clicks: Counter[str] = field(default_factory=Counter)
    clicked: Counter[str] = field(default_factory=Counter)
    opt_outs: int = 0
    tracked: int = 0
    smart: int = 0
    unreported: int = 0  # messages to countries where the provider reports no segments
    cost: Counter[str] = field(default_factory=Counter)  # millionths by currency, of `priced` messages
    priced: int = 0
    priceless: int = 0  # posted to where the price list has nothing, or with unknown segments
    times: dict[str, dict[int, int]] | None = field(default_factory=dict)
    _seconds: dict[str, dict[float, float | None]] = field(default_factory=dict)

    def add(self, measure: str, word: str, code: str, figures: Sequence[int]) -> None:
        messages, amount, amount_of, billed, billed_of = figures
        if measure == "state":
            self.states[word] += messages
            if code:
                self.codes[code] += messages
            self.segments += amount
            self.segments_of += amount_of
            self.billed += billed
            self.billed_of += billed_of
        elif measure == "click":
            self.clicked[word] += messages
            self.clicks[word] += amount
        elif measure == "opt_out":
            self.opt_outs += messages

    def time(self, measure: str, bucket: int, messages: int) -> None:
        if self.times is not None:
            counts = self.times.setdefault(measure, {})
            counts[bucket] = counts.get(bucket, 0) + messages

    def price(self, price: tuple[int, str] | None, country: str, posted: Sequence[int]) -> None:
        """Posted messages of one country at the price of a segment there: by our count, else as the provider reported."""
        messages, amount, amount_of, billed, billed_of = posted
        self.unreported += messages if country in NO_SEGMENTS else 0
        covered = (amount_of or billed_of) if price else 0
        if price is not None and covered:
            self.cost[price[1]] += price[0] * (amount if amount_of else billed)
        self.priced += covered
        self.priceless += messages - covered

    def plus(self, other: "FactSums") -> None:
        for one in fields(self):
            mine, more = getattr(self, one.name), getattr(other, one.name)
            if isinstance(mine, Counter):
                mine.update(more)
            elif isinstance(mine, int):
                setattr(self, one.name, mine + more)
        if other.times is None:
            self.times = None
        for measure, counts in (other.times or {}).items():
            for bucket, messages in counts.items():
                self.time(measure, bucket, messages)

    @property
    def messages(self) -> int:
        return self.states.total()

    @property
    def posted(self) -> int:
        return self.messages - sum(self.states[state] for state in NOT_POSTED)

    @property
    def delivered(self) -> int:
        return self.states[MessageState.DELIVERED]

    @property
    def failed(self) -> int:
        return self.states[MessageState.FAILED]

    @property
    def open(self) -> int:
        """Posted, and not known how they ended."""
        return self.posted - self.delivered - self.failed

    @property
    def unposted(self) -> int:
        """Waiting, cancelled or expired."""
        return self.messages - self.posted

    @property
    def final(self) -> int:
        """Posted messages with a final receipt."""
        return self.delivered + self.failed

    @property
    def coverage(self) -> float | None:
        """Their share of what was posted; None where nothing was."""
        return self.final / self.posted if self.posted else None

    @property
    def delivery(self) -> float | None:
        """Delivered, as a share of messages whose end is known; None where there are none."""
        return self.delivered / self.final if self.final else None

    @property
    def clicks_measurable(self) -> bool:
        return self.tracked > 0 or self.clicks.total() > 0

    @property
    def money(self) -> list[tuple[str, float]]:
        """Cost by currency, the dearest first."""
        return [(currency, micro / MICRO) for currency, micro in self.cost.most_common()]

    @property
    def billed_measurable(self) -> bool:
        return self.billed_of > 0 or self.unreported < self.posted

    def seconds(self, measure: str, share: float) -> float | None:
        """A percentile of a time, one of SHARES, once all are added; None where too few messages have one, or where times are not kept."""
        if measure not in self._seconds:
            counts = (self.times or {}).get(measure, {})
            enough = sum(counts.values()) >= LEAST
            found = percentiles(counts if enough else {}, SHARES)
            self._seconds[measure] = dict(zip(SHARES, found, strict=True))
        return self._seconds[measure][share]

    def timed(self, measure: str) -> int:
        return sum((self.times or {}).get(measure, {}).values())
