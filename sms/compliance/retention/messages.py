"""What days take out of messages that stay in the ledger: texts, numbers, receipts. A batch in a transaction, resumable at any message."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from sms.compliance.archive import in_values
from sms.compliance.retention.due import STAGES, Ready
from sms.inbound.receipts.shorten import bare_receipt
from sms.ledger import states
from sms.models import (
    ApprovalRequest,
    Click,
    Draft,
    Echo,
    Message,
    Preparation,
    Receipt,
    Reject,
    ReportedSend,
    Send,
    SendKeeping,
    Service,
)
from sms.models.sql import id_list
from sms.models.sql.session import has_one_writer
from sms.models.sql.update_rows import exchange
from sms.values.msisdn.hidden import hidden
from sms.values.msisdn.mention import Mention

TEXT_GONE = gettext_noop("The text was deleted when its days were over.")
NAME_GONE = gettext_noop("Text deleted")


def batch_size() -> int:
    """Messages of a transaction. On SQLite nothing else is written at that time."""
    return 300 if has_one_writer() else 1000


@dataclass(frozen=True, slots=True)
class SendPart:
    """Small sends together, or one large one by itself."""

    sends: tuple[int, ...]
    large: bool


def parts(found: Iterable[Ready]) -> Iterator[SendPart]:
    held: list[int] = []
    room = size = batch_size()
    for one in found:
        if one.recipients > size:
            yield SendPart((one.send_id,), large=True)
            continue
        if one.recipients > room or len(held) == size:
            yield SendPart(tuple(held), large=False)
            held, room = [], size
        held.append(one.send_id)
        room -= one.recipients
    if held:
        yield SendPart(tuple(held), large=False)


def work(service: Service, stage: str, part: SendPart, *, now: datetime) -> Iterator[int]:
    """Do a stage for a part; yields after each transaction how many messages it changed."""
    while True:
        with transaction.atomic():
            sends, place = lock(part.sends, stage)
            rows = Message.objects.filter(send_id__in=id_list.among(sends), pk__gt=place).order_by("pk")
            ids = list(rows.values_list("pk", flat=True)[: batch_size() if part.large else None])
            states.hold(ids)  # a late receipt may be applied just now
            done = ACTS[stage](service, ids) if ids else 0
            whole = not part.large or len(ids) < batch_size()
            keepings = SendKeeping.objects.filter(pk__in=id_list.among(sends))
            if whole:
                if of_sends := WHOLE.get(stage):
                    of_sends(sends)
                keepings.update(stage="", place=0, **{STAGES[stage][0]: now})
            else:
                keepings.update(stage=stage, place=ids[-1])
        yield done
        if whole:
            return


def lock(send_ids: Sequence[int], stage: str) -> tuple[list[int], int]:
    """Those that are not held, locked against being held; and up to which message the stage is done."""
    fresh = [SendKeeping(send_id=pk) for pk in sorted(send_ids)]
    SendKeeping.objects.bulk_create(fresh, ignore_conflicts=True)
    rows = SendKeeping.objects.select_for_update().filter(pk__in=id_list.among(send_ids)).order_by("pk")
    free = [one for one in rows if one.held_at is None]
    place = free[0].place if len(free) == 1 and free[0].stage == stage else 0
    return [one.pk for one in free], place


def _bodies(ids: list[int]) -> int:
    rows = Message.objects.filter(pk__in=id_list.among(ids)).exclude(text="", substitutions={})
    return rows.update(text="", substitutions={})


def _numbers(service: Service, ids: list[int]) -> int:
    key = service.number_key
    rows = Message.objects.filter(pk__in=id_list.among(ids), msisdn__startswith="+").order_by("pk")
    changed: list[tuple[int, str]] = []
    columns = ("pk", "msisdn", "text", "substitutions", "detail")
    for pk, msisdn, text, values, detail in rows.values_list(*columns):
        changed.append((pk, hidden(msisdn, key=key)))
        if text or values or detail:
            mention = Mention(msisdn)
            after = (mention.without(text), in_values(values, mention), mention.without(detail))
            if after != (text, values, detail):
                text, values, detail = after
                Message.objects.filter(pk=pk).update(text=text, substitutions=values, detail=detail[:200])
    _numbers_in_sends_of_one(ids)
    exchange(Message, "msisdn", changed)
    Echo.objects.filter(message_id__in=id_list.among(ids)).exclude(destination="").update(destination="")
    return len(changed)


def _numbers_in_sends_of_one(ids: list[int]) -> None:
    """An answer, or what a program wrote to one person, is the text of the send too, and of what approvers were shown."""
    alone = Message.objects.filter(pk__in=id_list.among(ids), msisdn__startswith="+", send__recipients=1)
    for msisdn, send_id, text in alone.exclude(send__text="").values_list("msisdn", "send", "send__text"):
        without = Mention(msisdn).without(text)
        if without == text:
            continue
        Send.objects.filter(pk=send_id).update(text=without)
        for asked in ApprovalRequest.objects.filter(send=send_id):
            asked.snapshot["text"] = Mention(msisdn).without(asked.snapshot["text"])
            asked.save(update_fields=["snapshot"])


def shorten_of(message_ids: Sequence[int]) -> int:
    """Receipts and clicks of these messages without what is a person's in them; returns how many receipts."""
    wanted = id_list.among(message_ids)
    clicked = Click.objects.filter(message_id__in=wanted)
    of_clicks = list(clicked.order_by().values_list("receipt_id", flat=True))
    done = shorten(Receipt.objects.filter(message_id__in=wanted, message_id__gt=0))
    if of_clicks:
        done += shorten(Receipt.objects.filter(pk__in=id_list.among(of_clicks), message_id=0))
        clicked.update(url="", ip="", user_agent="")
    return done


def shorten(rows: "QuerySet[Receipt]") -> int:
    """Receipts without what is a person's in them; returns how many."""
    found = list(rows.order_by("pk").values_list("pk", "raw"))
    exchange(Receipt, "raw", [(pk, bare_receipt(bytes(raw))) for pk, raw in found])
    return len(found)


def _texts_of_sends(sends: Sequence[int]) -> None:
    """What a send itself says: its text, and a name that was made of the text's first words."""
    rows = Send.objects.filter(pk__in=id_list.among(sends))
    for pk, name, text in rows.exclude(text="").values_list("pk", "name", "text"):
        words = " ".join(text.split()[:6])[:70]
        if words and name.startswith(words):
            named = f"{NAME_GONE}{name[len(words) :]}"[:100]
            Send.objects.filter(pk=pk).update(name=named)
            ReportedSend.objects.filter(pk=pk).update(name=named)
    rows.exclude(text="").update(text=TEXT_GONE)
    drafts = Draft.objects.filter(send_id__in=id_list.among(sends))
    drafts.exclude(text="").update(text=TEXT_GONE)
    drafts.exclude(fillings={}).update(fillings={})  # what stood where a row had nothing is text as well
    for work in Preparation.objects.filter(send_id__in=id_list.among(sends)):
        if work.cursor.pop("fillings", None):
            work.save(update_fields=["cursor"])
    # what approvers were shown
    for asked in ApprovalRequest.objects.filter(send_id__in=id_list.among(sends)):
        if asked.snapshot["text"] not in ("", TEXT_GONE):
            asked.snapshot["text"] = TEXT_GONE
            asked.save(update_fields=["snapshot"])


def _numbers_of_sends(sends: Sequence[int]) -> None:
    Reject.objects.filter(send_id__in=id_list.among(sends)).exclude(value="").update(value="")
    Draft.objects.filter(send_id__in=id_list.among(sends)).exclude(pasted="").update(pasted="")


ACTS: dict[str, Callable[[Service, list[int]], int]] = {
    "bodies": lambda _, ids: _bodies(ids),
    "numbers": _numbers,
    "receipts": lambda _, ids: shorten_of(ids),
}
WHOLE: dict[str, Callable[[Sequence[int]], None]] = {"bodies": _texts_of_sends, "numbers": _numbers_of_sends}
