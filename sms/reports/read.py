"""Reports from facts: a handful of queries, however many messages there were. No message is read here."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, Q, QuerySet
from django.utils.translation import gettext_noop

from sms.models import FactDelta, FactFold, FactProfile, ReportedSend, SendFact
from sms.models.fact import FIGURES, QUARTER, TIMES
from sms.models.sql.replica import from_replica, lines_from_replica
from sms.reports.figures import FactSums
from sms.reports.query import NONE, OF_PLACE, ReportQuery
from sms.reports.sums import Key, ReportContext, known_of, states_by_day, sums, times_kept, values
from sms.words import KeptSentence

SENDS = 50  # of a page
PART = 1000  # sends read at a time for a file
START = datetime(1970, 1, 1)  # noqa: DTZ001 - as a clock shows it
# notes are written into files, too, so they are English until a page retells them
FORWARD = gettext_noop("the clocks go forward in this hour")
BACK = gettext_noop("the clocks go back, so this hour comes twice")
VERSION = KeptSentence(gettext_noop("version %(n)s"))


@dataclass(slots=True)
class ReportRow:
    """A row of a report. `value` is what the filter of an address would say, "" where there is none; `at` is in the report's zone."""

    label: str
    figures: FactSums
    value: str = ""
    note: str = ""
    at: datetime | None = None
    send_id: int = 0
    earlier: FactSums | None = None


@dataclass(slots=True)
class ReportTable:
    asked: ReportQuery
    lines: Sequence[ReportRow]
    total: FactSums
    course: Sequence[ReportRow]
    known: ReportContext
    earlier: FactSums | None = None
    earlier_course: Sequence[ReportRow] = ()
    next_before: int = 0
    folded_at: datetime | None = None
    waiting: bool = False

    @property
    def times_kept(self) -> bool:
        return times_kept(self.asked)


@from_replica
def report(asked: ReportQuery, *, before: int = 0) -> ReportTable:
    """A page of it. `before`: for reports by send, the id of the last send of the page before."""
    known = known_of(asked)
    made = _made(asked, known, before=before)
    if asked.earlier is not None:
        past = _made(asked.earlier, known, before=0, whole=False)
        made.earlier, made.earlier_course = past.total, past.course
        _beside(made, past)
    state = FactFold.objects.annotate(waiting=Exists(FactDelta.objects.all())).first()
    if state is not None:
        made.folded_at, made.waiting = state.folded_at, state.waiting
    return made


def _made(asked: ReportQuery, known: ReportContext, *, before: int, whole: bool = True) -> ReportTable:
    """Not `whole`: without times and what is not compared, and without pages of sends."""
    grouped = sums(asked, known, whole=whole)
    total = FactSums() if whole and times_kept(asked) else FactSums(times=None)
    for one in grouped.values():
        total.plus(one)
    course = _course(grouped if asked.by in ("day", "hour") else states_by_day(asked, known))
    made = ReportTable(asked, [], total, _filled(asked, course), known)
    if asked.by in ("day", "hour"):
        made.lines = list(reversed(course))
    elif asked.by == "send" and whole:
        made.lines, made.next_before = _sends(asked, known, before)
    elif asked.by == "code":
        made.lines = [
            ReportRow(code, FactSums(states=Counter(failed=count), times=None), code)
            for code, count in (+total.codes).most_common()
        ]
    elif asked.by != "send":
        made.lines = _named(asked, grouped, known.profiles)
    return made


def _course(grouped: Mapping[Key, FactSums]) -> list[ReportRow]:
    """By time, the oldest first. `value` is the number of the day or hour."""
    by_time = sorted(grouped.items(), key=lambda one: int(str(one[0][0])))
    return [ReportRow("", figures, str(key[0])) for key, figures in by_time]


def _filled(asked: ReportQuery, course: Sequence[ReportRow]) -> list[ReportRow]:
    """The same with every day, or hour, in which nothing happened; found by their time."""
    hours = asked.by == "hour"
    by_number = {int(line.value): line for line in course}
    first, last = asked.first_day, asked.last_day
    numbers = range(first * 24, last * 24 + 24) if hours else range(first, last + 1)
    filled = []
    for number in numbers:
        line = by_number.get(number) or ReportRow("", FactSums(), str(number))
        shown = START + (timedelta(hours=number) if hours else timedelta(days=number))
        line.at = shown.replace(tzinfo=ZoneInfo(asked.zone))
        line.note = _clock_change(line.at) if hours else ""
        line.label = f"{line.at:%a %-d %b, %H:00}" if hours else f"{line.at:%a %-d %b %Y}"
        filled.append(line)
    return filled


def _clock_change(at: datetime) -> str:
    """What is said of an hour in which clocks are changed: one of its quarters is never shown, or twice."""
    for minutes in (0, 15, 30, 45):
        first = at.replace(minute=minutes)
        back = first.astimezone(UTC).astimezone(at.tzinfo)
        if back.replace(tzinfo=None) != first.replace(tzinfo=None):
            return FORWARD
        if first.replace(fold=1).utcoffset() != first.utcoffset():
            return BACK
    return ""


def _named(
    asked: ReportQuery, grouped: Mapping[Key, FactSums], profiles: Mapping[int, FactProfile]
) -> list[ReportRow]:
    lines: dict[str, ReportRow] = {}
    for (key,), figures in grouped.items():
        for value, label, note in _names(asked, key, profiles):
            line = lines.setdefault(
                f"{value}/{note}",
                ReportRow(label, FactSums(times=None if figures.times is None else {}), value, note),
            )
            line.figures.plus(figures)
    seen = [line for line in lines.values() if line.figures.messages or line.figures.opt_outs]
    return sorted(seen, key=lambda line: (-line.figures.messages, line.label))


def _names(
    asked: ReportQuery, key: object, profiles: Mapping[int, FactProfile]
) -> Iterator[tuple[str, str, str]]:
    """The lines that a sum counts in: value, name and note of each. Only labels can be several, and then it counts in all."""
    if asked.by in OF_PLACE:
        yield str(key) or NONE, str(key), ""
        return
    profile = profiles.get(int(str(key)))
    if profile is None:
        yield NONE, "", ""
        return
    for value in values(profile, asked.by):
        said = value if value != NONE else ""
        label = said if asked.by in ("label", "test") else getattr(profile, asked.by)
        versioned = asked.by == "template" and profile.version
        yield value, label, VERSION(n=profile.version) if versioned else ""


def _sends(asked: ReportQuery, known: ReportContext, before: int) -> tuple[list[ReportRow], int]:
    rows = list(_known_sends(asked, known.chosen, before)[: SENDS + 1])
    lines = list(lines_of_sends(rows[:SENDS], known, asked.zone))
    return lines, rows[SENDS - 1].send_id if len(rows) > SENDS else 0


def _known_sends(asked: ReportQuery, chosen: frozenset[int] | None, before: int) -> "QuerySet[ReportedSend]":
    begin, end = asked.quarters
    within = Q(quarter__gte=begin, quarter__lt=end)
    rows = ReportedSend.objects.filter(within, service_id=asked.service_id).order_by("-send_id")
    if chosen is not None:
        rows = rows.filter(profile_id__in=chosen)
    return rows.filter(send_id__lt=before) if before else rows


def lines_of_sends(rows: Sequence[ReportedSend], known: ReportContext, zone: str) -> Iterator[ReportRow]:
    found: dict[int, FactSums] = defaultdict(FactSums)
    class_of = {row.send_id: known.class_of(row.profile_id) for row in rows}
    facts = SendFact.objects.filter(send_id__in=list(class_of)).order_by()
    columns = ("send_id", "measure", "word", "code", "bucket", *FIGURES)
    for send, measure, word, code, bucket, *figures in facts.values_list(*columns):
        if measure in TIMES:
            found[send].time(measure, bucket, figures[0])
        elif measure == "posted":
            found[send].price(known.price(code, class_of[send][0]), code, figures)
        else:
            found[send].add(measure, word, code, figures)
    for row in rows:
        figures, profile = found[row.send_id], known.profiles.get(row.profile_id)
        _, tracked, smart = class_of[row.send_id]
        figures.tracked = figures.posted if tracked else 0
        figures.smart = figures.posted if smart else 0
        sender = profile.sender if profile else ""
        at = datetime.fromtimestamp(row.quarter * QUARTER, ZoneInfo(zone))
        yield ReportRow(row.name, figures, str(row.send_id), sender, at, row.send_id)


@lines_from_replica
def all_lines(asked: ReportQuery) -> Iterator[ReportRow]:
    """Every line, for a file: sends in parts, so that a million of them need no more room than a page."""
    known = known_of(asked)
    if asked.by != "send":
        yield from _made(asked, known, before=0).lines
        return
    before = 0
    while rows := list(_known_sends(asked, known.chosen, before)[:PART]):
        yield from lines_of_sends(rows, known, asked.zone)
        before = rows[-1].send_id


@from_replica
def count_lines(asked: ReportQuery) -> int:
    """How many sends a file will have; 0 for a report by anything else, which is short."""
    return _known_sends(asked, known_of(asked).chosen, 0).count() if asked.by == "send" else 0


def _beside(made: ReportTable, past: ReportTable) -> None:
    """Each line's figures of the earlier period: by place in time, or by name."""
    if made.asked.by in ("day", "hour"):
        shift = made.asked.days if made.asked.compare == "before" else 364
        width = 24 if made.asked.by == "hour" else 1
        earlier = {int(line.value) + shift * width: line.figures for line in past.lines}
        for line in made.lines:
            line.earlier = earlier.get(int(line.value))
    elif made.asked.by != "send":
        named = {(line.value, line.note): line.figures for line in past.lines}
        for line in made.lines:
            line.earlier = named.get((line.value, line.note))
