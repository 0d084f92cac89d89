"""What became of each row of a send: its message, in the ledger or in an archive, or the reason why it has none."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from heapq import merge
from typing import Any

from sms.audiences.files import Recipient, RejectedRow
from sms.compliance import archive
from sms.ledger.state_machine import CONFLICT
from sms.models import Click, Message, Price, Reject, Send
from sms.models.message import NOT_POSTED
from sms.models.paging import pages
from sms.models.sql.id_list import among
from sms.values.problems import ProblemCode
from sms.webex import codes

AT_ONCE = 2000
LEFT_OUT, NO_MESSAGE, INCOMPLETE = "left out", "no message", "not complete"
HUMAN = "human"


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """`number` is what the message went to, or what stood in a row that was left out. None where a figure cannot be known."""

    row: int
    number: str
    state: str
    posted_at: datetime | None = None
    ended_at: datetime | None = None
    code: str = ""
    meaning: str = ""
    segments: int | None = None
    cost: Decimal | None = None
    currency: str = ""
    clicks: int | None = None
    provider_id: str = ""
    correlation_id: str = ""
    reference: str = ""
    carrier: str = ""
    values: dict[str, Any] | None = None  # of a message, which it keeps itself


def messages_of(send: Send) -> Iterator[RowOutcome]:
    """In the order in which they were made. An archive that cannot be read is a last one that says so."""
    problems = list[str]()
    old = _readable(archive.every(send.service, send=send), problems) if archive.has(send.service) else ()
    prices = _prices(send)
    both: Iterator[tuple[Any, int]] = merge(_in_ledger(send), _in_archives(old), key=lambda pair: pair[0].id)
    for one, clicks in both:
        yield _of_message(one, send, prices, clicks)
    for problem in problems:
        yield RowOutcome(0, "", INCOMPLETE, meaning=problem)


def rejects_of(send: Send) -> Iterator[RowOutcome]:
    """In the order in which they were found. Retention may have deleted some."""
    for page in pages(Reject.objects.filter(send=send), AT_ONCE):
        for bad in page:
            code = ProblemCode(bad.code)
            said = {"code": code.value, "meaning": bad.reason, "reference": bad.reference}
            yield RowOutcome(bad.row, bad.value, LEFT_OUT, **said)


def without_message(row: Recipient | RejectedRow) -> RowOutcome:
    """Of a row of which nothing is stored: the send was cancelled before, or its left-out rows were deleted since."""
    if isinstance(row, RejectedRow):
        return RowOutcome(row.row, row.value[:200], LEFT_OUT, code=row.code.value, meaning=row.reason)
    return RowOutcome(row.row, row.msisdn, NO_MESSAGE, meaning="No message is stored for this row.")


def _of_message(one: Any, send: Send, prices: Callable[[str], Price | None], clicks: int) -> RowOutcome:
    segments = one.segments_billed or one.segments or None
    posted = one.posted_at is not None and one.state not in NOT_POSTED
    price = prices(one.country) if posted and segments and not send.simulated else None
    return RowOutcome(
        row=one.row,
        number=one.msisdn,
        state=one.state,
        posted_at=one.posted_at,
        ended_at=one.final_at,
        code=one.code,
        meaning=_meaning(one.code, one.detail),
        segments=segments,
        cost=price.amount * segments if price is not None and segments else None,
        currency=price.currency if price is not None else "",
        clicks=clicks if send.tracks_clicks else None,
        provider_id=one.provider_id,
        correlation_id=one.partner_correlation_id,
        reference=one.partner_reference,
        carrier=one.carrier,
        values=one.substitutions or None,
    )


def _meaning(code: str, detail: str) -> str:
    """As the page of the send says it. What the provider wrote counts where its code is in no document."""
    if (known := codes.CODES.get(code)) and not detail.startswith(CONFLICT):
        return known.meaning
    return detail or (codes.lookup(code).meaning if code else "")


def _in_ledger(send: Send) -> Iterator[tuple[Message, int]]:
    rows = Message.objects.filter(send=send).select_related("echo").defer("text")
    for page in pages(rows, AT_ONCE):
        clicks = _clicks([one.pk for one in page]) if send.tracks_clicks else Counter[int]()
        for one in page:
            yield one, clicks[one.pk]


def _clicks(message_ids: Sequence[int]) -> "Counter[int]":
    """By message, those of people."""
    rows = Click.objects.filter(message_id__in=among(message_ids), verdict=HUMAN)
    return Counter(rows.values_list("message_id", flat=True))


def _in_archives(
    rows: Iterable[archive.ArchivedMessage],
) -> Iterator[tuple[archive.ArchivedMessage, int]]:
    for one in rows:
        yield one, sum(1 for got in one.receipts if got.click is not None and got.click.verdict == HUMAN)


def _readable(
    rows: Iterator[archive.ArchivedMessage], problems: list[str]
) -> Iterator[archive.ArchivedMessage]:
    """What archives hold, up to one that cannot be read."""
    try:
        yield from rows
    except archive.ArchiveError as problem:
        problems.append(str(problem))


def _prices(send: Send) -> Callable[[str], Price | None]:
    """Today's price of a segment by country, for this kind of sender, else for any."""
    kind = send.sender.kind if send.sender is not None else ""
    rows = Price.objects.filter(service=send.service, sender_kind__in={"", kind}).order_by("sender_kind")
    by_country = {row.country: row for row in rows}  # "" comes first, so that the kind's own one stays
    return by_country.get
