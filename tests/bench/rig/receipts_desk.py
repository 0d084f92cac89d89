"""What the receipts bench knows of the desk: a service, receipts for its messages, what was stored of them, and folding. Needs Django."""

import gc
import hashlib
import hmac
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.utils import timezone

from sms.inbound import receipts
from sms.inbound.receipts.inbox import insert
from sms.inbound.receipts.incoming import Incoming
from sms.models import AuthKind, Message, Receipt, ReceiptInbox, Region, Send, Sender, SenderKind, Service
from sms.values import correlation_id

BODY = (
    b'{"deliveryInfoNotification":{"deliveryInfo":{"timeStamp":"2026-03-02T09:15:%02d.%03dZ","Description":"%s",'
    b'"code":"%s","messageCount":"1","deliveryChannel":"SMS","additionalInfo":"","destination":"4477%08d",'
    b'"destinationType":"msisdn","deliveryStatus":"%s"},"subtid":"","transid":"1f0c2b64-97f2-4d6b-8f0a-%012d",'
    b'"callbackData":"","correlationid":"%s"}}'
)
POSTED = datetime(2026, 3, 2, 9, 14, 57, tzinfo=UTC)  # a moment before the receipts of BODY
THREE = ((b"Submitted", b"7501"), (b"Submitted", b"7501"), (b"Delivered", b"7500"))


def service(secret: str) -> Service:
    """One that signs its receipts."""
    made = Service.objects.create(
        slug="bench",
        name="Bench",
        region=Region.objects.get(key="uk"),
        auth_kind=AuthKind.KEY,
        api_key="a-key",
        receipt_secret=secret,
    )
    Sender.objects.create(service=made, address="SHOP", kind=SenderKind.ALPHANUMERIC, is_default=True)
    return made


def body(number: int, correlation_id: str) -> bytes:
    """A receipt of the usual length; another one for each number."""
    words, code = THREE[number % 3]
    return BODY % (
        number % 60,
        number % 1000,
        words,
        code,
        number % 10**8,
        words,
        number % 10**12,
        correlation_id.encode(),
    )


def maker(shop: Service, secret: str) -> Callable[[int], tuple[bytes, bytes]]:
    """The n-th receipt, signed; three in a row are about one message."""
    key, hmac_key = shop.correlation_key, secret.encode()

    def make(number: int) -> tuple[bytes, bytes]:
        raw = body(number, correlation_id.write(message_id=number // 3 + 1, attempt=1, key=key))
        return raw, b"x-hub-signature: sha256=%s\r\n" % hmac.digest(hmac_key, raw, "sha256").hex().encode()

    return make


def forgeries(path: str, make: Callable[[int], tuple[bytes, bytes]]) -> dict[str, tuple[str, Callable]]:
    """Kinds of forged requests, each a path and a maker."""

    def changed(number: int) -> tuple[bytes, bytes]:
        raw, header = make(number)
        at = number % len(raw)
        return raw[:at] + bytes([raw[at] ^ (1 + number % 127)]) + raw[at + 1 :], header

    def other_signature(number: int) -> tuple[bytes, bytes]:
        raw, header = make(number)
        at = len(header) - 3 - number % 64
        digit = b"1" if header[at : at + 1] == b"0" else b"0"
        return raw, header[:at] + digit + header[at + 1 :]

    def sha1(number: int) -> tuple[bytes, bytes]:
        raw, _ = make(number)
        return raw, b"x-hub-signature: sha1=%s\r\n" % hashlib.sha1(raw).hexdigest().encode()

    def unsigned(number: int) -> tuple[bytes, bytes]:
        return make(number)[0], b""

    guessed = path[:-3] + ("A" if path[-3] != "A" else "B") + path[-2:]
    return {
        "body": (path, changed),
        "signature": (path, other_signature),
        "sha1": (path, sha1),
        "unsigned": (path, unsigned),
        "token": (guessed, make),
    }


def stored() -> int:
    """Receipts in the database."""
    return Receipt.objects.count()


def lost(bodies: list[bytes]) -> int:
    """Bodies answered with 200 that are not stored byte for byte."""
    wanted = set(bodies)
    for raw in Receipt.objects.order_by().values_list("raw", flat=True).iterator(chunk_size=5000):
        wanted.discard(bytes(raw))
    return len(wanted)


def empty() -> None:
    """No receipt at all."""
    ReceiptInbox.objects.all().delete()
    Receipt.objects.all().delete()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE sms_click, sms_receiptinbox, sms_receipt")


def waiting(shop: Service, count: int) -> tuple[Send, list[int]]:
    """A send of `count` / 3 messages with three receipts each in the inbox; the send and its messages' ids."""
    empty()
    send = Send.objects.create(
        service=shop,
        name="Fold",
        sender=shop.senders.get(),
        text="x",
        due_at=timezone.now(),
        recipients=count // 3,
    )
    now = timezone.now()
    Message.objects.bulk_create(
        (
            Message(
                send=send,
                msisdn=f"+4477{n:08d}",
                country="GB",
                row=n,
                text="Hello, your order is on its way.",
                state="queued",
                attempt=1,
                provider_id=f"1f0c2b64-97f2-4d6b-8f0a-{n:012d}",  # as the reply that made it queued
                posted_at=POSTED,
                queued_at=POSTED + timedelta(milliseconds=90),
            )
            for n in range(count // 3)
        ),
        batch_size=5000,
    )
    ids = list(Message.objects.filter(send=send).order_by("pk").values_list("pk", flat=True))
    key = shop.correlation_key
    batch = []
    for number in range(count // 3 * 3):
        pk = ids[number // 3]
        raw = body(number, correlation_id.write(message_id=pk, attempt=1, key=key))
        batch.append(Incoming(shop.pk, raw, now, pk, 1))
    for start in range(0, len(batch), 2000):
        insert(batch[start : start + 2000])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE sms_message")
            cursor.execute("VACUUM ANALYZE sms_receiptinbox")
    del batch
    gc.collect()
    gc.freeze()  # what made the receipts is ours, and no dispatcher would carry it along
    return send, ids


def fold_only(shop: Service, count: int) -> float:
    """Seconds of folding them."""
    waiting(shop, count)
    started = time.perf_counter()
    while receipts.fold(now=timezone.now() + timedelta(seconds=1)):
        pass
    return time.perf_counter() - started


def fold(shop: Service, count: int) -> dict[str, object]:
    """Receipts a second through `receipts.fold`, three for each message, and the UPDATE alone as prototyped."""
    send, ids = waiting(shop, count)
    started, looked = time.perf_counter(), 0
    while done := receipts.fold(now=timezone.now() + timedelta(seconds=1)):
        looked += done
    took = time.perf_counter() - started
    figures: dict[str, object] = {
        "receipts": looked,
        "per_second": round(looked / took),
        "states": send.counts(),
        "delivered": Message.objects.filter(send=send, state="delivered").count(),
        "left": ReceiptInbox.objects.count(),
        "goal_per_second": 50_000,
    }
    if connection.vendor == "postgresql":
        bare = _bare_fold(ids)
        figures |= {
            "bare_update_per_second": round(bare),
            "ratio_to_bare_update": round(looked / took / bare, 2),
        }
    return figures


def _bare_fold(ids: list[int]) -> float:
    """Events a second that one UPDATE from an array folds, 20 000 at a time, with no receipt read or forgotten."""
    at, events = timezone.now(), 0
    started = time.perf_counter()
    with connection.cursor() as cursor:
        for start in range(0, len(ids), 6666):
            part = ids[start : start + 6666]
            cursor.execute(
                "UPDATE sms_message m SET state = v.state, code = v.code, final_at = %s FROM"
                " (SELECT id, max(state) AS state, max(code) AS code FROM unnest(%s::bigint[], %s::text[], %s::text[])"
                " AS e(id, state, code) GROUP BY id) v WHERE m.id = v.id",
                [
                    at,
                    part * 3,
                    ["submitted"] * len(part) * 2 + ["delivered"] * len(part),
                    ["7500"] * len(part) * 3,
                ],
            )
            events += 3 * len(part)
    return events / (time.perf_counter() - started)


def old_receipts(shop: Service, count: int) -> None:
    """Receipts of the past with plausible keys and bodies, made by PostgreSQL itself."""
    with connection.cursor() as cursor:
        for done in range(0, count, 500_000):
            cursor.execute(
                "INSERT INTO sms_receipt (service_id, message_id, attempt, dedupe, raw, received_at)"
                " SELECT %s, n / 3 + 1, 1, substring(int8send(n / 3 + 1) from 3) || substring(decode(md5(n::text), 'hex') from 1 for 10),"
                " convert_to(repeat(md5(n::text), 12), 'UTF8'), now() - interval '30 days'"
                " FROM generate_series(%s::bigint, %s::bigint) AS n",
                [shop.pk, done + 1, min(done + 500_000, count)],
            )
        cursor.execute("VACUUM ANALYZE sms_receipt")
        cursor.execute("CHECKPOINT")
