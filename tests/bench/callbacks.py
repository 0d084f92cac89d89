"""Callbacks: how many a second one process delivers to a receiver on this machine, and what the outbox costs without listeners.

`python -m tests.bench.callbacks [--only sqlite|postgresql] [--count 5000] [--fold 50000]` prints one JSON line per figure. The limit
beside the first is the same letters posted by the same threads without any database; beside the second, the same fold with the
outbox taken out. Everything runs on this machine, the receiver too.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from tests.bench.rig.databases import on_each

ENDPOINTS = 8
ROUNDS = 4


def main() -> None:
    """One process for each database, since Django knows one."""
    line = argparse.ArgumentParser()
    line.add_argument("--count", type=int, default=5000)
    line.add_argument("--fold", type=int, default=50_000)
    on_each(line, one)


def one(options: argparse.Namespace) -> None:
    """All figures on the database of the environment."""
    from tests.bench.rig import receipts_desk as desk

    shop = desk.service("bench-secret")
    say(options, "hook", **hook(desk, shop, options.fold))
    say(options, "delivery", **delivery(shop, options.count))


def hook(desk, shop, count: int) -> dict[str, object]:
    """Folds with and without the outbox by turns (ABBA), each over receipts of its own: whatever grows with time weighs on both alike."""
    from sms.callbacks import outbox

    real = outbox.find_listeners
    seconds = {"with": 0.0, "without": 0.0}
    desk.fold(shop, count)  # warm
    for turn in range(ROUNDS):
        for kind in ("with", "without") if turn % 2 else ("without", "with"):
            outbox.find_listeners = real if kind == "with" else list
            seconds[kind] += count / float(desk.fold(shop, count)["per_second"])
    outbox.find_listeners = real
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
    from django.utils import timezone

    from sms import callbacks
    from sms.callbacks.post import CallbackRequest
    from sms.models import Callback, CallbackEndpoint

    policy = callbacks.AddressPolicy(loopback=True)
    with receiver() as url:
        endpoints = [
            CallbackEndpoint.objects.create(
                service=shop, name=f"{number}", url=f"{url}/{number}", verified_at=timezone.now()
            )
            for number in range(ENDPOINTS)
        ]
        now = timezone.now()
        body = json.dumps(
            {"type": "message.delivered", "data": {"message": 1, "to": "+44•••123", "state": "delivered"}}
        )
        Callback.objects.bulk_create(
            (
                Callback(
                    endpoint=endpoints[number % ENDPOINTS],
                    event_id=f"evt_{number}",
                    kind="message.delivered",
                    body=body,
                    created_at=now,
                    next_at=now,
                )
                for number in range(count)
            ),
            batch_size=1000,
        )
        started = time.monotonic()
        report = callbacks.run(policy=policy, seconds=300)
        took = time.monotonic() - started
        assert report.delivered == count == Callback.objects.filter(state="delivered").count(), report

        own = threading.local()

        def bare(number: int) -> None:
            if not hasattr(own, "line"):
                own.line = callbacks.ReceiverConnection(policy)
            secrets = (endpoints[0].secret,)
            assert own.line.post(CallbackRequest(f"evt_{number}", f"{url}/0", body.encode(), secrets)).ok

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


class receiver:  # noqa: N801 - a context manager
    """A process that answers 200 to everything, so that it does not share our interpreter."""

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
