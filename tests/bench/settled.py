"""What it costs to notice that sends are settled, and how long it takes to find things by the names that partners gave them.

`python -m tests.bench.settled [--only sqlite|postgresql] [--fold 15000] [--rows 200000]` prints one JSON line per figure. Of a fold
`share` is the part of its time that the look took. Finding is done over HTTP, in a service with `--rows` messages beside one with as many.
"""

import argparse
import json
import time
from datetime import timedelta

from tests.bench.rig.databases import on_each

ROUNDS = 3
ASKED = 30  # requests for each figure


def main() -> None:
    line = argparse.ArgumentParser()
    line.add_argument("--fold", type=int, default=15_000)
    line.add_argument("--rows", type=int, default=200_000)
    on_each(line, one)


def one(options: argparse.Namespace) -> None:
    """All figures on the database of the environment."""
    from tests.bench.rig import receipts_desk as desk

    shop = desk.service("bench-secret")
    for name, make in (("one_send", _one_send), ("sends_of_one", _sends_of_one)):
        if options.fold:
            say(options, name, **folds(shop, options.fold, make))
    say(options, "found", **found(shop, options.rows))


def folds(shop, count: int, make) -> dict[str, object]:
    """The time of the look within that of the folds which it belongs to: by turns, what else the machine does weighs more."""
    from django.utils import timezone

    from sms.inbound import receipts
    from sms.ledger import settled
    from sms.models import Send

    real, looks = settled.settle, list[float]()

    def timed(ids) -> int:
        started = time.perf_counter()
        done = real(ids)
        looks.append(time.perf_counter() - started)
        return done

    settled.settle, seconds, ended = timed, 0.0, 0
    for turn in range(ROUNDS + 1):
        make(shop, count)
        started = time.perf_counter()
        while receipts.fold(now=timezone.now() + timedelta(seconds=1)):
            pass
        took = time.perf_counter() - started
        if turn:  # the first one warms
            seconds += took
            ended += Send.objects.filter(settled_at__isnull=False).count()
        else:
            looks.clear()
        Send.objects.update(settled_at=None, state="sending")  # so that they are looked at no more
    settled.settle = real
    return {
        "receipts": count,
        "per_second": round(count * ROUNDS / seconds),
        "settled": ended,
        "looks": len(looks),
        "look_ms": round(sum(looks) * 1000 / len(looks), 1),
        "share": round(sum(looks) / seconds, 3),
    }


def _one_send(shop, count: int) -> None:
    from sms.models import Send, StateCount
    from tests.bench.rig import receipts_desk as desk

    send, ids = desk.waiting(shop, count)
    Send.objects.filter(pk=send.pk).update(state="finished")
    StateCount.objects.create(send=send, state="queued", window=1, delta=len(ids))


def _sends_of_one(shop, count: int) -> None:
    """As `/v2/messages` makes them: one message each. Three receipts of each message, as above."""
    from sms.models import Message, Send, StateCount
    from tests.bench.rig import receipts_desk as desk

    _, ids = desk.waiting(shop, count)
    sender, now = shop.senders.get(), desk.POSTED
    sends = Send.objects.bulk_create(
        [
            Send(service=shop, name="1", sender=sender, text="x", due_at=now, recipients=1, state="finished")
            for _ in ids
        ],
        batch_size=1000,
    )
    changed = [Message(pk=pk, send_id=send.pk) for pk, send in zip(ids, sends, strict=True)]
    Message.objects.bulk_update(changed, ["send"], batch_size=500)
    StateCount.objects.bulk_create(
        [StateCount(send=send, state="queued", window=1, delta=1) for send in sends], batch_size=1000
    )


def found(shop, rows: int) -> dict[str, object]:
    """Milliseconds of the slower requests (p95) for each way to find something."""
    from django.test import Client
    from django.utils import timezone

    from sms.catalogue import api_keys
    from sms.models import Actor, Service

    other = Service.objects.create(slug="other", name="Other", region=shop.region, api_key="x")
    by = Actor(kind="user", key="1", label="bench@example.test", door="page")
    _, token = api_keys.make(shop, by=by, name="Bench", scopes=["send", "read", "all"])
    for service in (shop, other):
        _fill(service, rows)
    _analyze()
    now = timezone.now()
    soon, late = (now - timedelta(minutes=5)).isoformat(), (now - timedelta(days=20)).isoformat()
    middle = rows // 2
    asked = {
        "reference": f"messages?reference=ref-{middle}",
        "shared_reference": "messages?reference=same",
        "correlation_id": f"messages?correlation_id=corr-{middle}",
        "provider_id": f"messages?provider_id=p-{shop.pk}-{middle}",
        "client_reference": f"sends?client_reference=order-{middle // 100}",
        "sends_of_a_reference": f"sends?reference=ref-{middle}",
        "messages_created_from": f"messages?created_from={soon}",
        "messages_created_until": f"messages?created_until={late}",
        "sends_created_from": f"sends?created_from={soon}",
        "messages_updated_since": f"messages?updated_since={soon}",
        "sends_updated_since": f"sends?updated_since={soon}",
        "sends_settled": "sends?state=settled",
        "rejects": f"rejects?reference=ref-{middle}",
    }
    client, figures = Client(SERVER_NAME="127.0.0.1"), dict[str, object]()
    for name, path in asked.items():
        took = []
        for _ in range(ASKED):
            started = time.perf_counter()
            answer = client.get(f"/api/v1/{path.replace('+', '%2B')}", headers={"key": token})
            took.append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 200, answer.content
        figures[name] = {"rows": len(answer.json()["items"]), "p95_ms": round(sorted(took)[-2], 1)}
    return {"messages": rows * 2} | figures


def _fill(service, rows: int) -> None:
    """Sends of a hundred over thirty days, each message with its names and an event; in the other service one reference names them all."""
    from django.utils import timezone

    from sms.models import Echo, Event, Message, Send, Sender

    sender = Sender.objects.filter(service=service).first()
    sender = sender or Sender.objects.create(service=service, address="SHOP2")
    now, month = timezone.now(), timedelta(days=30)
    for start in range(0, rows, 20_000):
        sends = [
            Send(
                service=service,
                name="Filled",
                sender=sender,
                text="x",
                recipients=100,
                state="finished",
                client_reference=f"order-{at // 100}",
                due_at=now,
                settled_at=now if at % 1000 else None,
            )
            for at in range(start, min(start + 20_000, rows), 100)
        ]
        Send.objects.bulk_create(sends, batch_size=1000)
        for place, send in enumerate(sends):
            send.created_at = now - month * (1 - (start + place * 100) / rows)
        Send.objects.bulk_update(sends, ["created_at"], batch_size=500)
        messages = [
            Message(
                send=sends[at // 100],
                msisdn=f"+4477{(start + at):08d}",
                row=at % 100 + 1,
                text="x",
                state="delivered",
                attempt=1,
                provider_id=f"p-{service.pk}-{start + at}",
                posted_at=sends[at // 100].created_at,
            )
            for at in range(len(sends) * 100)
        ]
        Message.objects.bulk_create(messages, batch_size=2000)
        Echo.objects.bulk_create(
            [
                Echo(
                    message=one,
                    service=service,
                    correlation_id=f"corr-{start + at}",
                    reference="same" if service.slug == "other" else f"ref-{start + at}",
                )
                for at, one in enumerate(messages)
            ],
            batch_size=2000,
        )
        Event.objects.bulk_create(
            [
                Event(
                    event_id=f"evt_{service.pk}_{one.pk}",
                    service=service,
                    type="message.delivered",
                    send_id=one.send_id,
                    message_id=one.pk,
                    at=one.posted_at,
                    created_at=one.posted_at,
                    transaction_id=start + at,
                )
                for at, one in enumerate(messages)
            ],
            batch_size=2000,
        )


def _analyze() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def say(options: argparse.Namespace, name: str, **figures: object) -> None:
    print(json.dumps({"bench": f"settled_{name}", "database": options.one} | figures), flush=True)


if __name__ == "__main__":
    main()
