"""Callbacks: how many a second one process delivers to a receiver on this machine, and what the outbox costs without listeners.

`python -m tests.bench.callbacks [--only sqlite|postgresql] [--count 5000] [--fold 50000] [--behind 100000]` prints one JSON line per
figure. The limit beside `delivery` is the same letters posted by the same threads without any database; beside `hook`, the same fold with
the outbox taken out. `width` is one endpoint whose receiver takes 200 ms, alone and in batches; `urgent` how long an urgent event takes
behind `--behind` others; `neighbours` how long events take beside receivers that need ten seconds. Everything runs on this machine, the
receivers too.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.bench.rig.databases import on_each

ENDPOINTS = 8
ROUNDS = 4
SLOW = 10  # endpoints


def main() -> None:
    """One process for each database, since Django knows one."""
    line = argparse.ArgumentParser()
    line.add_argument("--count", type=int, default=5000)
    line.add_argument("--fold", type=int, default=50_000)
    line.add_argument("--behind", type=int, default=100_000)
    on_each(line, one)


def one(options: argparse.Namespace) -> None:
    """All figures on the database of the environment."""
    from tests.bench.rig import receipts_desk as desk

    shop = desk.service("bench-secret")
    say(options, "hook", **hook(desk, shop, options.fold))
    say(options, "delivery", **delivery(shop, options.count))
    for name, measure in (
        ("width", lambda: width(shop, 20_000, batch=1)),
        ("width", lambda: width(shop, 60_000, batch=100)),
        ("urgent", lambda: urgent(shop, options.behind)),
        ("neighbours", lambda: neighbours(shop)),
    ):
        shop.callback_endpoints.all().delete()
        say(options, name, **measure())


def hook(desk, shop, count: int) -> dict[str, object]:
    """Folds with and without the outbox by turns (ABBA), each over receipts of its own: whatever grows with time weighs on both alike."""
    from sms.callbacks import events

    real = events.find_followers
    seconds = {"with": 0.0, "without": 0.0}
    desk.fold(shop, count)  # warm
    for turn in range(ROUNDS):
        for kind in ("with", "without") if turn % 2 else ("without", "with"):
            events.find_followers = real if kind == "with" else lambda: None
            seconds[kind] += count / float(desk.fold(shop, count)["per_second"])
    events.find_followers = real
    started = time.perf_counter()
    for _ in range(200):
        real()
    return {
        "receipts": count,
        "per_second": round(count * ROUNDS / seconds["with"]),
        "per_second_without_outbox": round(count * ROUNDS / seconds["without"]),
        "query_ms": round((time.perf_counter() - started) * 1000 / 200, 3),
        "ratio": round(seconds["without"] / seconds["with"], 3),
        "goal_ratio": 0.97,
    }


def delivery(shop, count: int) -> dict[str, object]:
    """`count` callbacks to ENDPOINTS endpoints of one receiver."""
    from sms import callbacks
    from sms.callbacks.post import CallbackRequest
    from sms.models import Callback

    policy = callbacks.AddressPolicy(loopback=True)
    with receiver() as url:
        endpoints = [an_endpoint(shop, f"{url}/0/{number}") for number in range(ENDPOINTS)]
        body = owe(endpoints, count)[0].body
        started = time.monotonic()
        report = callbacks.run(policy=policy, seconds=300)
        took = time.monotonic() - started
        assert report.delivered == count == Callback.objects.filter(state="delivered").count(), report

        own = threading.local()

        def bare(number: int) -> None:
            if not hasattr(own, "line"):
                own.line = callbacks.ReceiverConnection(policy)
            secrets = (endpoints[0].secret,)
            assert own.line.post(CallbackRequest(f"evt_{number}", f"{url}/0/0", body.encode(), secrets)).ok

        started = time.monotonic()
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(bare, range(count)))
        limit = count / (time.monotonic() - started)
    return {
        "callbacks": count,
        "per_second": round(count / took),
        "without_database_per_second": round(limit),
        "ratio": round(count / took / limit, 2),
    }


def width(shop, count: int, *, batch: int) -> dict[str, object]:
    """One endpoint whose receiver takes 200 ms for each POST, from nothing."""
    from sms import callbacks

    with receiver() as url:
        endpoint = an_endpoint(shop, f"{url}/200/one-{batch}", batch_size=batch)
        owe([endpoint], count)
        started, worked = time.monotonic(), time.process_time()
        report = callbacks.run(policy=callbacks.AddressPolicy(loopback=True))
        took, worked = time.monotonic() - started, time.process_time() - worked
        assert report.delivered == count, report
        endpoint.refresh_from_db()
    return {
        "receiver_ms": 200,
        "in_one_post": batch,
        "callbacks": count,
        "per_second": round(count / took),
        "goal_per_second": 300,
        "cpu_ms_each": round(worked * 1000 / count, 3),
        "width": endpoint.width,
    }


def urgent(shop, behind: int) -> dict[str, object]:
    """Seconds from the writing of an urgent callback until it is delivered, `behind` others before it, to a receiver of 200 ms."""
    with receiver() as url:
        endpoint = an_endpoint(shop, f"{url}/200/urgent")
        owe([endpoint], behind)
        with at_work():
            time.sleep(2)
            seconds = [delivered_in(endpoint, priority=0) for _ in range(5)]
    return {"behind": behind, "seconds": max(seconds), "median": sorted(seconds)[2], "goal_seconds": 2}


def neighbours(shop) -> dict[str, object]:
    """Seconds that a callback to a quick receiver takes, alone and beside SLOW endpoints of ten seconds with long lines."""
    found = {}
    with receiver() as url:
        quick = an_endpoint(shop, f"{url}/20/quick")
        for kind, slow in (("alone", 0), ("beside_slow", SLOW)):
            owe([an_endpoint(shop, f"{url}/9500/slow-{number}") for number in range(slow)], slow * 1000)
            with at_work():
                time.sleep(2)
                found[kind] = max(delivered_in(quick) for _ in range(15))
    return {"slow": SLOW, **found, "goal_difference": 1}


@contextmanager
def at_work():
    """Deliver on a thread, until the block ends."""
    from django.db import connections

    from sms import callbacks

    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            callbacks.run(policy=callbacks.AddressPolicy(loopback=True), stopped=over.is_set)
            over.wait(0.2)
        connections.close_all()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def delivered_in(endpoint, **changes) -> float:
    """Write one callback; seconds until it is delivered."""
    one = owe([endpoint], 1, **changes)[0]
    started = time.monotonic()
    while time.monotonic() - started < 60:
        one.refresh_from_db(fields=["state"])
        if one.state == "delivered":
            return round(time.monotonic() - started, 2)
        time.sleep(0.02)
    raise AssertionError("not delivered in a minute")


def an_endpoint(shop, url: str, **changes):
    from django.utils import timezone

    from sms.models import CallbackEndpoint

    fields = {"name": url[-40:], "url": url, "verified_at": timezone.now()} | changes
    return CallbackEndpoint.objects.create(service=shop, **fields)


def owe(endpoints, count: int, **changes) -> list:
    """`count` callbacks, by turns to the endpoints."""
    from django.utils import timezone

    from sms.models import Callback

    now = timezone.now()
    rows = [
        Callback(
            endpoint=endpoints[number % len(endpoints)],
            event_id=f"evt_{time.monotonic_ns()}_{number}",
            kind="message.delivered",
            body=BODY,
            created_at=now,
            next_at=now,
            **changes,
        )
        for number in range(count)
    ]
    return Callback.objects.bulk_create(rows, batch_size=1000)


BODY = json.dumps(
    {
        "id": "evt_mh5zrkmq7bq2o4v3xw5rkq6pq7bq2o4v",
        "type": "message.delivered",
        "timestamp": "2026-03-02T09:15:07.412Z",
        "test": False,
        "data": {"message": 1, "send": 1, "row": 1, "number": "+44 7700 ••• 123", "state": "delivered"},
    }
)


class receiver:  # noqa: N801 - a context manager
    """A process that answers 200 to everything, so that it does not share our interpreter: to /200/… after 200 ms."""

    def __enter__(self) -> str:
        self.process = subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        return f"http://127.0.0.1:{self.process.stdout.readline().strip()}"

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


RECEIVER = """
import asyncio

class Answer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.heard = transport, b""
    def data_received(self, data):
        self.heard += data
        while b"\\r\\n\\r\\n" in self.heard:
            head, _, rest = self.heard.partition(b"\\r\\n\\r\\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\\r\\n")[0])
            if len(rest) < length:
                return
            self.heard = rest[length:]
            wait = int(head.split(b"/")[1]) / 1000
            asyncio.get_running_loop().call_later(wait, self.answer)
    def answer(self):
        self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")

async def main():
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


def say(options: argparse.Namespace, name: str, **figures: object) -> None:
    """One line."""
    print(json.dumps({"bench": f"callbacks_{name}", "database": options.one} | figures), flush=True)


if __name__ == "__main__":
    main()
