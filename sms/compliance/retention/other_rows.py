"""Other rows with people's data, which follow the same days as messages: files, old versions of audiences, incoming SMS, callbacks, answers
of the API, and receipts that belong to no message. Each function does one bounded piece and says how many; 0 means that nothing is left.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from sms.audiences import saved
from sms.compliance.retention.due import DONE
from sms.compliance.retention.messages import shorten
from sms.models import (
    Actor,
    AudienceChunk,
    AudienceVersion,
    Callback,
    Click,
    Draft,
    IdempotentAnswer,
    InboundMessage,
    Message,
    Preparation,
    Receipt,
    ReceiptInbox,
    RetentionClock,
    Send,
    Service,
    Upload,
)
from sms.models.sql import id_list
from sms.models.sql.exchange import exchange
from sms.values.msisdn.hidden import hidden

AT_ONCE = 500
BY = Actor.system()


def _before(days: int | None, now: datetime) -> datetime | None:
    return None if days is None else now - timedelta(days=days)


def _soonest(*days: int | None) -> int | None:
    return min((one for one in days if one is not None), default=None)


def _uploads(service: Service, now: datetime) -> "list[int]":
    """Files whose every draft became a send whose numbers are gone, and files that no draft has."""
    before = _before(service.keep_numbers, now)
    if before is None:
        return []
    used = Draft.objects.filter(upload=OuterRef("pk"))
    reading = AudienceVersion.objects.filter(upload=OuterRef("pk"), ready_at=None)
    waits = used.filter(Q(send=None) | Q(send__keeping__isnull=True) | Q(send__keeping__numbers_gone_at=None))
    rows = Upload.objects.filter(service=service, uploaded_at__lt=before)
    rows = rows.filter(~Exists(waits), ~Exists(reading))
    return list(rows.order_by("pk").values_list("pk", flat=True)[:50])


def uploads(service: Service, now: datetime) -> int:
    ids = _uploads(service, now)
    with transaction.atomic():
        Draft.objects.filter(upload_id__in=ids).update(upload=None)
        return Upload.objects.filter(pk__in=ids).delete()[0] if ids else 0


def _drafts(service: Service, now: datetime) -> list[int]:
    """Drafts that were never sent, and that were not changed for so long: their recipients are numbers as any others."""
    before = _before(service.keep_numbers, now)
    if before is None:
        return []
    rows = Draft.objects.filter(service=service, send=None, changed_at__lt=before)
    rows = rows.exclude(pasted="", upload=None, version=None)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])


def drafts(service: Service, now: datetime) -> int:
    """They stay, without pasted numbers, file, and what was read of either; a saved audience is named by them still."""
    ids = _drafts(service, now)
    if not ids:
        return 0
    with transaction.atomic():
        Preparation.objects.filter(draft_id__in=ids).delete()
        return Draft.objects.filter(pk__in=ids).update(pasted="", upload=None, version=None)


def _versions(service: Service, now: datetime) -> list[AudienceVersion]:
    """Versions that were not needed for so long: replaced ones, those of archived audiences, and what a draft or send was made of."""
    before = _before(service.keep_numbers, now)
    if before is None:
        return []
    mine = AudienceVersion.objects.filter(service=service)
    newer = mine.filter(audience=OuterRef("audience"), number__gt=OuterRef("number"), made_at__lt=before)
    listed = Q(audience__isnull=False) & (
        Q(audience__archived_at__lt=before) | (Q(current_of=None) & Exists(newer))
    )
    drafts = Draft.objects.filter(version=OuterRef("pk"), send=None)
    made_of = Q(audience=None, made_at__lt=before) & ~Exists(drafts)
    # a send needs its own for as long as it needs its numbers
    kept = Send.objects.filter(audience=OuterRef("pk")).filter(
        ~Q(state__in=DONE) | Q(keeping__isnull=True) | Q(keeping__numbers_gone_at=None)
    )
    read_on = mine.filter(mends=OuterRef("pk"), ready_at=None)
    rows = mine.filter(listed | made_of, erased_at=None).filter(~Exists(kept), ~Exists(read_on))
    return list(rows.select_related("audience").order_by("pk")[:5])


def versions(service: Service, now: datetime) -> int:
    return sum(
        saved.erase(version, by=BY) if version.audience_id else _forget(version, now)
        for version in _versions(service, now)
    )


def _forget(version: AudienceVersion, now: datetime) -> bool:
    with transaction.atomic():
        rows = AudienceVersion.objects.filter(pk=version.pk, erased_at=None)
        if not rows.update(erased_at=now, rejects=b""):
            return False
        AudienceChunk.objects.filter(version=version).delete()
    return True


def inbound(service: Service, now: datetime) -> int:
    """Incoming SMS: what they said, how they came, and from whom; that there was one stays, and so does what it asked for."""
    done = 0
    mine = InboundMessage.objects.filter(service=service)
    if (before := _before(service.keep_bodies, now)) is not None:
        ids = list(
            mine.filter(received_at__lt=before).exclude(text="").values_list("pk", flat=True)[:AT_ONCE]
        )
        done += InboundMessage.objects.filter(pk__in=ids).update(text="")
    raw = _before(_soonest(service.keep_receipts, service.keep_bodies, service.keep_numbers), now)
    if raw is not None:
        ids = list(mine.filter(received_at__lt=raw).exclude(raw=b"").values_list("pk", flat=True)[:AT_ONCE])
        done += InboundMessage.objects.filter(pk__in=ids).update(raw=b"")
    if (before := _before(service.keep_numbers, now)) is not None:
        rows = mine.filter(received_at__lt=before, msisdn__startswith="+").values_list("pk", "msisdn")[
            :AT_ONCE
        ]
        pairs = [(pk, hidden(number, key=service.number_key)) for pk, number in rows]
        exchange(InboundMessage, "msisdn", pairs, kind="text")
        done += len(pairs)
    return done


def callbacks(service: Service, now: datetime) -> int:
    """Callbacks to partners, delivered or given up; the outbox forgets after 30 days by itself."""
    before = _before(_soonest(service.keep_receipts, service.keep_numbers), now)
    if before is None:
        return 0
    rows = Callback.objects.filter(endpoint__service=service, created_at__lt=before)
    rows = rows.exclude(state=Callback.State.WAITING).order_by("created_at")
    ids = list(rows.values_list("pk", flat=True)[:AT_ONCE])
    return Callback.objects.filter(pk__in=ids).delete()[0] if ids else 0


def answers(service: Service, now: datetime) -> int:
    """What requests with an idempotency key were answered; forgotten after 30 days by itself."""
    before = _before(_soonest(service.keep_bodies, service.keep_numbers), now)
    if before is None:
        return 0
    ids = list(
        IdempotentAnswer.objects.filter(service=service, made_at__lt=before).values_list("pk", flat=True)[
            :AT_ONCE
        ]
    )
    return IdempotentAnswer.objects.filter(pk__in=ids).delete()[0] if ids else 0


def unmatched(service: Service, now: datetime) -> int:
    before = _before(service.keep_receipts, now)
    if before is None:
        return 0
    rows = ReceiptInbox.objects.filter(receipt__service=service, receipt__received_at__lt=before)
    ids = list(rows.exclude(why=ReceiptInbox.Why.NEW).values_list("pk", flat=True)[:AT_ONCE])
    with transaction.atomic():
        ReceiptInbox.objects.filter(pk__in=ids).delete()
        Click.objects.filter(receipt_id__in=ids).update(url="", ip="", user_agent="")
        without_click = Receipt.objects.filter(pk__in=ids, click__isnull=True)
        gone = without_click.delete()[0] if ids else 0
        return gone + shorten(Receipt.objects.filter(pk__in=ids))


def nameless(service: Service, now: datetime) -> int:
    """Receipts whose message was found by the provider's id, so that none of ours stands at them; and those whose message has left.

    Walked once in order of id, which `RetentionClock.receipts_place` remembers.
    """
    before = _before(service.keep_receipts, now)
    if before is None:
        return 0
    clock, _ = RetentionClock.objects.get_or_create(service=service)
    rows = Receipt.objects.filter(service=service, pk__gt=clock.receipts_place).order_by("pk")
    found = list(rows.values_list("pk", "message_id", "received_at")[:AT_ONCE])
    old = []
    for one in found:
        if one[2] >= before:
            break
        old.append(one)
    if not old:
        return 0
    here = set(
        Message.objects.filter(pk__in=id_list.among({message for _, message, _ in old if message}))
        .order_by()
        .values_list("pk", flat=True)
    )
    alone = [pk for pk, message, _ in old if message not in here]
    with transaction.atomic():
        waiting = ReceiptInbox.objects.filter(pk__in=id_list.among(alone), why=ReceiptInbox.Why.NEW)
        shorten(Receipt.objects.filter(pk__in=id_list.among(alone)).exclude(pk__in=waiting.values("pk")))
        RetentionClock.objects.filter(pk=clock.pk).update(receipts_place=old[-1][0])
    return len(old)


PLACES: dict[str, Callable[[Service, datetime], int]] = {
    "drafts": drafts,  # before the files that they had
    "uploads": uploads,
    "versions": versions,
    "inbound": inbound,
    "callbacks": callbacks,
    "answers": answers,
    "unmatched": unmatched,
}
UNCOUNTED = (nameless,)  # walks over receipts of no message; how many were read says nothing


def forecast(service: Service, *, now: datetime) -> dict[str, int]:
    """How many there are of each now, up to a few thousand; incoming SMS by what is still in them."""
    most = 5000
    found = {"drafts": len(_drafts(service, now))}
    found |= {"uploads": len(_uploads(service, now)), "versions": len(_versions(service, now))}
    numbers, receipts = _before(service.keep_numbers, now), _before(service.keep_receipts, now)
    bodies = _before(service.keep_bodies, now)
    wanted = Q(pk=0)
    if numbers is not None:
        wanted |= Q(received_at__lt=numbers, msisdn__startswith="+")
    if bodies is not None:
        wanted |= Q(received_at__lt=bodies) & ~Q(text="")
    if receipts is not None:
        wanted |= Q(received_at__lt=receipts) & ~Q(raw=b"")
    found["inbound"] = InboundMessage.objects.filter(wanted, service=service)[:most].count()
    cut = _before(_soonest(service.keep_receipts, service.keep_numbers), now)
    done = Callback.objects.filter(endpoint__service=service).exclude(state=Callback.State.WAITING)
    found["callbacks"] = done.filter(created_at__lt=cut)[:most].count() if cut else 0
    cut = _before(_soonest(service.keep_bodies, service.keep_numbers), now)
    kept = IdempotentAnswer.objects.filter(service=service)
    found["answers"] = kept.filter(made_at__lt=cut)[:most].count() if cut else 0
    waiting = ReceiptInbox.objects.filter(receipt__service=service).exclude(why=ReceiptInbox.Why.NEW)
    found["unmatched"] = waiting.filter(receipt__received_at__lt=receipts)[:most].count() if receipts else 0
    return found
