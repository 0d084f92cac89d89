"""One row as a phone shows it, cut wherever something begins or ends, and the characters that make it Unicode."""

from collections.abc import Iterator, Sequence

from sms.audiences.files import Recipient
from sms.audiences.sample import AudienceSample
from sms.compose.preview.rows import resolved_placeholders, values_of
from sms.compose.preview.shapes import Bit, DraftText, Odd, Phone
from sms.values import link_lengths, text
from sms.values.link_lengths import LINK, SMARTLINK


def phone_of(written: DraftText, sample: AudienceSample, one: Recipient | None) -> Phone:
    """The text of row `one`; with its placeholders where no row is known yet."""
    words, host = written.words, str(written.domain) if written.domain else ""
    values = {} if one is None else values_of(one, resolved_placeholders(written, sample))
    pieces = text.filled(words, substitutions=values)
    made = "".join(piece.text for piece in pieces)
    shown, marks = _shortened(made, host)
    judged = text.segments(shown)
    least, most = link_lengths.span(made, host)
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
    """The text as Webex Connect makes it, and where its links are: start, end, and what they stand for."""
    found: list[tuple[int, int, str]] = []
    parts: list[str] = []
    end = size = 0
    patterns = list(LINK.finditer(made)) if host else []
    for match in sorted([*patterns, *SMARTLINK.finditer(made)], key=lambda one: one.start()):
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
    shown: str, pieces: Sequence[text.TextPiece], links: Sequence[tuple[int, int, str]], *, moved: bool
) -> Iterator[Bit]:
    """The text cut wherever something begins or ends. Where links were replaced, values are not marked behind the first of them."""
    kinds: dict[int, tuple[int, str, str]] = {}
    at = 0
    for piece in pieces:
        end = at + len(piece.text)
        if piece.name and (not moved or not links or end <= links[0][0]):
            kind = "placeholder" if piece.value is None else "value"
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


def odd_of(written: DraftText, phone: Phone | None) -> list[Odd]:
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
