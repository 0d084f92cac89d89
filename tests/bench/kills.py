"""Ten SIGKILLs of a dispatcher in one send, beside a provider that answers 503 to 5 % and loses its answer to 1 % of what it takes.

`python -m tests.bench.kills [--messages 1500] [--kills 10] [--only sqlite|postgresql]` prints one JSON line per database. What counts:
messages that a person must settle although no byte of them reached the provider, for each kill; what was posted twice or lost; and the
seconds from a kill until nothing is leased by the dead and the next dispatcher posts.
"""

import argparse
import atexit
import http.client
import json
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests import environment

# `tests.faults.crash` asks the product how its web server is started, which wants settings
atexit.register(shutil.rmtree, environment.isolate(), ignore_errors=True)

import django  # noqa: E402

django.setup()

from tests import postgres  # noqa: E402
from tests.bench.rig.databases import DATABASES  # noqa: E402
from tests.faults import reconciliation  # noqa: E402
from tests.faults.crash import Dispatcher, Field, field_of  # noqa: E402
from tests.support.processes import until  # noqa: E402

UNAVAILABLE, ANSWER_LOST = 0.05, 0.01
RATE = 100
TEXT = "kills"
PATIENCE = 180.0
GOAL_PARKED, GOAL_SECONDS = 2, 15


class FaultyProvider(ThreadingHTTPServer):
    """Before the sandbox: keeps which messages reached it, and fails."""

    daemon_threads = True

    def __init__(self, sandbox_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sandbox_port = sandbox_port
        self.chance = random.Random(1)
        self.reached: set[int] = set()
        self.requests = self.unavailable = self.answers_lost = 0

    def handle_error(self, *_given: object) -> None:
        """Those who die leave connections behind."""


class _Handler(BaseHTTPRequestHandler):
    server: FaultyProvider
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.behind = http.client.HTTPConnection("127.0.0.1", self.server.sandbox_port, timeout=60)

    def finish(self) -> None:
        self.behind.close()
        super().finish()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests += 1
        self.server.reached |= {
            reconciliation.stem(to["correlationId"])[0] for to in json.loads(body).get("to", ())
        }
        fate = self.server.chance.random()
        if fate < UNAVAILABLE:
            self.server.unavailable += 1
            self._answer(503, b"")
            return
        self.behind.request("POST", self.path, body, {name: self.headers[name] for name in self.headers})
        reply = self.behind.getresponse()
        said = reply.read()
        if fate < UNAVAILABLE + ANSWER_LOST:
            self.server.answers_lost += 1
            self.close_connection = True
            return
        self._answer(reply.status, said)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_given: object) -> None:
        """Nothing."""


@contextmanager
def provider_of(field: Field) -> Iterator[FaultyProvider]:
    """It takes what this field's services send, for the length of the block."""
    with FaultyProvider(field.sandbox_port) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        field.provider_port = found.server_address[1]
        try:
            yield found
        finally:
            found.shutdown()
            field.provider_port = 0


def main() -> None:
    """One after the other."""
    line = argparse.ArgumentParser()
    line.add_argument("--messages", type=int, default=1500)
    line.add_argument("--kills", type=int, default=10)
    line.add_argument("--only", choices=DATABASES)
    options = line.parse_args()
    for database in DATABASES:
        if options.only in (None, database):
            print(json.dumps(measure(database, options.messages, options.kills)), flush=True)


def measure(database: str, messages: int, kills: int) -> dict[str, object]:
    """One send, killed at even distances."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'bench.sqlite3'}"
        if database == "postgresql":
            url = stack.enter_context(postgres.fresh_database(stack.enter_context(postgres.server())))
        field = stack.enter_context(field_of(folder, url, "--retry-seconds", "2"))
        field.rate = RATE
        provider = stack.enter_context(provider_of(field))
        send = field.send(TEXT, messages)
        parked: list[int] = []
        seconds: list[float] = []
        dispatcher = field.dispatcher(fresh=True)
        stack.callback(dispatcher.kill)
        for number in range(1, kills + 1):
            share = messages * number // (kills + 1)
            until(lambda share=share: len(provider.reached) >= share, "so much was posted")
            _kill(dispatcher)
            killed, reached = time.monotonic(), len(provider.reached)
            dead, dispatcher = dispatcher, field.dispatcher(fresh=True)
            stack.callback(dispatcher.kill)
            until(lambda dead=dead: not field.clerk.leased_by(dead.pid), "nothing is leased by the dead")
            until(lambda reached=reached: len(provider.reached) > reached, "the next one posts")
            seconds.append(time.monotonic() - killed)
            parked.append(len(_never_posted(field, send, provider)))
        deadline = time.monotonic() + PATIENCE
        while not field.is_settled(send, TEXT) and time.monotonic() < deadline:
            assert dispatcher.poll() is None, field.log
            time.sleep(0.2)
        verdict = field.verdict(send, TEXT)
        ended = len(_never_posted(field, send, provider))
        return {
            "bench": "kills",
            "database": database,
            "messages": messages,
            "kills": kills,
            "requests": provider.requests,
            "answered_503": provider.unavailable,
            "answers_lost": provider.answers_lost,
            "unconfirmed": len(verdict.parked),
            "never_posted": ended,
            "never_posted_by_kill": [now - before for before, now in zip([0, *parked], parked, strict=False)],
            "twice": len(verdict.duplicates),
            "lost": len(verdict.lost),
            "seconds_until_they_go_on": [round(value, 1) for value in seconds],
            "wrong": verdict.wrong,
            "states": verdict.states,
            "goal_never_posted_by_kill": GOAL_PARKED,
            "goal_seconds": GOAL_SECONDS,
        }


def _kill(dispatcher: Dispatcher) -> None:
    dispatcher.kill()
    dispatcher.wait()


def _never_posted(field: Field, send: int, provider: FaultyProvider) -> list[int]:
    """A person must settle them, and the provider never heard of them."""
    return [
        row.id
        for row in field.clerk.rows(send)
        if row.state == "unconfirmed" and row.id not in provider.reached
    ]


if __name__ == "__main__":
    main()
