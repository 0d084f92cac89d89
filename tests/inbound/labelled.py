"""Reads `labelled.csv`: messages with their clicks and who made them."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from sms.inbound.clicks.verdicts import ClickVisit

FILE = Path(__file__).with_name("labelled.csv")
START = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


class Labelled(NamedTuple):
    """One message; `truths` and `hows` go with `visits`."""

    posted_at: datetime
    delivered_at: datetime | None
    visits: list[ClickVisit]
    truths: list[str]
    hows: list[str]


def _moment(seconds: str) -> datetime | None:
    return START + timedelta(seconds=float(seconds)) if seconds else None


def messages() -> Iterator[Labelled]:
    """In the order of the file, whose lines of one message stand together."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        for _, group in groupby(csv.DictReader(lines), key=lambda row: row["message"]):
            rows = list(group)
            yield Labelled(
                posted_at=_moment(rows[0]["posted"]),
                delivered_at=_moment(rows[0]["delivered"]),
                visits=[ClickVisit(_moment(row["at"]), row["url"], row["ip"], row["agent"]) for row in rows],
                truths=[row["truth"] for row in rows],
                hows=[row["how"] for row in rows],
            )
