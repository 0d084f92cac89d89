"""Reports from facts: a handful of queries, however many messages there were. No message is read here."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.db.models import Aggregate, Exists, Q, QuerySet, Sum, TextField

from sms.models import Fact, FactDelta, FactFold, FactProfile, ReportedSend, SendFact
from sms.models.fact import TIMED, TIMES
from sms.models.tally import FIGURES
from sms.reports.ask import EPOCH, NONE, OF_PLACE, OF_PROFILE, Asked
from sms.reports.figures import NO_SEGMENTS, SHOWN_TIMES, Figures

SENDS = 50  # of a page
PART = 1000  # sends read at a time for a file
_IDS = {
    "sender": "sender_id",
    "template": "template_id",
    "domain": "domain_id",
    "policy_group": "policy_group_id",
    "person": "person_id",
}
TEST = "test"  # as it stands in an address
Key = tuple[object, ...]
_PAIRS = msgspec.json.Decoder(list[tuple[int, int]])


@dataclass(slots=True)
class Line:
    """A row of a report. `value` is what the filter of an address would say, "" where there is none."""

    label: str
    figures: Figures
    value: str = ""
    note: str = ""
    at: datetime | None = None
    send_id: int = 0
    earlier: Figures | None = None


@dataclass(slots=True)
class Report:
    """The lines, their sum, and how fresh they are."""

    asked: Asked
    lines: Sequence[Line]
    total: Figures
    course: Sequence[Line]
    known: "Known"
    earlier: Figures | None = None
    earlier_course: Sequence[Line] = ()
    next_before: int = 0
    folded_at: datetime | None = None
    waiting: bool = False

    @property
    def times_kept(self) -> bool:
        """Whether there are times for what was asked."""
        return _times_kept(self.asked)


@dataclass(frozen=True, slots=True)
class Known:
    """What every part of a report looks at: profiles, those that pass the filters (None: all), countries with carriers."""

    profiles: Mapping[int, FactProfile]
    chosen: frozenset[int] | None
    places: Sequence[tuple[str, str]]


def report(asked: Asked, *, before: int = 0) -> Report:
    """A page of it. `before`: for reports by send, the id of the last send of the page before."""
    known = _known(asked)
    made = _made(asked, known, before=before)
    if asked.earlier is not None:
        past = _made(asked.earlier, known, before=0)
        made.earlier, made.earlier_course = past.total, past.course
        _beside(made, past)
    state = FactFold.objects.annotate(waiting=Exists(FactDelta.objects.all())).first()
    if state is not None:
        made.folded_at, made.waiting = state.folded_at, state.waiting
    return made


def _known(asked: Asked) -> Known:
    profiles = {one.pk: one for one in FactProfile.objects.filter(service_id=asked.service_id)}
    plain = Asked(asked.service_id, asked.since, asked.until)
    places = _rows(plain, Fact.Cut.PLACE, None).filter(measure="state").values_list("country", "carrier")
    return Known(profiles, _chosen(asked, profiles), sorted(places.distinct()))


def _made(asked: Asked, known: Known, *, before: int) -> Report:
    grouped = _figures(asked, known)
    total = Figures() if _times_kept(asked) else Figures(times=None)
    for one in grouped.values():
        total.plus(one)
    course = _course(grouped if asked.by in ("day", "hour") else _figures(_by_day(asked), known, whole=False))
    made = Report(asked, [], total, _filled(asked, course), known)
    if asked.by in ("day", "hour"):
        made.lines = list(reversed(course))
    elif asked.by == "send":
        made.lines, made.next_before = _sends(asked, known, before)
    elif asked.by == "code":
        codes = total.codes.most_common()
        made.lines = [Line(code, _only_failed(count), code) for code, count in codes if count > 0]
    else:
        made.lines = _named(asked, grouped, known.profiles)
    return made


def _by_day(asked: Asked) -> Asked:
    return Asked(asked.service_id, asked.since, asked.until, "day", asked.filters)


def _only_failed(count: int) -> Figures:
    figures = Figures(times=None)
    figures.states["failed"] = count
    return figures


# --- which facts -------------------------------------------------------------------------------------------------------


def _chosen(asked: Asked, profiles: Mapping[int, FactProfile]) -> frozenset[int] | None:
    """Profiles that pass the filters; None where no filter looks at them."""
    wanted = {name: value for name, value in asked.filters.items() if name in OF_PROFILE}
    if not wanted:
        return None
    return frozenset(
        pk
        for pk, profile in profiles.items()
        if all(value in values(profile, name) for name, value in wanted.items())
    )


def values(profile: FactProfile, name: str) -> tuple[str, ...]:
    """As they stand in an address: one, but for labels, of which a send may have several."""
    if name == "label":
        return tuple(profile.labels.split(",")) if profile.labels else (NONE,)
    if name == "partner":
        return (profile.partner or NONE,)
    if name == "test":
        return (TEST if profile.test else NONE,)
    return (str(getattr(profile, _IDS[name]) or NONE),)


def _needs(asked: Asked) -> tuple[bool, bool]:
    """Whether profile, and whether place has to be told apart."""
    profile = asked.by in OF_PROFILE or any(name in OF_PROFILE for name in asked.filters)
    return profile, asked.by in OF_PLACE or any(name in OF_PLACE for name in asked.filters)


def _cut(asked: Asked) -> Fact.Cut:
    cuts = {
        (False, False): Fact.Cut.WHOLE,
        (True, False): Fact.Cut.PROFILE,
        (False, True): Fact.Cut.PLACE,
        (True, True): Fact.Cut.FULL,
    }
    return cuts[_needs(asked)]


def _times_kept(asked: Asked) -> bool:
    """Times are kept by profile and by place, but not by both at once; by the hour for the whole service only."""
    grain = Fact.Grain.HOUR if asked.by == "hour" else Fact.Grain.DAY
    return asked.by != "code" and _cut(asked) in TIMED[grain]


def _rows(asked: Asked, cut: Fact.Cut, chosen: frozenset[int] | None) -> "QuerySet[Fact]":
    hours = asked.by == "hour"
    first, last = asked.first_day, asked.last_day
    rows = Fact.objects.filter(
        service_id=asked.service_id,
        grain=Fact.Grain.HOUR if hours else Fact.Grain.DAY,
        cut=cut,
        at__gte=first * 24 if hours else first,
        at__lte=last * 24 + 23 if hours else last,
    ).order_by()
    if chosen is not None:
        rows = rows.filter(profile_id__in=chosen)
    for name in OF_PLACE:
        if value := asked.filters.get(name):
            rows = rows.filter(**{name: "" if value == NONE else value})
    return rows


def _group(asked: Asked) -> tuple[str, ...]:
    if asked.by in ("day", "hour"):
        return ("at",)
    if asked.by in OF_PROFILE:
        return ("profile_id",)
    return (asked.by,) if asked.by in OF_PLACE else ()


def _figures(asked: Asked, known: "Known", *, whole: bool = True) -> dict[Key, Figures]:
    """Sums by what the report is by. Not `whole`: without times, and without what links and countries cannot tell."""
    group, kept = _group(asked), whole and _times_kept(asked)
    found: dict[Key, Figures] = defaultdict(lambda: Figures() if kept else Figures(times=None))
    rows = _rows(asked, _cut(asked), known.chosen)
    apart = asked.by in ("day", "hour") and _cut(asked) == Fact.Cut.WHOLE
    rows = rows.exclude(measure="wait") if kept and not apart else rows.exclude(measure__in=TIMES)
    sums = {f"total_{name}": Sum(name) for name in FIGURES}
    counted = ("measure", "word", "code", "bucket")
    for *key, measure, word, code, bucket, m, a, ao, b, bo in rows.values_list(*group, *counted).annotate(
        **sums
    ):
        if measure in TIMES:
            found[tuple(key)].time(measure, bucket, m)
        else:
            found[tuple(key)].add(measure, word, code, (m, a, ao, b, bo))
    if kept and apart:
        _times_by_time(asked, found)
    if whole:
        _links(asked, known, group, found)
        _untold(asked, known, group, found)
    return found


class _Pairs(Aggregate):
    """[bucket, messages] of every row, as one JSON text: a tenth of the time of reading them one by one."""

    template = "cast(json_agg(json_build_array(bucket, messages)) AS text)"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="json_group_array(json_array(bucket, messages))", **context
        )


def _times_by_time(asked: Asked, found: dict[Key, Figures]) -> None:
    """Histograms of each day or hour, for the whole service: one row of the table for each bucket."""
    rows = _rows(asked, Fact.Cut.WHOLE, None).filter(measure__in=SHOWN_TIMES)
    pairs = _Pairs("bucket", output_field=TextField())
    for at, measure, listed in rows.values_list("at", "measure").annotate(pairs=pairs):
        times = found[(at,)].times
        if times is not None:
            times[measure] = dict(_PAIRS.decode(listed))


def _links(asked: Asked, known: "Known", group: tuple[str, ...], found: dict[Key, Figures]) -> None:
    """How many messages had links whose clicks are told, and how many had smartlinks, which are not."""
    tracked = {pk for pk, one in known.profiles.items() if one.domain_id}
    smart = {pk for pk, one in known.profiles.items() if one.smartlinks}
    wanted = (tracked | smart) if known.chosen is None else (tracked | smart) & known.chosen
    if not wanted:
        return
    cut = Fact.Cut.FULL if _needs(asked)[1] else Fact.Cut.PROFILE
    rows = _rows(asked, cut, frozenset(wanted)).filter(measure="state")
    keys = group if "profile_id" in group else (*group, "profile_id")
    for *key, messages in rows.values_list(*keys).annotate(total=Sum("messages")):
        profile = key[-1]
        figures = found[tuple(key if "profile_id" in group else key[:-1])]
        figures.tracked += messages if profile in tracked else 0
        figures.smart += messages if profile in smart else 0


def _untold(asked: Asked, known: "Known", group: tuple[str, ...], found: dict[Key, Figures]) -> None:
    """Messages to countries for which the provider tells no segments."""
    if not any(country in NO_SEGMENTS for country, _ in known.places):
        return
    cut = Fact.Cut.FULL if _needs(asked)[0] else Fact.Cut.PLACE
    rows = _rows(asked, cut, known.chosen).filter(measure="state", country__in=NO_SEGMENTS)
    for *key, _, messages in rows.values_list(*group, "measure").annotate(total=Sum("messages")):
        found[tuple(key)].untold += messages


# --- lines -------------------------------------------------------------------------------------------------------------


def _course(grouped: Mapping[Key, Figures]) -> list[Line]:
    """By time, the oldest first. `value` is the number of the day or hour."""
    return [
        Line("", figures, str(key[0]))
        for key, figures in sorted(grouped.items(), key=lambda one: int(str(one[0][0])))
    ]


def _filled(asked: Asked, course: Sequence[Line]) -> list[Line]:
    """The same with every day, or hour, in which nothing happened; told by their time."""
    hours = asked.by == "hour"
    by_number = {int(line.value): line for line in course}
    first, last = asked.first_day, asked.last_day
    numbers = range(first * 24, last * 24 + 24) if hours else range(first, last + 1)
    start = datetime(EPOCH.year, EPOCH.month, EPOCH.day, tzinfo=UTC)
    filled = []
    for number in numbers:
        line = by_number.get(number) or Line("", Figures(), str(number))
        line.at = start + (timedelta(hours=number) if hours else timedelta(days=number))
        line.label = f"{line.at:%a %-d %b, %H:00}" if hours else f"{line.at:%a %-d %b %Y}"
        filled.append(line)
    return filled


def _named(asked: Asked, grouped: Mapping[Key, Figures], profiles: Mapping[int, FactProfile]) -> list[Line]:
    """By a name, the most messages first."""
    lines: dict[str, Line] = {}
    for (key,), figures in grouped.items():
        for value, label, note in _names(asked, key, profiles):
            line = lines.setdefault(
                f"{value}/{note}",
                Line(label, Figures(times=None if figures.times is None else {}), value, note),
            )
            line.figures.plus(figures)
    seen = [line for line in lines.values() if line.figures.messages or line.figures.opt_outs]
    return sorted(seen, key=lambda line: (-line.figures.messages, line.label))


def _names(asked: Asked, key: object, profiles: Mapping[int, FactProfile]) -> Iterator[tuple[str, str, str]]:
    """The lines that a sum counts in: value, name and note of each. Only labels can be several, and then it counts in all."""
    if asked.by in OF_PLACE:
        yield str(key) or NONE, str(key), ""
        return
    profile = profiles.get(int(str(key)))
    if profile is None:
        yield NONE, "", ""
        return
    for value in values(profile, asked.by):
        label = (
            (value if value != NONE else "") if asked.by in ("label", "test") else getattr(profile, asked.by)
        )
        versioned = asked.by == "template" and profile.version
        yield value, label, f"version {profile.version}" if versioned else ""


def _sends(asked: Asked, known: Known, before: int) -> tuple[list[Line], int]:
    """A page of sends, the newest first, and where the next begins."""
    rows = list(_known_sends(asked, known.chosen, before)[: SENDS + 1])
    lines = list(lines_of_sends(rows[:SENDS], known.profiles))
    return lines, rows[SENDS - 1].send_id if len(rows) > SENDS else 0


def _known_sends(asked: Asked, chosen: frozenset[int] | None, before: int) -> "QuerySet[ReportedSend]":
    within = Q(hour__gte=asked.first_day * 24, hour__lte=asked.last_day * 24 + 23)
    rows = ReportedSend.objects.filter(within, service_id=asked.service_id).order_by("-send_id")
    if chosen is not None:
        rows = rows.filter(profile_id__in=chosen)
    return rows.filter(send_id__lt=before) if before else rows


def lines_of_sends(rows: Sequence[ReportedSend], profiles: Mapping[int, FactProfile]) -> Iterator[Line]:
    """The lines of these sends, in two queries."""
    found: dict[int, Figures] = defaultdict(Figures)
    facts = SendFact.objects.filter(send_id__in=[row.send_id for row in rows]).order_by()
    for send, measure, word, code, bucket, *figures in facts.values_list(
        "send_id", "measure", "word", "code", "bucket", *FIGURES
    ):
        if measure in TIMES:
            found[send].time(measure, bucket, figures[0])
        else:
            m, a, ao, b, bo = figures
            found[send].add(measure, word, code, (m, a, ao, b, bo))
    start = datetime(EPOCH.year, EPOCH.month, EPOCH.day, tzinfo=UTC)
    for row in rows:
        figures, profile = found[row.send_id], profiles.get(row.profile_id)
        figures.tracked = figures.messages if profile and profile.domain_id else 0
        figures.smart = figures.messages if profile and profile.smartlinks else 0
        yield Line(
            row.name,
            figures,
            str(row.send_id),
            profile.sender if profile else "",
            start + timedelta(hours=row.hour),
            row.send_id,
        )


def all_lines(asked: Asked) -> Iterator[Line]:
    """Every line, for a file: sends in parts, so that a million of them need no more room than a page."""
    known = _known(asked)
    if asked.by != "send":
        yield from _made(asked, known, before=0).lines
        return
    before = 0
    while rows := list(_known_sends(asked, known.chosen, before)[:PART]):
        yield from lines_of_sends(rows, known.profiles)
        before = rows[-1].send_id


def count_lines(asked: Asked) -> int:
    """How many sends a file will have; 0 for a report by anything else, which is short."""
    return _known_sends(asked, _known(asked).chosen, 0).count() if asked.by == "send" else 0


def _beside(made: Report, past: Report) -> None:
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
