"""Real rows with their texts, and the segments of all of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median_high

from sms.audiences.files import Audience, Recipient
from sms.audiences.sample import AudienceSample
from sms.catalogue import templates
from sms.compose import placeholders
from sms.compose.preview.shapes import DraftText, PlaceholderPreview, Totals
from sms.compose.survey import Survey
from sms.values import link_lengths, text

Row = tuple[Recipient, str, int, int]  # with its text, and the fewest and most segments of it


def filled_rows(written: DraftText, sample: AudienceSample) -> list[Row]:
    """Every row of the sample with its text. Holes without a value stay in it, as they count then."""
    words, host = written.words, str(written.domain) if written.domain else ""
    if not words:
        return [(one, "", 0, 0) for one in sample.rows]
    ways = sources_of(written, sample)
    found = []
    for one in sample.rows:
        made = text.render(words, substitutions=values_of(one, ways, keep=True))
        least, most = link_lengths.span(made, host)
        found.append((one, made, most, least))
    return found


def _columns(written: DraftText, sample: AudienceSample) -> dict[str, str]:
    names = text.placeholders(written.words)
    there = Audience(list(sample.headings), sample.column, [], [])
    return placeholders.columns(names, there, written.fillings)[0] if names else {}


def placeholder_previews(written: DraftText, sample: AudienceSample) -> list[PlaceholderPreview]:
    """In the order of the text."""
    chosen = {text.match_key(name): one for name, one in written.fillings.items()}
    return [
        PlaceholderPreview(
            way.name,
            way.heading,
            way.fallback,
            chosen.get(text.match_key(way.name), placeholders.PlaceholderSource()),
        )
        for way in sources_of(written, sample)
    ]


@dataclass(frozen=True, slots=True)
class ResolvedPlaceholder:
    """How a placeholder is filled: by which column ("" for none), whether that is the number's, and what stands in for nothing."""

    name: str
    heading: str
    is_number: bool
    fallback: str


def sources_of(written: DraftText, sample: AudienceSample) -> list[ResolvedPlaceholder]:
    """For each placeholder, in the order of the text."""
    columns, holes = _columns(written, sample), templates.placeholders_by_key(written.version)
    own = {text.match_key(name): one for name, one in placeholders.fallbacks(written.fillings).items()}
    found = []
    for name in text.placeholders(written.words):
        heading, hole = columns.get(name, ""), holes.get(text.match_key(name))
        is_number = bool(heading) and heading == sample.column
        fallback = own.get(text.match_key(name)) or (hole.fallback if hole else "")
        found.append(ResolvedPlaceholder(name, heading, is_number, fallback))
    return found


def values_of(one: Recipient, ways: Sequence[ResolvedPlaceholder], *, keep: bool = False) -> dict[str, str]:
    """By placeholder. With `keep`, one without a value stands for itself."""
    found = {}
    for way in ways:
        value = one.msisdn if way.is_number else one.substitutions.get(way.heading, "")
        if value := value or way.fallback:
            found[way.name] = value
        elif keep:
            found[way.name] = f"$({way.name})"
    return found


def totals_of(rows: Sequence[Row], sample: AudienceSample) -> Totals:
    """Exact where the sample is whole; otherwise the spread rows stand for all, and the longest for the worst."""
    drawn = rows if sample.whole else rows[: sample.spread]
    most, least = [one[2] for one in drawn], [one[3] for one in drawn]
    scale = 1.0 if sample.whole else sample.recipients / len(drawn)
    return Totals(
        rows=sample.recipients,
        worst=max(one[2] for one in rows),
        typical=median_high(most),
        least=round(sum(least) * scale),
        most=round(sum(most) * scale),
        exact=sample.whole,
        looked_at=len(rows),
    )


def totals_of_all(figures: Survey) -> Totals:
    """Of a draft's check, which went over every row as it will be sent."""
    spans = figures.countries.values()
    return Totals(
        rows=figures.recipients,
        worst=figures.worst,
        typical=figures.typical,
        least=sum(one[1] for one in spans),
        most=sum(one[2] for one in spans),
        exact=True,
        looked_at=figures.rows,
    )


def count(written: DraftText, sample: AudienceSample, rows: Iterable[Recipient]) -> Totals:
    """The same figures over every row, however long that takes."""
    words, host = written.words, str(written.domain) if written.domain else ""
    ways = sources_of(written, sample)
    counts: dict[int, int] = {}
    least = most = number = 0
    for one in rows:
        made = text.render(words, substitutions=values_of(one, ways, keep=True))
        low, high = link_lengths.span(made, host)
        counts[high] = counts.get(high, 0) + 1
        least, most, number = least + low, most + high, number + 1
    middle, typical = number // 2, 0
    for size in sorted(counts):
        if middle < counts[size]:
            typical = size
            break
        middle -= counts[size]
    return Totals(number, max(counts, default=0), typical, least, most, exact=True, looked_at=number)
