"""A receipt without what is a person's. Called by the archive, by retention and erasure, and for receipts that come after an erasure."""

import json
from collections.abc import Collection

from sms.models import Erasure, Message, Receipt
from sms.models.sql import id_list
from sms.models.sql.update_rows import exchange
from sms.values.msisdn.hidden import ERASED
from sms.webex.errors import UnreadableBody
from sms.webex.receipts import parse_receipt


def bare_receipt(raw: bytes) -> bytes:
    """The notification with its code, status, time and figures, without number, callback data and addresses; empty where unreadable.

    So timelines, and the judging of clicks by the time of delivery, go on without the receipt as it came.
    """
    try:
        note = parse_receipt(raw)
    except UnreadableBody:
        return b""
    info: dict[str, object] = {"code": note.code, "deliveryStatus": note.status, "deliveryChannel": "SMS"}
    if note.at is not None:
        info["timeStamp"] = note.at.isoformat()
    if note.segments is not None:
        info["messageCount"] = str(note.segments)
    outer = {"deliveryInfo": info, "transid": note.provider_id, "correlationid": note.correlation_id}
    if note.carrier:
        outer["carrier"] = note.carrier
    return json.dumps({"deliveryInfoNotification": outer, "shortened": True}).encode()


def erased_among(message_ids: Collection[int], *, services: Collection[int]) -> set[int]:
    """Messages whose number was erased. One short query where no service of them ever erased one."""
    done = Erasure.objects.filter(service__in=services, state=Erasure.State.DONE)
    if not done.exists():
        return set()
    rows = Message.objects.filter(pk__in=id_list.among(message_ids), msisdn=ERASED).order_by()
    return set(rows.values_list("pk", flat=True))


def shortened(raws: dict[int, bytes]) -> dict[int, bytes]:
    """Receipts by id, each without what is a person's, as they are stored from now on."""
    bare = {pk: bare_receipt(raw) for pk, raw in raws.items()}
    exchange(Receipt, "raw", sorted(bare.items()))
    return bare
