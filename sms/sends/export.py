"""A send's messages as CSV, those in archives among them. Called by the send page; it contains whole numbers."""

from collections.abc import Iterator
from datetime import datetime
from heapq import merge
from itertools import chain
from operator import attrgetter
from typing import Any

from sms.compliance import archive
from sms.models import Message, Send
from sms.models.paging import pages
from sms.values.csv import MARK, csv_line
from sms.values.msisdn.hidden import is_hidden
from sms.webex import codes

HEADINGS = (
    *("row", "number", "state", "code", "what it means"),
    *("provider id", "correlation id", "carrier", "segments", "posted", "ended"),
)
AT_ONCE = 2000


def csv_of(send: Send) -> Iterator[str]:
    """Lines for a streaming response, in order of id. Times are UTC. A number that is kept no longer is empty."""
    yield MARK + csv_line(*HEADINGS)
    problems = list[str]()
    old = archive.every(send.service, send=send) if archive.has(send.service) else iter(())
    rows = Message.objects.filter(send=send).select_related("echo").defer("text", "substitutions")
    here = chain.from_iterable(pages(rows, AT_ONCE))
    both: Iterator[Any] = merge(here, _readable(old, problems), key=attrgetter("id"))
    for one in both:
        meaning = codes.lookup(one.code).meaning if one.code else ""
        yield csv_line(
            str(one.row),
            "" if is_hidden(one.msisdn) else one.msisdn,
            one.state,
            one.code,
            one.detail or meaning,
            one.provider_id,
            one.partner_correlation_id,
            one.carrier,
            str(one.segments_billed or one.segments or ""),
            _time(one.posted_at),
            _time(one.final_at),
        )
    for problem in problems:
        yield csv_line("", "", "not complete", "", problem)


def _readable(
    rows: Iterator[archive.ArchivedMessage], problems: list[str]
) -> Iterator[archive.ArchivedMessage]:
    """What archives hold, up to one that cannot be read."""
    try:
        yield from rows
    except archive.ArchiveError as problem:
        problems.append(str(problem))


def _time(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
