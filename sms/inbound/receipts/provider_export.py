"""Receipts that the provider exports as a CSV file, stored and folded like any others."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sms.inbound.receipts.inbox import insert
from sms.inbound.receipts.incoming import Incoming
from sms.models import Service
from sms.models.sql.clock import corrected_now
from sms.webex.values import moment

CHUNK = 500
LARGEST_FILE = 100_000_000  # bytes
WRONG_ROWS_SHOWN = 20
# a date that does not begin with its year
SLASHED = re.compile(r"\b(\d{1,2})[/.-](\d{1,2})[/.-]\d{4} ", re.ASCII)


class NotAnExport(ValueError):
    """A file that is no export of receipts; the text says what is missing."""


@dataclass(slots=True)
class ImportResult:
    """What was done with a file's rows. `wrong`: the first few refused, with their reasons."""

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


def import_export(service: Service, content: bytes) -> ImportResult:
    """Store the rows of a provider's CSV export as receipts, which are then folded like any others. Raises NotAnExport.

    The same row twice, or in two files, is one receipt. What the endpoint took in already changes nothing, since a state only moves
    forward.
    """
    if len(content) > LARGEST_FILE:
        raise NotAnExport(
            _("The file is over %(n)s MB. Export a shorter time.") % {"n": LARGEST_FILE // 1_000_000}
        )
    found, batch, number = ImportResult(), [], 1
    try:
        columns, day_first = _columns(next(_rows(content), [])), _day_first(content)
        for number, row in enumerate(_rows(content), start=1):
            if number == 1 or not any(cell.strip() for cell in row):
                continue
            found.rows += 1
            cells = {name: row[at].strip() for name, at in columns.items() if at < len(row)}
            reason = _reason_to_refuse(cells) or _normalise_time(cells, day_first)
            if reason:
                found.refused += 1
                if len(found.wrong) < WRONG_ROWS_SHOWN:
                    found.wrong.append((number, reason))
                continue
            batch.append(_incoming(service, cells, corrected_now()))
            if len(batch) == CHUNK:
                _store(batch, found)
        _store(batch, found)
    except csv.Error as problem:
        _store(batch, found)
        says = _("Row %(row)s is no CSV: %(problem)s.") % {"row": number + 1, "problem": problem}
        if found.rows:
            before = ngettext(
                "The %(n)s row before it was imported.", "The %(n)s rows before it were imported.", found.rows
            )
            says += f" {before % {'n': found.rows}}"
        raise NotAnExport(says) from None
    return found


def _rows(content: bytes) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(_text(content), newline=""), delimiter=_delimiter(content))


def _day_first(content: bytes) -> bool | None:
    """How 03/04/2026 is meant in this file, by a date that can be read in one way only; None where no date decides, or they differ."""
    firsts = {(int(first), int(second)) for first, second in SLASHED.findall(_text(content))}
    day, month = any(one[0] > 12 for one in firsts), any(one[1] > 12 for one in firsts)
    return None if day == month else day


def _text(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "replace")


def _delimiter(content: bytes) -> str:
    first = _text(content[:20_000]).partition("\n")[0]
    return max(",;\t|", key=first.count)


def _columns(head: list[str]) -> dict[str, int]:
    """Column numbers by the receipt's field."""
    written = ["".join(filter(str.isalnum, cell)).lower() for cell in head]
    columns = {
        name: written.index(word)
        for name, words in COLUMNS.items()
        for word in [next((word for word in words if word in written), "")]
        if word
    }
    if "payload" in columns:
        return columns
    if not {"correlationid", "transid"} & set(columns):
        raise NotAnExport(
            _("No column names the message. Export correlationid or transid with the receipts.")
        )
    if not {"code", "deliveryStatus"} & set(columns):
        raise NotAnExport(_("No column has the state of the message. Export code or deliveryStatus too."))
    return columns


def _reason_to_refuse(cells: dict[str, str]) -> str:
    if cells.get("payload"):
        return "" if cells["payload"].startswith("{") else _("Its payload is no JSON.")
    if not (cells.get("correlationid") or cells.get("transid")):
        return _("It names no message.")
    if not (cells.get("code") or cells.get("deliveryStatus")):
        return _("It says neither code nor status.")
    return ""


def _normalise_time(cells: dict[str, str], day_first: bool | None) -> str:
    """Write the row's time as ISO 8601, or return the reason why not. An empty time stays: it is the time of the import."""
    written = cells.get("timeStamp", "")
    if not written or cells.get("payload") or moment(written):
        return ""
    if SLASHED.match(written) and day_first is None:
        says = _(
            "Its time “%(time)s” may be day or month first, and no other row shows which. Write it as 2026-03-02 09:15:07."
        )
        return says % {"time": written[:40]}
    at = _as_iso(written, day_first=bool(day_first))
    if not at:
        return _("Its time “%(time)s” cannot be read. Write it as 2026-03-02 09:15:07.") % {
            "time": written[:40]
        }
    cells["timeStamp"] = at
    return ""


def _incoming(service: Service, cells: dict[str, str], now: datetime) -> Incoming:
    """The row as the notification it was, so that it is read, shown and replayed like one; marked as imported.

    An export of failed notifications has their payload, which is the receipt itself.
    """
    raw = cells.get("payload", "")
    if not raw:
        notification = {name: value for name, value in cells.items() if name not in INFO} | {
            "deliveryInfo": {name: cells[name] for name in INFO if cells.get(name)}
        }
        raw = json.dumps({"deliveryInfoNotification": notification, "imported": True}, sort_keys=True)
    key = service.correlation_key
    return Incoming.read(raw.encode(), service_id=service.pk, key=key, received_at=now)


def _as_iso(text: str, *, day_first: bool) -> str:
    """ISO 8601 for the few other ways in which exports write a time, empty where it is none; UTC, since they name no zone."""
    slashed = "%d/%m/%Y" if day_first else "%m/%d/%Y"
    ways = [slashed, slashed.replace("/", "-"), slashed.replace("/", "."), "%d %b %Y", "%Y/%m/%d"]
    for way in (f"{day} {time}" for day in ways for time in ("%H:%M:%S", "%H:%M", "%I:%M:%S %p")):
        try:
            return datetime.strptime(text, way).replace(tzinfo=UTC).isoformat()
        except ValueError:
            continue
    return ""


def _store(batch: list[Incoming], found: ImportResult) -> None:
    if batch:
        new = insert(batch, everywhere=True)  # a file may be imported again after months
        found.new += new
        found.known += len(batch) - new
        batch.clear()
