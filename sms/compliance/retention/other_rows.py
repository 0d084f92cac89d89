"""Other rows with people's data, which follow the same days as messages: files, old versions of audiences, incoming SMS, callbacks, answers
of the API, and receipts that belong to no message. Each function does one bounded piece and says how many; 0 means that nothing is left.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from sms.audiences import saved
from sms.compliance.retention.messages import TEXT_GONE, shorten
from sms.models import (
    OVER,
    Actor,
    AudienceChunk,
    AudienceVersion,
    Callback,
    Click,
    Comment,
    Conversation,
    Draft,
    IdempotentAnswer,
    InboundMessage,
    KeptList,
    Message,
    Occurrence,
    Preparation,
    Receipt,
    ReceiptInbox,
    RecurringSend,
    RefusedPost,
    RefusedRequest,
    RetentionClock,
    SavedFilter,
    Send,
    Service,
    Upload,
)
from sms.models.sql import id_list
from sms.models.sql.update_rows import exchange
from sms.values.msisdn.hidden import hidden
from sms.values.msisdn.mention import Mention

AT_ONCE = 500
MOST = 5000  # that a forecast counts
BY = Actor.system()
Row = TypeVar("Row", bound=Model)


def _before(now: datetime, *days: int | None) -> datetime | None:
    """What is older goes, by the shortest of these days; None where all of it is kept for good."""
    shortest = min((one for one in days if one is not None), default=None)
    return None if shortest is None else now - timedelta(days=shortest)


def _older(rows: "QuerySet[Row]", column: str, now: datetime, *days: int | None) -> "QuerySet[Row]":
    before = _before(now, *days)
    return rows.none() if before is None else rows.filter(**{f"{column}__lt": before})


def _some(rows: "QuerySet[Any]", most: int = AT_ONCE) -> list[int]:
    return list(rows.values_list("pk", flat=True)[:most])


def _delete_some(rows: "QuerySet[Any]") -> int:
    return rows.model._default_manager.filter(pk__in=_some(rows)).delete()[0]


def _drafts(service: Service, now: datetime) -> "QuerySet[Draft]":
    """Drafts that were never sent, and that were not changed for so long: their recipients are numbers as any others."""
    rows = Draft.objects.filter(service=service, send=None).exclude(pasted="", upload=None, version=None)
    return _older(rows, "changed_at", now, service.keep_numbers).order_by("pk")


def drafts(service: Service, now: datetime) -> int:
    """They stay, without pasted numbers, file, and what was read of either; a saved audience is named by them still."""
    ids = _some(_drafts(service, now))
    with transaction.atomic():
        Preparation.objects.filter(draft_id__in=ids).delete()
        return Draft.objects.filter(pk__in=ids).update(pasted="", upload=None, version=None)


def _comments(service: Service, now: datetime) -> "QuerySet[Comment]":
    """They may quote a text and name a number, so the shorter days count. Those of a send that is not over, or is held, wait for it."""
    rows = Comment.objects.filter(service=service).exclude(text="")
    waits = Q(send__isnull=False) & (~Q(send__state__in=OVER) | Q(send__keeping__held_at__isnull=False))
    found = _older(rows, "at", now, service.keep_bodies, service.keep_numbers)
    return found.exclude(pk__in=found.filter(waits).values("pk")).order_by("pk")


def comments(service: Service, now: datetime) -> int:
    """That there was one stays, by whom and when."""
    return Comment.objects.filter(pk__in=_some(_comments(service, now))).update(text="")


def _contents(service: Service, now: datetime) -> "QuerySet[Draft]":
    """What recurring sends said, where none of them says it any more and its last occurrence is so old."""
    rows = Draft.objects.filter(service=service, recurs_since__isnull=False)
    before = _before(now, service.keep_bodies)
    if before is None:
        return rows.none()
    waits = (
        Q(at__gte=before) | Q(send__keeping__held_at__isnull=False) | ~Q(send=None) & ~Q(send__state__in=OVER)
    )
    still = Occurrence.objects.filter(waits, draft=OuterRef("pk"))
    said = rows.exclude(text__in=("", TEXT_GONE), fillings={})
    in_use = RecurringSend.objects.filter(draft=OuterRef("pk")).exclude(state=RecurringSend.State.ENDED)
    return said.filter(~Exists(still), ~Exists(in_use), recurs_since__lt=before).order_by("pk")


def contents(service: Service, now: datetime) -> int:
    rows = Draft.objects.filter(pk__in=_some(_contents(service, now)))
    with transaction.atomic():
        rows.exclude(text="").update(text=TEXT_GONE)
        return rows.update(fillings={})


def _filters(service: Service, now: datetime) -> "QuerySet[SavedFilter]":
    """What messages are searched for by may be a number, and the messages have it no longer."""
    rows = SavedFilter.objects.filter(service=service, of=KeptList.MESSAGES, query__startswith="for=")
    return _older(rows, "made_at", now, service.keep_numbers).order_by("pk")


def _uploads(service: Service, now: datetime) -> "QuerySet[Upload]":
    """Files whose every draft became a send whose numbers are gone, and files that no draft has."""
    used = Draft.objects.filter(upload=OuterRef("pk"))
    waits = used.filter(Q(send=None) | Q(send__keeping__isnull=True) | Q(send__keeping__numbers_gone_at=None))
    reading = AudienceVersion.objects.filter(upload=OuterRef("pk"), ready_at=None)
    rows = Upload.objects.filter(~Exists(waits), ~Exists(reading), service=service)
    return _older(rows, "uploaded_at", now, service.keep_numbers).order_by("pk")


def uploads(service: Service, now: datetime) -> int:
    ids = _some(_uploads(service, now), most=50)
    with transaction.atomic():
        Draft.objects.filter(upload_id__in=ids).update(upload=None)
        return Upload.objects.filter(pk__in=ids).delete()[0]


def _versions(service: Service, now: datetime) -> "QuerySet[AudienceVersion]":
    """Versions that were not needed for so long: replaced ones, those of archived audiences, and what a draft or send was made of."""
    mine = AudienceVersion.objects.filter(service=service)
    before = _before(now, service.keep_numbers)
    if before is None:
        return mine.none()
    newer = mine.filter(audience=OuterRef("audience"), number__gt=OuterRef("number"), made_at__lt=before)
    replaced = Q(audience__archived_at__lt=before) | (Q(current_of=None) & Exists(newer))
    listed = Q(audience__isnull=False) & replaced
    drafts = Draft.objects.filter(version=OuterRef("pk"), send=None)
    made_of = Q(audience=None, made_at__lt=before) & ~Exists(drafts)
    # a send needs its own for as long as it needs its numbers
    kept = Send.objects.filter(audience=OuterRef("pk")).filter(
        ~Q(state__in=OVER) | Q(keeping__isnull=True) | Q(keeping__numbers_gone_at=None)
    )
    read_on = mine.filter(mends=OuterRef("pk"), ready_at=None)
    rows = mine.filter(listed | made_of, erased_at=None).filter(~Exists(kept), ~Exists(read_on))
    return rows.select_related("audience").order_by("pk")


def versions(service: Service, now: datetime) -> int:
    return sum(
        saved.erase(version, by=BY) if version.audience_id else _forget(version, now)
        for version in _versions(service, now)[:5]
    )


def _forget(version: AudienceVersion, now: datetime) -> bool:
    with transaction.atomic():
        rows = AudienceVersion.objects.filter(pk=version.pk, erased_at=None)
        if not rows.update(erased_at=now, rejects=b""):
            return False
        AudienceChunk.objects.filter(version=version).delete()
    return True


def _inbound(service: Service, now: datetime) -> "dict[str, QuerySet[InboundMessage]]":
    """By the column that is emptied."""
    rows = InboundMessage.objects.filter(service=service).order_by()
    bodies, numbers, receipts = service.keep_bodies, service.keep_numbers, service.keep_receipts
    return {
        "text": _older(rows.exclude(text=""), "received_at", now, bodies),
        "raw": _older(rows.exclude(raw=b""), "received_at", now, bodies, numbers, receipts),
        "msisdn": _older(rows.filter(msisdn__startswith="+"), "received_at", now, numbers),
    }


def _any_inbound(service: Service, now: datetime) -> "QuerySet[InboundMessage]":
    text, raw, numbers = _inbound(service, now).values()
    return text | raw | numbers


def inbound(service: Service, now: datetime) -> int:
    """Incoming SMS: what they said, how they came, and from whom; that there was one stays, and so does what it asked for."""
    found, done = _inbound(service, now), 0
    for column, empty in (("text", ""), ("raw", b"")):
        done += InboundMessage.objects.filter(pk__in=_some(found[column])).update(**{column: empty})
    numbers = found["msisdn"].values_list("pk", "msisdn", "text")[:AT_ONCE]
    pairs = []
    for pk, number, text in numbers:
        pairs.append((pk, hidden(number, key=service.number_key)))
        if (without := Mention(number).without(text)) != text:  # people write from where to call them
            InboundMessage.objects.filter(pk=pk).update(text=without)
    exchange(InboundMessage, "msisdn", pairs)
    return done + len(pairs)


def _conversations(service: Service, now: datetime) -> "QuerySet[Conversation]":
    """Those in which nothing was written for so long."""
    rows = Conversation.objects.filter(service=service, msisdn__startswith="+").order_by()
    return _older(rows, "last_at", now, service.keep_numbers)


def conversations(service: Service, now: datetime) -> int:
    """They stay, with a digest for the number, by which a person who writes again is put into the same one."""
    numbers = _conversations(service, now).values_list("pk", "msisdn")[:AT_ONCE]
    pairs = [(pk, hidden(number, key=service.number_key)) for pk, number in numbers]
    exchange(Conversation, "msisdn", pairs)
    return len(pairs)


def _callbacks(service: Service, now: datetime) -> "QuerySet[Callback]":
    """Delivered or given up; the outbox forgets after 30 days by itself."""
    rows = Callback.objects.filter(endpoint__service=service).exclude(state=Callback.State.WAITING)
    return _older(rows.order_by("created_at"), "created_at", now, service.keep_receipts, service.keep_numbers)


def _answers(service: Service, now: datetime) -> "QuerySet[IdempotentAnswer]":
    """What requests with an idempotency key were answered; forgotten after 30 days by itself."""
    rows = IdempotentAnswer.objects.filter(service=service)
    return _older(rows, "made_at", now, service.keep_bodies, service.keep_numbers)


def _refused(service: Service, now: datetime) -> "QuerySet[RefusedPost]":
    """What was posted to us and refused; forgotten after 30 days by itself."""
    rows = RefusedPost.objects.filter(service=service)
    days = (service.keep_bodies, service.keep_numbers, service.keep_receipts)
    return _older(rows, "received_at", now, *days)


def _refused_requests(service: Service, now: datetime) -> "QuerySet[RefusedRequest]":
    """What programs asked for in vain; forgotten after 30 days by itself."""
    rows = RefusedRequest.objects.filter(key__service=service)
    return _older(rows, "at", now, service.keep_bodies, service.keep_numbers)


def _unmatched(service: Service, now: datetime) -> "QuerySet[ReceiptInbox]":
    rows = ReceiptInbox.objects.filter(receipt__service=service).exclude(why=ReceiptInbox.Why.NEW)
    return _older(rows, "receipt__received_at", now, service.keep_receipts)


def unmatched(service: Service, now: datetime) -> int:
    ids = _some(_unmatched(service, now))
    with transaction.atomic():
        ReceiptInbox.objects.filter(pk__in=ids).delete()
        Click.objects.filter(receipt_id__in=ids).update(url="", ip="", user_agent="")
        gone = Receipt.objects.filter(pk__in=ids, click__isnull=True).delete()[0]
        return gone + shorten(Receipt.objects.filter(pk__in=ids))


def nameless(service: Service, now: datetime) -> int:
    """Receipts whose message was found by the provider's id, so that none of ours stands at them; and those whose message has left.

    Walked once in order of id, which `RetentionClock.receipts_place` remembers.
    """
    before = _before(now, service.keep_receipts)
    if before is None:
        return 0
    clock, _ = RetentionClock.objects.get_or_create(service=service)
    rows = Receipt.objects.filter(service=service, pk__gt=clock.receipts_place).order_by("pk")
    found = rows.values_list("pk", "message_id", "received_at")[:AT_ONCE]
    old = list(takewhile(lambda one: one[2] < before, found))
    if not old:
        return 0
    named = Message.objects.filter(pk__in=id_list.among({message for _, message, _ in old if message}))
    here = set(named.order_by().values_list("pk", flat=True))
    alone = [pk for pk, message, _ in old if message not in here]
    with transaction.atomic():
        waiting = ReceiptInbox.objects.filter(pk__in=id_list.among(alone), why=ReceiptInbox.Why.NEW)
        shorten(Receipt.objects.filter(pk__in=id_list.among(alone)).exclude(pk__in=waiting.values("pk")))
        RetentionClock.objects.filter(pk=clock.pk).update(receipts_place=old[-1][0])
    return len(old)


Rows = Callable[[Service, datetime], "QuerySet[Any]"]
Act = Callable[[Service, datetime], int]
PLACES: dict[str, tuple[Rows, Act]] = {
    "comments": (_comments, comments),
    "contents": (_contents, contents),
    "filters": (_filters, lambda service, now: _delete_some(_filters(service, now))),
    "drafts": (_drafts, drafts),  # before the files that they had
    "uploads": (_uploads, uploads),
    "versions": (_versions, versions),
    "inbound": (_any_inbound, inbound),
    "conversations": (_conversations, conversations),
    "callbacks": (_callbacks, lambda service, now: _delete_some(_callbacks(service, now))),
    "answers": (_answers, lambda service, now: _delete_some(_answers(service, now))),
    "unmatched": (_unmatched, unmatched),
    "refused": (_refused, lambda service, now: _delete_some(_refused(service, now))),
    "refused_requests": (
        _refused_requests,
        lambda service, now: _delete_some(_refused_requests(service, now)),
    ),
}


def work(service: Service, *, now: datetime) -> Iterator[tuple[str, int]]:
    """All of it, piece by piece: of which kind, and how many."""
    for kind, (_, act) in PLACES.items():
        while done := act(service, now):
            yield kind, done
    while nameless(service, now):
        yield "", 0  # it walks over receipts of no message, and how many were read says nothing


def forecast(service: Service, *, now: datetime) -> dict[str, int]:
    """How many there are of each now, up to a few thousand; incoming SMS by what is still in them."""
    return {kind: rows(service, now)[:MOST].count() for kind, (rows, _) in PLACES.items()}
