"""Receipts that come after a number was erased, as a click weeks later: they restore nothing of the person. Called by `fold`."""

from collections.abc import Collection

from sms.inbound.receipts.shorten import bare_receipt
from sms.models import Erasure, Message, Receipt
from sms.models.sql import id_list
from sms.models.sql.exchange import exchange
from sms.values.msisdn.hidden import ERASED


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
    exchange(Receipt, "raw", sorted(bare.items()), kind="bytea")
    return bare
