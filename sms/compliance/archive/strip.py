"""What is taken out of a message, its receipts and its clicks once days are over. The same for the ledger and for archives."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from sms.compliance.archive.rows import ArchivedMessage, ArchivedReceipt
from sms.inbound.receipts.shorten import bare_receipt
from sms.models import Archive
from sms.values.msisdn.hidden import ERASED, hidden
from sms.values.msisdn.mention import GONE, Mention


@dataclass(frozen=True, slots=True)
class StripRule:
    """What has to be gone, and since when; None: it stays."""

    bodies: datetime | None = None
    numbers: datetime | None = None
    receipts: datetime | None = None

    def beyond(self, archive: Archive) -> dict[str, datetime]:
        """What has to be gone of an archive and is there still, as the columns that say so."""
        return {
            f"{name}_gone_at": at
            for name, at in asdict(self).items()
            if at and not getattr(archive, f"{name}_gone_at")
        }


def strip(row: ArchivedMessage, gone: StripRule, *, key: bytes) -> ArchivedMessage:
    """The row without what has to be gone. Bodies are text and values; a number leaves its digest, and goes out of what else says it."""
    if gone.bodies:
        row = replace(row, text="", substitutions={})
    if gone.receipts:
        row = replace(row, receipts=tuple(bare(one) for one in row.receipts))
    if gone.numbers and row.msisdn.startswith("+"):
        row = without_number(row, put=hidden(row.msisdn, key=key))
    return row


def without_number(row: ArchivedMessage, *, put: str) -> ArchivedMessage:
    """The row without its own number, wherever it stands in it."""
    row = silent(row, Mention(row.msisdn))
    return replace(row, msisdn=put, echo=row.echo and (row.echo[0], "", *row.echo[2:]))


def silent(row: ArchivedMessage, mention: Mention) -> ArchivedMessage:
    """The row without a number that its texts or receipts name."""
    return replace(
        row,
        text=mention.without(row.text),
        substitutions=in_values(row.substitutions, mention),
        detail=mention.without(row.detail),
        echo=tuple(map(mention.without, row.echo)) if row.echo else None,
        receipts=tuple(bare(one) if in_raw(one.raw, mention) else one for one in row.receipts),
    )


def erased(row: ArchivedMessage) -> ArchivedMessage:
    """The row without anything that is the person's: what stays is that a message was sent, when, and its outcome."""
    return replace(
        row,
        msisdn=ERASED,
        text="",
        substitutions={},
        detail="",
        echo=None,
        receipts=tuple(bare(one) for one in row.receipts),
    )


def in_raw(raw: bytes, mention: Mention) -> bool:
    """Whether a receipt names the number, in whatever spelling."""
    return mention.found(raw.decode("utf-8", "replace"))


def in_values(values: Any, mention: Mention) -> Any:
    """JSON without the number, in keys and values at any depth."""
    if isinstance(values, str):
        return mention.without(values)
    if isinstance(values, dict):
        return {mention.without(str(key)): in_values(value, mention) for key, value in values.items()}
    if isinstance(values, list):
        return [in_values(value, mention) for value in values]
    if isinstance(values, int) and mention.found(str(values)):
        return GONE
    return values


def bare(one: ArchivedReceipt) -> ArchivedReceipt:
    """A receipt that keeps the message's outcome, and nothing of the person."""
    click = one.click and replace(one.click, url="", ip="", user_agent="")
    return replace(one, raw=bare_receipt(one.raw), click=click)
