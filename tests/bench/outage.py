"""What a provider that is away costs: how many messages are left unconfirmed, and how soon the first one goes when it is back.

`python -m tests.bench.outage [--minutes 1] [--only …]` prints one JSON line per database and kind of outage: `down` answers 503 to
everything, `hanging` takes requests and says nothing. Compressed: the breaker's longest pause is 30 s, so one minute shows what ten would.
"""

import argparse
import json
import time

from tests.bench.rig.ground import DATABASES, Ground, ground
from tests.bench.rig.stub import Stub, stub

PROCESSES = 2
POSTERS = 8  # a process has while nothing is slow


def main() -> None:
    """Run and print."""
    line = argparse.ArgumentParser()
    line.add_argument("--minutes", type=float, default=1.0)
    line.add_argument("--only", choices=DATABASES)
    options = line.parse_args()
    for database in DATABASES:
        if options.only not in (None, database):
            continue
        for kind in ("down", "hanging"):
            with ground(database) as here, stub() as provider:
                print(json.dumps(measure(here, provider, database, kind, options.minutes)), flush=True)


def measure(here: Ground, provider: Stub, database: str, kind: str, minutes: float) -> dict[str, object]:
    """One send, interrupted."""
    here.clerk.service(provider.url, batch=1, rate=200)
    send = here.clerk.send("Through an outage.", 4000, batch=1, start=0)
    with here.dispatchers(PROCESSES):
        time.sleep(5)
        provider.become(kind)
        time.sleep(minutes * 60)
        provider.arrivals()
        provider.become("up")
        back = time.time()
        states = here.wait_until_posted(send, timeout=180)
        arrivals = provider.arrivals()
    parked = states.get("unconfirmed", 0)
    assert parked + states["queued"] == 4000, states
    return {
        "bench": "outage",
        "database": database,
        "kind": kind,
        "minutes": minutes,
        "dispatchers": PROCESSES,
        "parked": parked,
        "goal_parked": PROCESSES * POSTERS + 3,
        "first_after_seconds": round(arrivals[0].at - back, 1),
        "goal_first_after_seconds": 60,
    }


if __name__ == "__main__":
    main()
