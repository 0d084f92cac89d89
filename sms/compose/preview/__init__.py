"""What a text becomes while it is written: on a phone, row by row, and over all rows. Stores nothing, and decides nothing of its own.

`preview_of` is called at every key, so it reads a sample (`sms.audiences.sample`), makes its messages by the `Composer` that also makes
those that are sent, and says where figures are an estimate. `totals_of_all` takes what a draft's check found. Called by the compose page.

    shapes   what comes out         rows    the rows of the sample as messages
    phone    one of them, marked    hints   advice about the text
"""

from collections.abc import Iterable

from sms.audiences.sample import AudienceSample
from sms.compose.preview.hints import hints_of, senders_of
from sms.compose.preview.phone import odd_of, phone_of
from sms.compose.preview.rows import sampled_rows, totals_of, totals_of_all
from sms.compose.preview.shapes import Bit, Odd, Phone, Preview, Totals
from sms.compose.resolved_order import ResolvedOrder
from sms.models import Sender
from sms.values import text
from sms.words import retold

LONGEST = 20_000  # characters that are previewed; no service takes as many
STEPS = 300  # rows that can be stepped through
REFUSED = 8  # rows left out that are shown


def preview_of(
    order: ResolvedOrder, sample: AudienceSample, *, at: int = 0, offered: Iterable[Sender] = ()
) -> Preview:
    """The order's audience is the sample. `at` is the row that is shown, from 0, the longest first; `offered` are the senders that
    could be chosen: those that a country of the sample does not take are named with the reason."""
    rows = sampled_rows(order, sample)
    steps = rows.in_steps()[:STEPS]
    at = min(max(at, 0), max(len(steps) - 1, 0))
    phone = None
    if order.text:
        row, refused = steps[at] if steps else (0, "")
        found = next((one for one in sample.rows if one.row == row), None) if steps else None
        phone = phone_of(order, found, refused=retold(refused))
    refused_senders, doubted = senders_of(offered, sample)
    plain = text.to_gsm7(order.content)
    return Preview(
        phone=phone,
        at=at,
        steps=len(steps),
        figures=rows.figures,
        totals=totals_of(rows, sample) if order.text else None,
        refused_rows=sorted([*sample.bad, *rows.rejects], key=lambda one: one.row)[:REFUSED],
        odd=odd_of(order.text, phone),
        replaced=plain if plain != order.content and order.template is None else "",
        saves=text.segments(order.content).count - text.segments(plain).count,
        hints=hints_of(order, rows.figures),
        refused=refused_senders,
        doubted=doubted,
    )
