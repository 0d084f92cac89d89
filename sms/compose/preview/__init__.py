"""What a text becomes while somebody writes it: on a phone, row by row, and over all rows. Stores nothing, refuses nothing.

`look` is asked at every key, so it looks at a sample (`sms.audiences.sample`) and says where its figures are an estimate;
`count` goes over every
row, and `totals_of_all` takes what a draft's check found. What nothing fills is shown as a hole; whether that makes a send is for
`sms.compose` to say. Called by the compose page.

    shapes   what goes in and comes out     rows    real rows with their texts
    phone    one of them, marked            hints   what a careful colleague would say
"""

from collections.abc import Iterable

from sms.audiences.sample import AudienceSample
from sms.compose.preview.hints import hints_of, senders_of
from sms.compose.preview.phone import odd_of, phone_of
from sms.compose.preview.rows import (
    count,
    filled_rows,
    placeholder_previews,
    sources_of,
    totals_of,
    totals_of_all,
)
from sms.compose.preview.shapes import (
    LONGEST,
    Bit,
    DraftText,
    Odd,
    Phone,
    PlaceholderPreview,
    Preview,
    Totals,
)
from sms.models import Sender
from sms.values import text

__all__ = [
    "Bit",
    "DraftText",
    "Odd",
    "Phone",
    "PlaceholderPreview",
    "Preview",
    "Totals",
    "count",
    "look",
    "placeholder_previews",
    "totals_of_all",
]

STEPS = 300  # rows that can be stepped through


def look(written: DraftText, sample: AudienceSample, *, offered: Iterable[Sender] = ()) -> Preview:
    """`offered` are the senders that could be chosen; those that a country of the sample does not take are named with the reason."""
    rows = filled_rows(written, sample)
    ordered = sorted(rows, key=lambda one: (-one[2], -len(one[1]), one[0].row if one[0] else 0))[:STEPS]
    at = min(max(written.at, 0), max(len(ordered) - 1, 0))
    phone = phone_of(written, sample, ordered[at][0] if ordered else None) if written.words else None
    refused, doubted = senders_of(offered, sample)
    odd = odd_of(written, phone)
    plain = text.to_gsm7(written.text[:LONGEST])
    return Preview(
        phone=phone,
        at=at,
        steps=len(ordered),
        totals=totals_of(rows, sample) if written.words and rows else None,
        odd=odd,
        replaced=plain if plain != written.text[:LONGEST] and written.version is None else "",
        saves=text.segments(written.text[:LONGEST]).count - text.segments(plain).count,
        hints=hints_of(written, ordered),
        unfilled=[way.name for way in sources_of(written, sample) if not way.heading and not way.fallback],
        refused=refused,
        doubted=doubted,
    )
