"""What a text becomes while somebody writes it: on a phone, row by row, and over all rows. Stores nothing, refuses nothing.

`look` is asked at every key, so it looks at a sample (`sms.sample`) and says where its figures are an estimate. What it cannot fill it
shows as a hole; whether that makes a send is for `sms.compose` to say. Called by the compose page.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median_high

from sms import content, lint, senders, templates, text
from sms.audience import Audience, Recipient
from sms.compose import lengths
from sms.models import Sender, Service, ShortLinkDomain, TemplateVersion
from sms.sample import Sample

ADVISED = 450  # characters that the provider advises to stay below
LONGEST = 20_000  # characters looked at; no service takes as many
STEPS = 300  # rows that can be stepped through
_LINK = re.compile(r"https://[^\s<>\"]+")
_SMARTLINK = re.compile(r"\{\{smartlink_\d+\}\}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Written:
    """What the page holds now; `at` is the step, from 0."""

    service: Service
    text: str
    version: TemplateVersion | None = None
    by_provider: bool = False  # a template whose text only the provider has
    fillings: Mapping[str, content.Filling] = field(default_factory=dict)
    sender: Sender | None = None
    domain: ShortLinkDomain | None = None
    at: int = 0

    @property
    def words(self) -> str:
        """The text with its placeholders, of the template where there is one."""
        return (self.version.text if self.version else self.text)[:LONGEST]


@dataclass(frozen=True, slots=True)
class Bit:
    """A run of the text on the phone. `kind` is text, value, hole, culprit, link or break; `says` explains it."""

    kind: str
    shown: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class Phone:
    """One row on the phone. `row` is 0 where no row is known yet; segments from the fewest to the most."""

    row: int
    msisdn: str
    bits: Sequence[Bit]
    encoding: str
    characters: int
    room: int
    least: int
    most: int
    unfilled: Sequence[str]


@dataclass(frozen=True, slots=True)
class Odd:
    """A character that makes the text Unicode: how often it stands there, and what could stand instead. `column` is where it came from."""

    char: str
    name: str
    code: str
    instead: str
    removable: bool
    count: int
    column: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """Segments over all rows. Where not `exact`, worst is at least that, and the others are estimated from `looked_at` rows."""

    rows: int
    worst: int
    typical: int
    least: int
    most: int
    exact: bool
    looked_at: int
    unicode: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """All that the page shows beside the text."""

    phone: Phone | None
    at: int
    steps: int
    totals: Totals | None
    odd: Sequence[Odd]
    replaced: str
    saves: int
    hints: Sequence[str]
    unfilled: Sequence[str]
    refused: Sequence[tuple[Sender, str]]
    doubted: Sequence[tuple[Sender, str]]


def look(written: Written, sample: Sample, *, offered: Iterable[Sender] = ()) -> Preview:
    """`offered` are the senders that could be chosen; those that a country of the sample does not take are named with the reason."""
    rows = _filled(written, sample)
    ordered = sorted(rows, key=lambda one: (-one[2], -len(one[1]), one[0].row if one[0] else 0))[:STEPS]
    at = min(max(written.at, 0), max(len(ordered) - 1, 0))
    phone = _phone(written, sample, ordered[at][0] if ordered else None) if written.words else None
    refused, doubted = _senders(offered, sample)
    odd = _odd(written, phone)
    plain = text.to_gsm7(written.text[:LONGEST])
    return Preview(
        phone=phone,
        at=at,
        steps=len(ordered),
        totals=_totals(rows, sample) if written.words and rows else None,
        odd=odd,
        replaced=plain if plain != written.text[:LONGEST] and written.version is None else "",
        saves=text.segments(written.text[:LONGEST]).count - text.segments(plain).count,
        hints=_hints(written, ordered),
        unfilled=[way.name for way in _ways(written, sample) if not way.heading and not way.fallback],
        refused=refused,
        doubted=doubted,
    )


# --- rows ---------------------------------------------------------------------------------------------------------------

_Row = tuple[Recipient, str, int, int]  # with its text, and the fewest and most segments of it


def _filled(written: Written, sample: Sample) -> list[_Row]:
    """Every row of the sample with its text. Holes without a value stay in it, as they count then."""
    words, host = written.words, str(written.domain) if written.domain else ""
    if not words:
        return [(one, "", 0, 0) for one in sample.rows]
    ways = _ways(written, sample)
    found = []
    for one in sample.rows:
        made = text.render(words, substitutions=_values(one, ways, keep=True))
        least, most = lengths.span(made, host)
        found.append((one, made, most, least))
    return found


def _columns(written: Written, sample: Sample) -> dict[str, str]:
    names = text.placeholders(written.words)
    there = Audience(list(sample.headings), sample.column, [], [])
    return content.columns(names, there, written.fillings)[0] if names else {}


@dataclass(frozen=True, slots=True)
class Hole:
    """A placeholder of the text, how it is filled, and what somebody chose for it."""

    name: str
    heading: str
    fallback: str
    chosen: content.Filling


def holes(written: Written, sample: Sample) -> list[Hole]:
    """In the order of the text."""
    chosen = {text.match_key(name): one for name, one in written.fillings.items()}
    return [
        Hole(way.name, way.heading, way.fallback, chosen.get(text.match_key(way.name), content.Filling()))
        for way in _ways(written, sample)
    ]


@dataclass(frozen=True, slots=True)
class _Way:
    """How a placeholder is filled: by which column ("" for none), whether that is the number's, and what stands in for nothing."""

    name: str
    heading: str
    is_number: bool
    fallback: str


def _ways(written: Written, sample: Sample) -> list[_Way]:
    columns, holes = _columns(written, sample), templates.holes_by_key(written.version)
    own = {text.match_key(name): one for name, one in content.fallbacks(written.fillings).items()}
    found = []
    for name in text.placeholders(written.words):
        heading, hole = columns.get(name, ""), holes.get(text.match_key(name))
        is_number = bool(heading) and heading == sample.column
        fallback = own.get(text.match_key(name)) or (hole.fallback if hole else "")
        found.append(_Way(name, heading, is_number, fallback))
    return found


def _values(one: Recipient, ways: Sequence[_Way], *, keep: bool = False) -> dict[str, str]:
    """By placeholder. With `keep`, one without a value stands for itself."""
    found = {}
    for way in ways:
        value = one.msisdn if way.is_number else one.substitutions.get(way.heading, "")
        if value := value or way.fallback:
            found[way.name] = value
        elif keep:
            found[way.name] = f"$({way.name})"
    return found


def _totals(rows: Sequence[_Row], sample: Sample) -> Totals:
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


def count(written: Written, sample: Sample, rows: Iterable[Recipient]) -> Totals:
    """The same figures over every row, however long that takes."""
    words, host = written.words, str(written.domain) if written.domain else ""
    ways = _ways(written, sample)
    counts: dict[int, int] = {}
    least = most = number = 0
    for one in rows:
        made = text.render(words, substitutions=_values(one, ways, keep=True))
        low, high = lengths.span(made, host)
        counts[high] = counts.get(high, 0) + 1
        least, most, number = least + low, most + high, number + 1
    middle, typical = number // 2, 0
    for size in sorted(counts):
        if middle < counts[size]:
            typical = size
            break
        middle -= counts[size]
    return Totals(number, max(counts, default=0), typical, least, most, exact=True, looked_at=number)


# --- the phone ----------------------------------------------------------------------------------------------------------


def _phone(written: Written, sample: Sample, one: Recipient | None) -> Phone:
    words, host = written.words, str(written.domain) if written.domain else ""
    values = {} if one is None else _values(one, _ways(written, sample))
    pieces = text.filled(words, substitutions=values)
    made = "".join(piece.text for piece in pieces)
    shown, marks = _shortened(made, host)
    judged = text.segments(shown)
    least, most = lengths.span(made, host)
    bits = list(_bits(shown, pieces, marks, moved=shown != made))
    return Phone(
        row=one.row if one else 0,
        msisdn=one.msisdn if one else "",
        bits=bits,
        encoding=judged.encoding,
        characters=judged.units,
        room=judged.room,
        least=least,
        most=most,
        unfilled=[piece.name for piece in pieces if piece.value is None],
    )


def _shortened(made: str, host: str) -> tuple[str, list[tuple[int, int, str]]]:
    """The text as Webex Connect makes it, and where its links stand: start, end, and what they stand for."""
    found: list[tuple[int, int, str]] = []
    parts: list[str] = []
    end = size = 0
    patterns = list(_LINK.finditer(made)) if host else []
    for match in sorted([*patterns, *_SMARTLINK.finditer(made)], key=lambda one: one.start()):
        if match.start() < end:
            continue
        link = f"https://{host}/xxxxxx" if match[0].startswith("https") else match[0]
        parts += made[end : match.start()], link
        size += match.start() - end
        says = (
            f"Webex Connect makes a link like this of {match[0]}"
            if host and link != match[0]
            else "Webex Connect puts the smartlink here; its clicks cannot be measured"
        )
        found.append((size, size + len(link), says))
        size += len(link)
        end = match.end()
    return "".join([*parts, made[end:]]), found


def _bits(
    shown: str, pieces: Sequence[text.Piece], links: Sequence[tuple[int, int, str]], *, moved: bool
) -> Iterator[Bit]:
    """The text cut wherever something begins or ends. Where links were replaced, values are not marked behind the first of them."""
    kinds: dict[int, tuple[int, str, str]] = {}
    at = 0
    for piece in pieces:
        end = at + len(piece.text)
        if piece.name and (not moved or not links or end <= links[0][0]):
            kind = "hole" if piece.value is None else "value"
            says = f"Nothing fills $({piece.name})" if piece.value is None else f"From $({piece.name})"
            kinds[at] = (end, kind, says)
        at = end
    for begin, end, says in links:
        kinds[begin] = (end, "link", says)
    odd = {one.index: one for one in text.culprits(shown)}
    cuts = set(text.breaks(shown))
    at, segment = 0, 1
    stretch = (0, "text", "")
    buffer: list[str] = []

    def flush() -> Iterator[Bit]:
        if buffer:
            yield Bit(stretch[1], "".join(buffer), stretch[2])
            buffer.clear()

    for index, char in enumerate(shown):
        if index >= stretch[0] and stretch[1] != "text":
            yield from flush()
            stretch = (0, "text", "")
        if index in kinds:
            yield from flush()
            stretch = kinds[index]
        if index in cuts:
            segment += 1
            yield from flush()
            yield Bit("break", str(segment), f"Segment {segment} begins here")
        if index in odd:
            yield from flush()
            yield Bit("culprit", char, _about(odd[index]))
            continue
        buffer.append(char)
    yield from flush()


def _about(one: text.Culprit) -> str:
    instead = f", could be “{one.suggestion}”" if one.suggestion else ", could go" if one.remove else ""
    return f"{one.name.capitalize()}, U+{ord(one.char):04X}, needs Unicode{instead}"


def _odd(written: Written, phone: Phone | None) -> list[Odd]:
    """What makes the text Unicode, each character once; then what only this row's values bring."""
    found: dict[str, Odd] = {}
    counts: dict[str, int] = {}
    for one in text.culprits(written.words):
        counts[one.char] = counts.get(one.char, 0) + 1
        found.setdefault(one.char, _of_culprit(one, column=""))
    for bit in phone.bits if phone else ():
        if bit.kind == "culprit" and bit.shown not in found:
            found[bit.shown] = _of_culprit(text.culprits(bit.shown)[0], column="this row")
    return [
        Odd(one.char, one.name, one.code, one.instead, one.removable, counts.get(char, 1), one.column)
        for char, one in found.items()
    ]


def _of_culprit(one: text.Culprit, *, column: str) -> Odd:
    return Odd(
        one.char, one.name.capitalize(), f"U+{ord(one.char):04X}", one.suggestion, one.remove, 1, column
    )


# --- what a colleague would say -----------------------------------------------------------------------------------------


def _hints(written: Written, rows: Sequence[_Row]) -> list[str]:
    words = written.words
    if written.by_provider:
        return ["The provider's template makes the text, so nothing can be said of it here."]
    if not words.strip():
        return []
    found = [*lint.unknown(words), *(one.text for one in lint.lint(words))]
    if _SMARTLINK.search(words):
        found.append("Smartlinks give no click receipts, so their clicks cannot be measured.")
    links = _LINK.search(words)
    if written.domain is not None and links:
        found.append(
            f"Some operators filter short links without notice, also those on {written.domain}."
            if not written.domain.is_shared
            else f"{written.domain} is shared with other senders, and some operators filter it. A domain of your own is filtered less."
        )
        found += content.doubts(written.domain)
    elif written.domain is not None and not _SMARTLINK.search(words):
        found.append(f"There is no https:// link in the text, so {written.domain} is not used.")
    longest = max((len(one[1]) for one in rows), default=len(words))
    if longest > ADVISED:
        found.append(
            f"The longest text has {longest:,} characters; Webex Connect advises to stay below {ADVISED}."
        )
    if longest > written.service.text_limit:
        found.append(
            f"{longest:,} characters are too many: this service allows {written.service.text_limit:,}. Such rows are left out."
        )
    return found


def _senders(
    offered: Iterable[Sender], sample: Sample
) -> tuple[list[tuple[Sender, str]], list[tuple[Sender, str]]]:
    """Senders that a country of the audience refuses, and those that it may."""
    refused: list[tuple[Sender, str]] = []
    doubted: list[tuple[Sender, str]] = []
    for sender in offered:
        for country, number in sorted(sample.countries.items(), key=lambda one: -one[1]):
            judged = senders.judge(sender, country)
            where = f"{number:,} to {country}: {judged.text}"
            if judged.level == senders.Level.REFUSED:
                refused.append((sender, where))
                break
            if judged.level == senders.Level.WARNING:
                doubted.append((sender, where))
                break
    return refused, doubted
