"""Receipts once more: those set aside after a fix, any of the past, and those that the provider exports as a file."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db.models import Max, Min
from django.utils import timezone

from sms.inbound.receipts.inbox import insert
from sms.inbound.receipts.incoming import Incoming
from sms.models import Receipt, ReceiptInbox, Service
from sms.values import correlation_id
from sms.webex.values import moment

CHUNK = 500
SKEW = timedelta(
    minutes=30
)  # by which receipts may be older than those stored before them, on a spool even more
QUARANTINE = (ReceiptInbox.Why.UNREADABLE, ReceiptInbox.Why.BROKE)
LARGEST_FILE = 100_000_000  # bytes
WRONG_ROWS_SHOWN = 20
SLASHED = re.compile(
    r"\b(\d{1,2})[/.-](\d{1,2})[/.-]\d{4} ", re.ASCII
)  # a date that does not begin with its year


def retry(service: Service, receipt_id: int | None = None, *, now: datetime | None = None) -> int:
    """Have what was set aside or not matched applied again, one or all; returns how many."""
    rows = ReceiptInbox.objects.filter(receipt__service=service).exclude(why=ReceiptInbox.Why.NEW)
    if receipt_id is not None:
        rows = rows.filter(pk=receipt_id)
    ids = list(rows.values_list("pk", flat=True))
    return (
        ReceiptInbox.objects.filter(pk__in=ids)
        .exclude(why=ReceiptInbox.Why.NEW)
        .update(why=ReceiptInbox.Why.NEW, reason="", tries=0, next_at=now or timezone.now())
    )


def replay(service: Service, *, since: datetime, until: datetime, batch: int = 1000) -> Iterator[int]:
    """Put stored receipts into the inbox again, in order, and tell after each batch how many; folding is forward only.

    May be stopped and started again at any time.
    """
    last_id = _before(since)
    while True:
        rows = Receipt.objects.filter(
            service=service, pk__gt=last_id, received_at__gte=since, received_at__lt=until
        )
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[:batch])
        if not ids:
            return
        last_id = ids[-1]
        now = timezone.now()
        ReceiptInbox.objects.bulk_create(
            (ReceiptInbox(receipt_id=pk, next_at=now) for pk in ids), ignore_conflicts=True
        )
        ReceiptInbox.objects.filter(pk__in=ids).exclude(why=ReceiptInbox.Why.NEW).update(
            why=ReceiptInbox.Why.NEW, reason="", tries=0, next_at=now
        )
        yield len(ids)


def how_many(service: Service, *, since: datetime, most: int) -> int:
    """Receipts since then, counted up to `most`."""
    rows = Receipt.objects.filter(service=service, pk__gt=_before(since), received_at__gte=since)
    return rows[:most].count()


def _before(moment: datetime) -> int:
    """An id below all that were received since: found by halving, since ids grow with time, and no index is kept for this."""
    moment -= SKEW
    bounds = Receipt.objects.aggregate(least=Min("pk"), most=Max("pk"))
    low, high = (bounds["least"] or 1) - 1, bounds["most"] or 0
    while low < high:
        middle = (low + high + 1) // 2
        received = Receipt.objects.filter(pk__gte=middle).order_by("pk").values_list("received_at", flat=True)
        at = received.first()
        if at is not None and at < moment:
            low = middle
        else:
            high = middle - 1
    return low


class NotAnExport(ValueError):
    """A file that is no export of receipts; the text says what is missing."""


@dataclass(slots=True)
class Imported:
    """What became of a file's rows. `wrong`: the first few with their reasons."""

    rows: int = 0
    new: int = 0
    known: int = 0
    refused: int = 0
    wrong: list[tuple[int, str]] = field(default_factory=list)


# A receipt's field by the spellings of its column: those of the notification, and those of the provider's logs.
COLUMNS = {
    "payload": ("payload", "requestpayload", "requestbody", "body"),
    "correlationid": ("correlationid", "corelationid", "correlation"),
    "transid": ("transid", "transactionid", "tid", "messageid"),
    "deliveryStatus": ("deliverystatus", "status"),
    "code": ("code", "statuscode", "errorcode", "deliverycode"),
    "Description": ("description", "statusdescription", "errordescription"),
    "timeStamp": ("timestamp", "deliverytime", "deliveredtime", "deliverytimestamp", "time", "date"),
    "destination": ("destination", "msisdn", "mobilenumber", "to", "recipient"),
    "messageCount": ("messagecount", "segments", "parts", "creditsused"),
    "carrier": ("carrier", "operator", "network"),
    "callbackData": ("callbackdata",),
    "additionalInfo": ("additionalinfo", "useragent"),
}
INFO = ("deliveryStatus", "code", "Description", "timeStamp", "destination", "messageCount", "additionalInfo")


def import_export(service: Service, content: bytes, *, now: datetime | None = None) -> Imported:
    """Store the rows of a provider's CSV export as receipts, which are then folded like any others. Raises NotAnExport.

    The same row twice, or in two files, is one receipt. What the endpoint took in already changes nothing, since a state only moves
    forward.
    """
    if len(content) > LARGEST_FILE:
        raise NotAnExport(f"The file is over {LARGEST_FILE // 1_000_000} MB. Export a shorter time.")
    found, batch, number = Imported(), [], 1
    try:
        places, day_first = _places(next(_rows(content), [])), _day_first(content)
        for number, row in enumerate(_rows(content), start=1):
            if number == 1 or not any(cell.strip() for cell in row):
                continue
            found.rows += 1
            cells = {name: row[at].strip() for name, at in places.items() if at < len(row)}
            reason = _refuse(cells) or _put_time_right(cells, day_first)
            if reason:
                found.refused += 1
                if len(found.wrong) < WRONG_ROWS_SHOWN:
                    found.wrong.append((number, reason))
                continue
            batch.append(_incoming(service, cells, now or timezone.now()))
            if len(batch) == CHUNK:
                _store(batch, found)
        _store(batch, found)
    except csv.Error as problem:
        _store(batch, found)
        before = f" The {found.rows} rows before it were imported." if found.rows else ""
        raise NotAnExport(f"Row {number + 1} is no CSV: {problem}.{before}") from None
    return found


def _rows(content: bytes) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(_text(content), newline=""), delimiter=_delimiter(content))


def _day_first(content: bytes) -> bool | None:
    """How 03/04/2026 is meant in this file: by a date in it that can be meant in one way only; None where none tells, or they differ."""
    firsts = {(int(first), int(second)) for first, second in SLASHED.findall(_text(content))}
    day, month = any(a > 12 for a, _ in firsts), any(b > 12 for _, b in firsts)
    return None if day == month else day


def _text(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "replace")


def _delimiter(content: bytes) -> str:
    first = _text(content[:20_000]).partition("\n")[0]
    return max(",;\t|", key=first.count)


def _places(head: list[str]) -> dict[str, int]:
    """Column numbers by the receipt's field."""
    written = ["".join(filter(str.isalnum, cell)).lower() for cell in head]
    places = {
        name: written.index(word)
        for name, words in COLUMNS.items()
        for word in [next((word for word in words if word in written), "")]
        if word
    }
    if "payload" in places:
        return places
    if not {"correlationid", "transid"} & set(places):
        raise NotAnExport("No column names the message. Export correlationid or transid with the receipts.")
    if not {"code", "deliveryStatus"} & set(places):
        raise NotAnExport("No column says what became of the message. Export code or deliveryStatus too.")
    return places


def _refuse(cells: dict[str, str]) -> str:
    if cells.get("payload"):
        return "" if cells["payload"].startswith("{") else "Its payload is no JSON."
    if not (cells.get("correlationid") or cells.get("transid")):
        return "It names no message."
    if not (cells.get("code") or cells.get("deliveryStatus")):
        return "It says neither code nor status."
    return ""


def _put_time_right(cells: dict[str, str], day_first: bool | None) -> str:
    """Write the row's time as ISO 8601; the reason where that cannot be done. An empty one stays: it is the time of the import."""
    written = cells.get("timeStamp", "")
    if not written or cells.get("payload") or moment(written):
        return ""
    if SLASHED.match(written) and day_first is None:
        return f"Its time “{written[:40]}” may be day or month first, and no other row tells. Write it as 2026-03-02 09:15:07."
    at = _moment(written, day_first=bool(day_first))
    if not at:
        return f"Its time “{written[:40]}” cannot be read. Write it as 2026-03-02 09:15:07."
    cells["timeStamp"] = at
    return ""


def _incoming(service: Service, cells: dict[str, str], now: datetime) -> Incoming:
    """The row as the notification it was, so that it is read, shown and replayed like one; marked as imported.

    An export of failed notifications has their payload, which is the receipt itself.
    """
    if cells.get("payload"):
        raw = cells["payload"].encode()
        return Incoming.read(raw, service_id=service.pk, key=service.correlation_key, received_at=now)
    notification = {name: value for name, value in cells.items() if name not in INFO} | {
        "deliveryInfo": {name: cells[name] for name in INFO if cells.get(name)}
    }
    raw = json.dumps({"deliveryInfoNotification": notification, "imported": True}, sort_keys=True).encode()
    ours = correlation_id.read(cells.get("correlationid", ""), key=service.correlation_key)
    return Incoming(service.pk, ours.message_id if ours else 0, ours.attempt if ours else 0, raw, now)


def _moment(text: str, *, day_first: bool) -> str:
    """ISO 8601 for the few other ways in which exports write a time, empty where it is none; UTC, since they name no zone."""
    slashed = "%d/%m/%Y" if day_first else "%m/%d/%Y"
    ways = [slashed, slashed.replace("/", "-"), slashed.replace("/", "."), "%d %b %Y", "%Y/%m/%d"]
    for way in (f"{day} {time}" for day in ways for time in ("%H:%M:%S", "%H:%M", "%I:%M:%S %p")):
        try:
            return datetime.strptime(text, way).replace(tzinfo=UTC).isoformat()
        except ValueError:
            continue
    return ""


def _store(batch: list[Incoming], found: Imported) -> None:
    if batch:
        new = insert(batch)
        found.new += new
        found.known += len(batch) - new
        batch.clear()
