"""Which facts a report reads, and their sums: by day where days are separate, else by blocks of days and what is left of them.

Part of `sms.reports.read`. Every question names service, grain, cut, profiles, measure and time, which is how the facts' index begins.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db.models import Aggregate, Case, IntegerField, QuerySet, Sum, TextField, Value, When

from sms.models import Fact, FactProfile, Price, Sender
from sms.models.fact import FIGURES, TIMED
from sms.models.message import NOT_POSTED
from sms.reports.figures import MICRO, SHOWN_TIMES, FactSums
from sms.reports.query import NONE, OF_PLACE, OF_PROFILE, ReportQuery

TEST = "test"  # as it stands in an address
Key = tuple[object, ...]
Span = tuple[Fact.Grain, int, int]
_PAIRS = msgspec.json.Decoder(list[tuple[int, int]])
_COUNTED = ("state", "click", "opt_out")


@dataclass(frozen=True, slots=True)
class ReportContext:
    """What every part of a report looks at.

    Profiles, those that pass the filters (None: all), countries with carriers; prices in millionths by country and kind of sender, with
    their currency; and the kinds of senders.
    """

    profiles: Mapping[int, FactProfile]
    chosen: frozenset[int] | None
    places: Sequence[tuple[str, str]]
    prices: Mapping[tuple[str, str], tuple[int, str]]
    kinds: Mapping[int, str]

    @property
    def counted(self) -> Collection[int]:
        """Profiles whose facts count; 0 is that of what no send of ours was asked."""
        return (0, *self.profiles) if self.chosen is None else self.chosen

    def class_of(self, profile_id: int) -> tuple[str, bool, bool]:
        """What of a profile decides about cost and coverage: kind of sender, whether clicks are reported, whether there are smartlinks."""
        one = self.profiles.get(profile_id)
        if one is None:
            return "", False, False
        return self.kinds.get(one.sender_id, ""), bool(one.domain_id) and not one.untracked, one.smartlinks

    def price(self, country: str, kind: str) -> tuple[int, str] | None:
        """That of the kind, else that of any."""
        return self.prices.get((country, kind)) or self.prices.get((country, ""))


def known_of(asked: ReportQuery) -> ReportContext:
    """In four queries."""
    profiles = {one.pk: one for one in FactProfile.objects.filter(service_id=asked.service_id)}
    places: set[tuple[str, str]] = set()
    plain = ReportQuery(asked.service_id, asked.zone, asked.since, asked.until, by="country")
    for span in plain.spans:
        rows = _rows(plain, Fact.Cut.PLACE, span, ()).filter(measure="state")
        places |= set(rows.values_list("country", "carrier").distinct())
    prices = {
        (one.country, one.sender_kind): (int(one.amount * MICRO), one.currency)
        for one in Price.objects.filter(service_id=asked.service_id)
    }
    senders = Sender.objects.filter(service_id=asked.service_id)
    kinds = dict(senders.values_list("pk", "kind")) if prices else {}
    return ReportContext(profiles, _chosen(asked, profiles), sorted(places), prices, kinds)


def values(profile: FactProfile, name: str) -> tuple[str, ...]:
    """As they stand in an address: one, but for labels, of which a send may have several."""
    if name == "label":
        return tuple(profile.labels.split(",")) if profile.labels else (NONE,)
    if name == "partner":
        return (profile.partner or NONE,)
    if name == "test":
        return (TEST if profile.test else NONE,)
    return (str(getattr(profile, f"{name}_id") or NONE),)


def times_kept(asked: ReportQuery) -> bool:
    """Times are kept by profile and by place, but not by both at once; by the hour for the whole service only."""
    grain = Fact.Grain.HOUR if asked.by == "hour" else Fact.Grain.DAY
    return asked.by != "code" and _cut(asked) in TIMED[grain]


def sums(asked: ReportQuery, known: ReportContext, *, whole: bool = True) -> dict[Key, FactSums]:
    """Sums by what the report is by. Not `whole`: without times, cost, and what links and countries cannot say."""
    group, kept = _group(asked), whole and times_kept(asked)
    found: dict[Key, FactSums] = defaultdict(lambda: FactSums() if kept else FactSums(times=None))
    for span in asked.spans:
        rows = _rows(asked, _cut(asked), span, known.counted)
        _count(rows, group, found)
        if kept and group == ("at",) and _cut(asked) == Fact.Cut.WHOLE:
            _times_by_time(rows, found)
        elif kept:
            _times(rows, group, found)
        if whole:
            _priced(asked, span, known, group, found)
    return found


def states_by_day(asked: ReportQuery, known: ReportContext) -> dict[Key, FactSums]:
    """Messages by day and state alone, for a picture: a fifth of what `sums` by day would read."""
    found: dict[Key, FactSums] = defaultdict(lambda: FactSums(times=None))
    span = (Fact.Grain.DAY, asked.first_day, asked.last_day)
    rows = _rows(asked, _cut(asked, by="day"), span, known.counted).filter(measure="state")
    for at, word, messages in rows.values_list("at", "word").annotate(total=_Total("messages")):
        found[(at,)].states[word] += messages
    return found


def _chosen(asked: ReportQuery, profiles: Mapping[int, FactProfile]) -> frozenset[int] | None:
    """Profiles that pass the filters; None where no filter looks at them."""
    wanted = {name: value for name, value in asked.filters.items() if name in OF_PROFILE}
    if not wanted:
        return None
    return frozenset(
        pk
        for pk, profile in profiles.items()
        if all(value in values(profile, name) for name, value in wanted.items())
    )


def _cut(asked: ReportQuery, *, by: str = "") -> Fact.Cut:
    """Whether profile, and whether place has to be separate. `by` is taken in place of its own."""
    names = {by or asked.by, *asked.filters}
    profile, place = not names.isdisjoint(OF_PROFILE), not names.isdisjoint(OF_PLACE)
    if profile:
        return Fact.Cut.FULL if place else Fact.Cut.PROFILE
    return Fact.Cut.PLACE if place else Fact.Cut.WHOLE


def _rows(asked: ReportQuery, cut: Fact.Cut, span: Span, profiles: Collection[int]) -> "QuerySet[Fact]":
    grain, first, last = span
    rows = Fact.objects.filter(
        service_id=asked.service_id,
        grain=grain,
        cut=cut,
        profile_id__in=profiles if cut.by_profile else (0,),
        at__gte=first,
        at__lte=last,
    ).order_by()
    for name in OF_PLACE:
        if value := asked.filters.get(name):
            rows = rows.filter(**{name: "" if value == NONE else value})
    return rows


def _group(asked: ReportQuery) -> tuple[str, ...]:
    if asked.by in ("day", "hour"):
        return ("at",)
    if asked.by in OF_PROFILE:
        return ("profile_id",)
    return (asked.by,) if asked.by in OF_PLACE else ()


def _count(rows: "QuerySet[Fact]", group: tuple[str, ...], found: dict[Key, FactSums]) -> None:
    totals = {f"total_{name}": _Total(name) for name in FIGURES}
    counted = rows.filter(measure__in=_COUNTED).values_list(*group, "measure", "word", "code")
    for *key, measure, word, code, m, a, ao, b, bo in counted.annotate(**totals):
        found[tuple(key)].add(measure, word, code, (m, a, ao, b, bo))


def _times(rows: "QuerySet[Fact]", group: tuple[str, ...], found: dict[Key, FactSums]) -> None:
    timed = rows.filter(measure__in=SHOWN_TIMES).values_list(*group, "measure", "bucket")
    for *key, measure, bucket, messages in timed.annotate(total=_Total("messages")):
        found[tuple(key)].time(measure, bucket, messages)


class _Total(Sum):
    """A sum as the driver's own integer. PostgreSQL's is numeric, and to make an int of each took a fifth of a report's time."""

    template = "cast(sum(%(expressions)s) AS bigint)"

    def get_db_converters(self, connection: Any) -> list[Any]:
        return []


class _Pairs(Aggregate):
    """[bucket, messages] of every row, as one JSON text: a tenth of the time of reading them one by one."""

    template = "cast(json_agg(json_build_array(bucket, messages)) AS text)"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "json_group_array(json_array(bucket, messages))"
        return self.as_sql(compiler, connection, template=template, **context)


def _times_by_time(rows: "QuerySet[Fact]", found: dict[Key, FactSums]) -> None:
    """Histograms of each day or hour, for the whole service: one row of the table for each bucket."""
    pairs = _Pairs("bucket", output_field=TextField())
    timed = rows.filter(measure__in=SHOWN_TIMES).values_list("at", "measure")
    for at, measure, listed in timed.annotate(pairs=pairs):
        times = found[(at,)].times
        if times is not None:
            times[measure] = dict(_PAIRS.decode(listed))


def _priced(
    asked: ReportQuery, span: Span, known: ReportContext, group: tuple[str, ...], found: dict[Key, FactSums]
) -> None:
    """Cost at the prices of today, and how many messages had links or segments of which nothing is reported."""
    if asked.by == "carrier" or "carrier" in asked.filters:
        rows = _rows(asked, Fact.Cut.FULL, span, known.counted).filter(measure="state")
        rows = rows.exclude(word__in=sorted(NOT_POSTED))
    else:
        rows = _rows(asked, Fact.Cut.PRICED, span, known.counted).filter(measure="posted")
    classes, kind_of = _classes(known)
    totals = {f"total_{name}": _Total(name) for name in FIGURES}
    grouped = rows.annotate(kind_of=kind_of).values_list(*group, "kind_of", "country")
    for *key, number, country, m, a, ao, b, bo in grouped.annotate(**totals):
        figures, (kind, tracked, smart) = found[tuple(key)], classes[number]
        figures.tracked += m if tracked else 0
        figures.smart += m if smart else 0
        figures.price(known.price(country, kind), country, (m, a, ao, b, bo))


def _classes(known: ReportContext) -> tuple[Sequence[tuple[str, bool, bool]], Case]:
    """The classes there are, and an expression for the number of a row's."""
    members: dict[tuple[str, bool, bool], list[int]] = defaultdict(list)
    for pk in known.profiles if known.chosen is None else known.chosen:
        members[known.class_of(pk)].append(pk)
    classes = [*members, ("", False, False)]  # the last for what has no profile
    numbered = enumerate(members.values())
    whens = [When(profile_id__in=pks, then=Value(number)) for number, pks in numbered if pks]
    return classes, Case(*whens, default=Value(len(members)), output_field=IntegerField())
