"""Opt-outs as CSV: who must not be written to, since when, how we know, and who lifted what."""

from collections.abc import Iterator

from django.db.models import QuerySet

from sms.models import OptOut
from sms.values.csv import MARK, csv_line

HEADINGS = (
    *("number", "since", "source", "evidence", "recorded by"),
    *("answering send", "lifted at", "lifted by", "lifted because"),
)


def csv_of(rows: "QuerySet[OptOut]") -> Iterator[str]:
    """Lines for a streaming response, oldest first. Times are UTC; no cell begins a formula."""
    yield MARK + csv_line(*HEADINGS)
    for one in rows.select_related("send").order_by("pk").iterator(chunk_size=2000):
        yield csv_line(
            one.msisdn,
            one.at.isoformat(timespec="seconds"),
            one.source,
            one.evidence,
            one.by,
            one.send.name if one.send else "",
            one.lifted_at.isoformat(timespec="seconds") if one.lifted_at else "",
            one.lifted_by,
            one.lifted_because,
        )
