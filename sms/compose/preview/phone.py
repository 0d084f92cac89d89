"""One row as a phone shows it, cut wherever something begins or ends, and the characters that make it Unicode."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from sms.audiences.files import Recipient
from sms.catalogue import link_lengths
from sms.catalogue.link_lengths import ShownLink
from sms.compose.lines import Composer
from sms.compose.preview.shapes import Bit, Odd, Phone
from sms.compose.resolved_order import ResolvedOrder
from sms.values import text
from sms.values.msisdn.mention import starred


def phone_of(order: ResolvedOrder, one: Recipient | None, *, refused: str = "") -> Phone:
    """The text of row `one`, with its placeholders where no row is known yet; `refused` is why it is left out."""
    host = order.link_host
    values = {} if one is None else Composer(order).values(one)
    values = {name: starred(value, one.msisdn if one else "") for name, value in values.items()}
    pieces = text.filled(order.text, substitutions=values)
    made = "".join(piece.text for piece in pieces)
    shown, links = link_lengths.shortened(made, host)
    judged = text.segments(shown)
    least, most = link_lengths.span(made, host)
    return Phone(
        row=one.row if one else 0,
        msisdn=one.msisdn if one else "",
        bits=list(_bits(shown, pieces, links, moved=shown != made)),
        encoding=judged.encoding,
        characters=judged.units,
        room=judged.room,
        least=least,
        most=most,
        refused=refused,
    )


def _bits(
    shown: str, pieces: Sequence[text.TextPiece], links: Sequence[ShownLink], *, moved: bool
) -> Iterator[Bit]:
    """The text cut wherever something begins or ends. Where links were replaced, values are not marked behind the first of them."""
    kinds: dict[int, tuple[int, str, str]] = {}
    at = 0
    for piece in pieces:
        end = at + len(piece.text)
        if piece.name and (not moved or not links or end <= links[0].start):
            kind = "placeholder" if piece.value is None else "value"
            says = _("Nothing fills $(%(name)s)") if piece.value is None else _("From $(%(name)s)")
            kinds[at] = (end, kind, says % {"name": piece.name})
        at = end
    for link in links:
        says = _("Webex Connect puts the smartlink here; its clicks cannot be measured")
        if not link.is_smartlink:
            says = _("Webex Connect makes a link like this of %(link)s") % {"link": link.written}
        kinds[link.start] = (link.end, "link", says)
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
            says = _("Segment %(n)s begins here") % {"n": segment}
            yield Bit("break", str(segment), says)
        if index in odd:
            yield from flush()
            yield Bit("culprit", char, _about(odd[index]))
            continue
        buffer.append(char)
    yield from flush()


def _about(one: text.Culprit) -> str:
    if one.suggestion:
        says = _("%(character)s, %(code)s, needs Unicode, could be “%(instead)s”")
    else:
        says = (
            _("%(character)s, %(code)s, needs Unicode, could go")
            if one.remove
            else _("%(character)s, %(code)s, needs Unicode")
        )
    return says % {
        "character": one.name.capitalize(),
        "code": f"U+{ord(one.char):04X}",
        "instead": one.suggestion,
    }


def odd_of(written: str, phone: Phone | None) -> list[Odd]:
    """What makes the text Unicode, each character once; then what only this row's values bring."""
    found: dict[str, Odd] = {}
    counts: dict[str, int] = {}
    for one in text.culprits(written):
        counts[one.char] = counts.get(one.char, 0) + 1
        found.setdefault(one.char, _of_culprit(one, column=""))
    for bit in phone.bits if phone else ():
        if bit.kind == "culprit" and bit.shown not in found:
            found[bit.shown] = _of_culprit(text.culprits(bit.shown)[0], column=_("this row"))
    return [
        Odd(one.char, one.name, one.code, one.instead, one.removable, counts.get(char, 1), one.column)
        for char, one in found.items()
    ]


def _of_culprit(one: text.Culprit, *, column: str) -> Odd:
    return Odd(
        one.char, one.name.capitalize(), f"U+{ord(one.char):04X}", one.suggestion, one.remove, 1, column
    )
