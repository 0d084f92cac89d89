"""The figures of an order: folded from its rows in one pass, small however many there are.

The flight plan, the review page, the API's dry run and `create` know a large order by this. It is stored with a draft's check
(`sms.compose.background`), also between two blocks, so that a check continues where it stopped.
"""

import heapq
from array import array
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from sms.audiences.files import RejectedGroup, RejectedRow
from sms.audiences.files.rows import most_first
from sms.catalogue import senders
from sms.catalogue.link_lengths import of_template, span
from sms.compose.errors import no_recipients
from sms.compose.lines import Composer
from sms.compose.order import ComposedMessage
from sms.compose.resolved_order import ResolvedOrder
from sms.ledger.slices import ramps, stage_ends
from sms.values import quiet_hours, text, time_zones
from sms.values.msisdn.kinds import TEXTABLE, NumberKind
from sms.values.problems import ProblemCode

SHOWN = 100  # rows named per list
HEAD = 5  # first messages, for a preview
LONGEST = 10  # messages that cost most, for a preview
EXAMPLES = 3  # numbers shown of each kind
ADVISED = 450  # characters that the provider advises to stay below

T = TypeVar("T")
Group = tuple[str, ...]
"""IANA zones in which a recipient can be; () where it does not matter."""


class DoubtfulNumbers(msgspec.Struct, kw_only=True):
    """Numbers of one kind that may be no mobile of the person: how many, whether the send leaves them out, and the first of them."""

    kind: NumberKind
    count: int = 0
    left_out: bool = False
    rows: list[int] = []
    examples: list[str] = []

    @property
    def text(self) -> str:
        """What is said of all of them."""
        return self.kind.of_rows(self.count)

    @property
    def first(self) -> list[tuple[int, str]]:
        """Row and number of those that are shown."""
        return list(zip(self.rows, self.examples, strict=False))

    def add(self, row: int, number: str) -> None:
        self.count += 1
        if len(self.rows) < SHOWN:
            self.rows.append(row)
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"+{number.removeprefix('+')}")


class Survey(msgspec.Struct):
    """Figures of all rows. `segments`: messages by segments; `countries`: recipients, fewest and most segments of each; `spent`: what
    counts against the spend caps, by country.
    """

    recipients: int = 0
    rejected: int = 0
    segments: dict[int, int] = {}
    gsm7: int = 0
    ucs2: int = 0
    unknown: int = 0
    countries: dict[str, tuple[int, int, int]] = {}
    spent: dict[str, int] = {}
    removed: list[RejectedGroup] = []
    """For each reason with its first rows, the one with the most rows first."""
    refused: dict[str, int] = {}
    """Messages by the reason why the sender does not reach their country."""
    bad: list[RejectedRow] = []
    doubtful: dict[str, DoubtfulNumbers] = {}
    """By the name of the kind."""
    head: list[ComposedMessage] = []
    longest: list[ComposedMessage] = []
    long: int = 0
    groups: list[Group] = []
    stages: list[dict[int, int]] = []
    """For each stage of a ramp: recipients by their place in `groups`."""
    places: bytes = b""
    """Of each recipient in `groups`, while the number of all of them is not known."""

    @property
    def rows(self) -> int:
        return self.recipients + self.rejected

    @property
    def warned(self) -> int:
        """Recipients whose number may be no mobile of the person."""
        return sum(one.count for one in self.doubtful.values() if not one.left_out)

    @property
    def total(self) -> int:
        """Segments of all messages, as their texts stand."""
        return sum(count * times for count, times in self.segments.items())

    @property
    def worst(self) -> int:
        return max(self.segments, default=0)

    @property
    def typical(self) -> int:
        """Of the message in the middle, the longer of two."""
        passed = 0
        for count in sorted(self.segments):
            passed += self.segments[count]
            if passed > self.recipients // 2:
                return count
        return 0

    def recipients_by_country(self) -> dict[str, int]:
        """ISO 3166 code, "" for a number of none."""
        return {country: one[0] for country, one in self.countries.items()}

    def staged(self) -> list[dict[Hashable, int]]:
        return [{self.groups[place]: count for place, count in stage.items()} for stage in self.stages]


class Surveyor:
    """Folds blocks of lines and rejects into a survey."""

    def __init__(self, order: ResolvedOrder, *, so_far: Survey | None = None) -> None:
        self._order = order
        self._host = order.link_host
        # where no link changes its length, a text is as long as it stands there
        self._varies = bool(self._host) or "{{smartlink_" in order.text
        self._quiet = order.quiet_hours
        self._known: dict[str, str] = {}
        self.survey = so_far or Survey()
        self._countries = {code: list(one) for code, one in self.survey.countries.items()}
        self._segments = Counter(self.survey.segments)
        self._spent = Counter(self.survey.spent)
        self._places = array("H")
        self._places.frombytes(self.survey.places)
        self._removed_for = {(one.code, one.field): one for one in self.survey.removed}
        self._group_at = {group: place for place, group in enumerate(self.survey.groups)}

    def add(self, lines: Sequence[ComposedMessage], rejects: Sequence[RejectedRow]) -> None:
        survey = self.survey
        survey.recipients += len(lines)
        survey.rejected += len(rejects)
        for line in lines:
            self._count(line)
        for bad in rejects:
            self._removed(bad)
        if len(survey.head) < HEAD:
            survey.head += lines[: HEAD - len(survey.head)]
        survey.longest = heapq.nlargest(LONGEST, [*survey.longest, *lines], key=_length)
        survey.bad = _first([*survey.bad, *rejects], lambda bad: bad.row)

    def so_far(self) -> Survey:
        """What is known now; `finish` says more."""
        survey = self.survey
        survey.removed = most_first(self._removed_for.values())
        survey.segments, survey.spent = dict(self._segments), dict(self._spent)
        survey.countries = {code: (one[0], one[1], one[2]) for code, one in self._countries.items()}
        survey.places = self._places.tobytes()
        return survey

    def finish(self) -> Survey:
        """The survey of all rows; raises ComposeError where no recipient is left."""
        survey = self.so_far()
        survey.places = b""
        if not survey.recipients:
            raise no_recipients(survey.removed, survey.bad)
        ends = stage_ends(survey.recipients, ramp=self._order.options.ramp and ramps(survey.recipients))
        begin = 0
        survey.stages = []
        for end in ends:
            here = Counter(self._places[begin:end]) if self._quiet else Counter({0: end - begin})
            survey.stages.append(dict(sorted(here.items())))
            begin = end
        if not self._quiet:
            survey.groups = [()]
        return survey

    def _count(self, line: ComposedMessage) -> None:
        survey = self.survey
        self._segments[line.segments] += 1
        if not line.text:
            survey.unknown += 1
            least, most = of_template(self._order.service.text_limit)
        else:
            if text.is_gsm7(line.text):
                survey.gsm7 += 1
            else:
                survey.ucs2 += 1
            least, most = span(line.text, self._host) if self._varies else (line.segments, line.segments)
            survey.long += len(line.text) > ADVISED
        country = senders.country_of(line.msisdn, self._known)
        one = self._countries.get(country)
        if one is None:
            one = self._countries[country] = [0, 0, 0]
        self._spent[country] += max(line.segments, 1)
        one[0] += 1
        one[1] += least
        one[2] += most
        if line.kind not in TEXTABLE:
            self._doubt(line.kind, left_out=False).add(line.row, line.msisdn)
        if self._quiet:
            self._places.append(self._group(line))

    def _group(self, line: ComposedMessage) -> int:
        number = () if line.zone else time_zones.of_number(line.msisdn)
        group = quiet_hours.zones_of(column=line.zone, number=number, service=self._order.service.time_zone)
        place = self._group_at.get(group)
        if place is None:
            place = self._group_at[group] = len(self.survey.groups)
            self.survey.groups.append(group)
        return place

    def _removed(self, bad: RejectedRow) -> None:
        one = self._removed_for.get((bad.code, bad.field))
        if one is None:
            one = self._removed_for[bad.code, bad.field] = RejectedGroup(code=bad.code, field=bad.field)
        one.count += 1
        if len(one.rows) < SHOWN or bad.row < one.rows[-1]:
            one.rows = _first([*one.rows, bad.row], lambda row: row)
        if bad.code == ProblemCode.SENDER_REFUSED:
            self.survey.refused[bad.reason] = self.survey.refused.get(bad.reason, 0) + 1
        if bad.code == ProblemCode.LEFT_OUT:
            self._doubt(NumberKind.of([bad.field]), left_out=True).add(bad.row, bad.value)

    def _doubt(self, kind: NumberKind, *, left_out: bool) -> DoubtfulNumbers:
        name = kind.names[0]
        known = self.survey.doubtful
        return known.setdefault(name, DoubtfulNumbers(kind=kind, left_out=left_out))


def fold(order: ResolvedOrder, *, now: datetime) -> Surveyor:
    """All rows of an order, as they would be sent."""
    composer, surveyor = Composer(order, now=now), Surveyor(order)
    for block in order.audience.blocks():
        lines, unfit = composer.lines(block.recipients)
        surveyor.add(lines, [*block.rejects, *unfit])
    return surveyor


def _length(line: ComposedMessage) -> tuple[int, int, int]:
    return line.segments, len(line.text), -line.row


def _first(rows: list[T], row_of: Callable[[T], int]) -> list[T]:
    return sorted(rows, key=row_of)[:SHOWN]
