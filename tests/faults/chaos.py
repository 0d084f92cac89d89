"""The chaos run: `python -m tests.faults.chaos [--messages 2000] [--kills 30] [--on postgresql]` prints one line of JSON.

Dispatchers die every second or so and are started again, the web process dies now and then, and about a third of all requests meet a
fault: half of them in the sandbox (500, replies cut in half), half on the way (resets, cut, dripping and half-closed replies). When
the kills are done the weather turns calm; the figure is how long it then takes until nothing moves, and what the records say.
"""

import argparse
import atexit
import json
import random
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests import environment

# `tests.faults.crash` asks the product how its web server is started, which wants settings
atexit.register(shutil.rmtree, environment.isolate(), ignore_errors=True)

import django  # noqa: E402

django.setup()

from tests import postgres  # noqa: E402
from tests.faults import proxy  # noqa: E402
from tests.faults.crash import Field, Pack, field_of, figure  # noqa: E402
from tests.faults.frozen import through_a_proxy  # noqa: E402

SANDBOX = ("--fault", "http_500=0.08", "--fault", "malformed=0.06", "--fault", "receipt_shuffle=0.2")
SANDBOX_SHARE = 0.14
KINDS: tuple[proxy.Kind, ...] = ("reset_before", "reset_after", "cut_reply", "half_close", "drip", "refuse")
LATEST = 2  # exchange of a connection in which it meets its fault
CALM = 300.0  # seconds
STORM = 120.0  # seconds at most
RETRY = ("--retry-seconds", "2")


def weather(seed: int) -> proxy.Chooser:
    """Faults for connections: each meets its own in one of its first exchanges."""
    chance = random.Random(seed)

    def choose() -> proxy.Fault:
        kind = chance.choice(KINDS)
        after = chance.randrange(1, 200)
        return proxy.Fault(kind, after=after, seconds=0.02, exchange=chance.randrange(1, LATEST + 1))

    return choose


def run(field: Field, *, messages: int, kills: int, seed: int) -> dict[str, object]:
    """One storm and the calm after it."""
    chance, text = random.Random(seed), f"chaos {seed}"
    with through_a_proxy(field) as between:
        between.otherwise(weather(seed))
        send = field.send(text, messages)
        pack, started = Pack(field, 3), time.monotonic()
        try:
            while pack.kills < kills or _too_much_left(field, send, messages, started):
                time.sleep(chance.uniform(0.3, 1.5))
                pack.kill(chance.randrange(3))
                pack.revive()
                if pack.kills % 10 == 5:
                    field.kill_web()
                    field.start_web()
            left = field.clerk.page(send).get("pending", 0)
            between.otherwise(proxy.CLEAN)
            calm = time.monotonic()
            while not field.is_settled(send, text) and time.monotonic() < calm + CALM:
                pack.revive()
                time.sleep(0.5)
            settled = time.monotonic()
        finally:
            pack.end()
        verdict = field.verdict(send, text)
        facts = field.clerk.facts_differ()
        seen = between.statistics
    met = sum(count for kind, count in seen.faults.items() if kind != "refuse")
    print(verdict.sentence, file=sys.stderr)
    return figure(
        "chaos",
        [verdict],
        seed=seed,
        kills=pack.kills,
        storm_seconds=round(calm - started, 1),
        pending_at_calm=left,
        settled_seconds=round(settled - calm, 1),
        faulty=round(met / max(seen.exchanges, 1) + SANDBOX_SHARE, 2),
        faults=dict(seen.faults),
        parked_but_sent=max(verdict.arrived + len(verdict.parked) - verdict.messages, 0),
        facts=facts or "equal the ledger",
        wrong=[*verdict.wrong, *(["facts"] if facts else [])],
    )


def _too_much_left(field: Field, send: int, messages: int, started: float) -> bool:
    """A storm that hardly a message went through proves little."""
    left = field.clerk.page(send).get("pending", 0)
    return left > 0.5 * messages and time.monotonic() - started < STORM


def main() -> int:
    """Exit code 1 where anything is wrong."""
    given = argparse.ArgumentParser(prog="python -m tests.faults.chaos")
    given.add_argument("--messages", type=int, default=2000)
    given.add_argument("--kills", type=int, default=30)
    given.add_argument("--seed", type=int, default=1)
    given.add_argument(
        "--rate", type=int, default=60, help="messages a second, so that the storm outlasts the kills"
    )
    given.add_argument("--on", choices=("sqlite", "postgresql"), default="sqlite")
    options = given.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="textdesk-chaos-"))
        database = f"sqlite:///{folder}/chaos.sqlite3"
        if options.on == "postgresql":
            database = stack.enter_context(postgres.fresh_database(stack.enter_context(postgres.server())))
        field = stack.enter_context(
            field_of(Path(folder), database, *SANDBOX, *RETRY, "--seed", str(options.seed))
        )
        field.rate = options.rate
        found = run(field, messages=options.messages, kills=options.kills, seed=options.seed)
    found["database"] = options.on
    print(json.dumps(found))
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
