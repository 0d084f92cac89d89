"""Real rows with their texts, and the segments of all of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median_high

from sms.audiences.files import Audience, Recipient
from sms.audiences.sample import AudienceSample
from sms.catalogue import placeholder_rules
from sms.compose import placeholders
from sms.compose.preview.shapes import DraftText, PlaceholderPreview, Totals
from sms.compose.survey import Survey
from sms.values import link_lengths, text


@dataclass(frozen=True, slots=True)
class FilledRow:
    """A row with its text, and the fewest and most segments of that."""

    recipient: Recipient
    text: str
    least: int
    most: int


def filled_rows(written: DraftText, sample: AudienceSample) -> list[FilledRow]:
    """Every row of the sample with its text. Placeholders without a value stay in it, and count."""
    words, host = written.words, str(written.domain) if written.domain else ""
    if not words:
        return [FilledRow(one, "", 0, 0) for one in sample.rows]
    resolved = resolved_placeholders(written, sample)
    found = []
    for one in sample.rows:
        made = text.render(words, substitutions=values_of(one, resolved, keep=True))
        found.append(FilledRow(one, made, *link_lengths.span(made, host)))
    return found


def _columns(written: DraftText, sample: AudienceSample) -> dict[str, str]:
    names = text.placeholders(written.words)
    audience = Audience(list(sample.headings), sample.column, [], [])
    return placeholders.columns(names, audience, written.placeholder_sources)[0] if names else {}


def placeholder_previews(written: DraftText, sample: AudienceSample) -> list[PlaceholderPreview]:
    """In the order of the text."""
    chosen = {text.match_key(name): one for name, one in written.placeholder_sources.items()}
    return [
        PlaceholderPreview(
            one.name,
            one.heading,
            one.fallback,
            chosen.get(text.match_key(one.name), placeholders.PlaceholderSource()),
        )
        for one in resolved_placeholders(written, sample)
    ]


@dataclass(frozen=True, slots=True)
class ResolvedPlaceholder:
    """How a placeholder is filled: by which column ("" for none), whether that is the number's, and what stands in for nothing."""

    name: str
    heading: str
    is_number: bool
    fallback: str


def resolved_placeholders(written: DraftText, sample: AudienceSample) -> list[ResolvedPlaceholder]:
    columns, rules = _columns(written, sample), placeholder_rules.placeholders_by_key(written.version)
    own = {
        text.match_key(name): one for name, one in placeholders.fallbacks(written.placeholder_sources).items()
    }
    found = []
    for name in text.placeholders(written.words):
        heading, rule = columns.get(name, ""), rules.get(text.match_key(name))
        is_number = bool(heading) and heading == sample.column
        fallback = own.get(text.match_key(name)) or (rule.fallback if rule else "")
        found.append(ResolvedPlaceholder(name, heading, is_number, fallback))
    return found


def values_of(
    row: Recipient, resolved: Sequence[ResolvedPlaceholder], *, keep: bool = False
) -> dict[str, str]:
    """By placeholder. With `keep`, one without a value stands for itself."""
    found = {}
    for one in resolved:
        value = row.msisdn if one.is_number else row.substitutions.get(one.heading, "")
        if value := value or one.fallback:
            found[one.name] = value
        elif keep:
            found[one.name] = f"$({one.name})"
    return found


def totals_of(rows: Sequence[FilledRow], sample: AudienceSample) -> Totals:
    """Exact where the sample is whole; otherwise the spread rows stand for all, and the longest for the worst."""
    drawn = rows if sample.whole else rows[: sample.spread]
    most, least = [one.most for one in drawn], [one.least for one in drawn]
    scale = 1.0 if sample.whole else sample.recipients / len(drawn)
    return Totals(
        rows=sample.recipients,
        worst=max(one.most for one in rows),
        typical=median_high(most),
        least=round(sum(least) * scale),
        most=round(sum(most) * scale),
        exact=sample.whole,
        looked_at=len(rows),
    )


def totals_of_all(figures: Survey) -> Totals:
    """Of a draft's check, which has read every row as it will be sent."""
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
    words, host = written.words, str(written.domain) if written.domain else ""
    resolved = resolved_placeholders(written, sample)
    counts: dict[int, int] = {}
    least = most = number = 0
    for one in rows:
        made = text.render(words, substitutions=values_of(one, resolved, keep=True))
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
