"""What each fault costs, and how soon operators hear of it: one fault at a time in the middle of a send, among real processes.

`python -m tests.bench.told [--seconds 70] [--rate 5] [--only stopped …]` prints one JSON line per fault: seconds from its beginning until
the operators' webhook is called, whether every receipt was applied in the end, messages lost, sent twice and left unconfirmed, and
seconds from its end until the next message leaves: the delay that it leaves behind. It starts a PostgreSQL and a Redis of its own.
"""

import argparse
import atexit
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests import environment

# `tests.faults.crash` asks the product how its web server is started, which wants settings
atexit.register(shutil.rmtree, environment.isolate(), ignore_errors=True)

import django  # noqa: E402

django.setup()

from tests import postgres  # noqa: E402
from tests.faults import proxy, reconciliation  # noqa: E402
from tests.faults.crash import Dispatcher, Field, field_of  # noqa: E402
from tests.support.callback_receiver import Receiver, receiving  # noqa: E402
from tests.support.processes import until  # noqa: E402
from tests.support.redis_server import RedisServer  # noqa: E402

BEFORE = 5.0  # seconds
PATIENCE = 300.0
GOAL_TOLD, GOAL_DELAY = 60, 15  # seconds


@dataclass
class Place:
    """`way` leads web server and dispatcher to the database, `provider` the dispatcher to Webex Connect."""

    field: Field
    server: postgres.Cluster
    url: str
    way: proxy.Proxy
    provider: proxy.Proxy
    redis: RedisServer
    receiver: Receiver
    dispatcher: Dispatcher

    def arrived(self, text: str) -> int:
        log = reconciliation.of_text(reconciliation.ledger(self.field.sandbox_port), text)
        return sum(line["kind"] == "message" for line in log)

    def start_dispatcher(self) -> None:
        self.dispatcher = self.field.dispatcher(fresh=True, seconds=3600)


@contextmanager
def stopped(place: Place) -> Iterator[None]:
    place.server.stop_immediately()
    yield
    place.server.start()


@contextmanager
def silent(place: Place) -> Iterator[None]:
    place.way.hush()
    yield
    place.way.heal()


@contextmanager
def read_only(place: Place) -> Iterator[None]:
    place.server.execute("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    yield
    place.server.execute("ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")


@contextmanager
def locked(place: Place) -> Iterator[None]:
    with psycopg.connect(place.url) as owner:
        owner.execute("LOCK TABLE sms_message IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def killed(place: Place) -> Iterator[None]:
    """The only dispatcher, which nobody starts again."""
    place.dispatcher.kill()
    place.dispatcher.wait()
    yield
    place.start_dispatcher()


@contextmanager
def frozen(place: Place) -> Iterator[None]:
    os.kill(place.dispatcher.pid, signal.SIGSTOP)
    yield
    os.kill(place.dispatcher.pid, signal.SIGCONT)


@contextmanager
def web_killed(place: Place) -> Iterator[None]:
    through = place.field.env
    place.field.kill_web()
    yield
    place.field.env = through
    place.field.start_web()


@contextmanager
def refused(place: Place) -> Iterator[None]:
    place.provider.cut()
    yield
    place.provider.restore()


@contextmanager
def hanging(place: Place) -> Iterator[None]:
    place.provider.hush()
    yield
    place.provider.heal()


@contextmanager
def without_redis(place: Place) -> Iterator[None]:
    place.redis.stop()
    yield
    place.redis.start()


FAULTS = {
    "database stopped": stopped,
    "way to the database silent": silent,
    "database read-only": read_only,
    "table locked": locked,
    "dispatcher killed": killed,
    "dispatcher frozen": frozen,
    "web server killed": web_killed,
    "provider's port closed": refused,
    "provider silent": hanging,
    "Redis away": without_redis,
}


def main() -> None:
    """One after the other, each with a database of its own."""
    line = argparse.ArgumentParser()
    line.add_argument("--seconds", type=float, default=70.0)
    line.add_argument("--rate", type=int, default=5)
    line.add_argument("--only", choices=FAULTS, action="append")
    options = line.parse_args()
    for name in options.only or FAULTS:
        with place_of(options.rate) as place:
            print(json.dumps(measure(place, name, options.seconds, options.rate)), flush=True)


@contextmanager
def place_of(rate: int) -> Iterator[Place]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="textdesk-told-")))
        server = stack.enter_context(postgres.own_cluster())
        url = stack.enter_context(postgres.fresh_database(postgres.Server(server.base_url, "our own")))
        redis = RedisServer(folder)
        redis.start()
        stack.callback(redis.stop)
        receiver = stack.enter_context(receiving())
        parts = urlsplit(url)
        way = stack.enter_context(proxy.running(parts.port or 5432))
        said = {"OPERATIONS_WEBHOOK": f"{receiver.url}/hook", "REDIS_URL": redis.url}
        field = stack.enter_context(field_of(folder, url, "--retry-seconds", "60", web=False, **said))
        login = parts.netloc.rpartition("@")[0]
        through = urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{way.port}"))
        field.env = {**field.env, "DATABASE_URL": through}
        provider = stack.enter_context(proxy.running(field.sandbox_port))
        field.provider_port, field.rate = provider.port, rate
        field.start_web()
        first = field.dispatcher(fresh=True, seconds=3600)
        place = Place(field, server, url, way, provider, redis, receiver, first)
        try:
            yield place
        finally:
            place.dispatcher.kill()
            place.dispatcher.wait()


def measure(place: Place, name: str, seconds: float, rate: int) -> dict[str, object]:
    """One send, with the fault in it."""
    text, messages = "A send with a fault in it.", round(rate * (BEFORE + seconds / 2))
    send = place.field.send(text, messages)
    until(lambda: place.arrived(text) > 0, "the send has begun")
    time.sleep(BEFORE)
    begun, at_its_beginning = time.monotonic(), place.arrived(text)
    with FAULTS[name](place):
        time.sleep(seconds)
    over, at_its_end = time.monotonic(), place.arrived(text)
    stood_still = at_its_end < messages
    if stood_still:
        until(lambda: place.arrived(text) > at_its_end, "the next message leaves")
    goes_on = time.monotonic()
    deadline = goes_on + PATIENCE
    while not (settled := place.field.is_settled(send, text)) and time.monotonic() < deadline:
        time.sleep(0.2)
    verdict = place.field.verdict(send, text)
    log = reconciliation.of_text(reconciliation.ledger(place.field.sandbox_port), text)
    receipts = [line for line in log if line["kind"] == "receipt"]
    told = [
        (one.at - begun, one.json["fault"]) for one in place.receiver.heard if one.json["state"] == "begun"
    ]
    return {
        "bench": "told",
        "fault": name,
        "seconds": seconds,
        "messages": messages,
        "told_after_seconds": {word: round(at, 1) for at, word in reversed(told)},
        "posted_before_and_during": [at_its_beginning, at_its_end],
        "next_leaves_after_seconds": round(goes_on - over, 1) if stood_still else 0,
        "receipts": len({(one["correlationId"], one["status"]) for one in receipts}),
        "all_receipts_applied": settled,
        "twice": len(verdict.duplicates),
        "lost": len(verdict.lost),
        "unconfirmed": len(verdict.parked),
        "wrong": verdict.wrong,
        "goal_told_seconds": GOAL_TOLD,
        "goal_next_leaves_seconds": GOAL_DELAY,
    }


if __name__ == "__main__":
    main()
