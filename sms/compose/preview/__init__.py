"""What a text becomes while it is written: on a phone, row by row, and over all rows. Stores nothing, refuses nothing.

`preview_of` is called at every key, so it reads a sample (`sms.audiences.sample`) and says where its figures are an estimate; `count` reads
every row, and `totals_of_all` takes what a draft's check found. What nothing fills is marked; whether that can be sent is decided by
`sms.compose.checks`. Called by the compose page.

    shapes   what goes in and comes out     rows    real rows with their texts
    phone    one of them, marked            hints   advice about the text
"""

from collections.abc import Iterable

from sms.audiences.sample import AudienceSample
from sms.compose.preview.hints import hints_of, senders_of
from sms.compose.preview.phone import odd_of, phone_of
from sms.compose.preview.rows import (
    count,
    filled_rows,
    placeholder_previews,
    resolved_placeholders,
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
    "placeholder_previews",
    "preview_of",
    "totals_of_all",
]

STEPS = 300  # rows that can be stepped through


def preview_of(written: DraftText, sample: AudienceSample, *, offered: Iterable[Sender] = ()) -> Preview:
    """`offered` are the senders that could be chosen; those that a country of the sample does not take are named with the reason."""
    rows = filled_rows(written, sample)
    ordered = sorted(rows, key=lambda one: (-one.most, -len(one.text), one.recipient.row))[:STEPS]
    at = min(max(written.at, 0), max(len(ordered) - 1, 0))
    phone = phone_of(written, sample, ordered[at].recipient if ordered else None) if written.words else None
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
        unfilled=[
            one.name for one in resolved_placeholders(written, sample) if not one.heading and not one.fallback
        ],
        refused=refused,
        doubted=doubted,
    )
