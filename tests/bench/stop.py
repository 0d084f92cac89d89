"""How long after the click the last POST leaves: pause, resume and stop of one send at full rate, with two dispatchers.

`python -m tests.bench.stop [--runs 5] [--rate 300] [--only …]` prints one JSON line per database. Seconds from the moment the act is
committed to the last arrival at the provider; the goal is one second.
"""

import argparse
import json
import statistics
import time

from tests.bench.rig.ground import DATABASES, Ground, ground
from tests.bench.rig.stub import Stub, stub

ACTS = ("hold_send", "hold_sender", "pause_service", "cancel")
QUIET = 2.0  # seconds of silence that prove the end


def main() -> None:
    """Run and print."""
    line = argparse.ArgumentParser()
    line.add_argument("--runs", type=int, default=5)
    line.add_argument("--rate", type=int, default=0, help="contracted; 0 is as fast as possible")
    line.add_argument("--only", choices=DATABASES)
    options = line.parse_args()
    for database in DATABASES:
        if options.only in (None, database):
            with ground(database) as here, stub(latency=0.02) as provider:
                print(
                    json.dumps(measure(here, provider, database, options.rate or None, options.runs)),
                    flush=True,
                )


def measure(here: Ground, provider: Stub, database: str, rate: int | None, runs: int) -> dict[str, object]:
    """Every act, `runs` times."""
    here.clerk.service(provider.url, batch=1, rate=rate)
    found: dict[str, list[float]] = {act: [] for act in ACTS}
    with here.dispatchers(2):
        for run in range(runs):
            for act in ACTS:
                send = here.clerk.send(f"{act} {run}", 20_000, batch=1, start=0)
                time.sleep(2.5)
                assert provider.arrivals(), "nothing was under way"
                clicked = here.clerk.ask(act, send=send)
                time.sleep(QUIET)
                after = [one.at - clicked for one in provider.arrivals() if one.at > clicked]
                assert not after or max(after) < QUIET - 0.5, "it never stopped"
                found[act].append(max(after, default=0.0))
                here.clerk.ask("let_go", send=send)
                here.clerk.ask("cancel", send=send)
    return {
        "bench": "stop",
        "database": database,
        "rate": rate or "none",
        "median_seconds": {act: round(statistics.median(times), 3) for act, times in found.items()},
        "longest_seconds": round(max(max(times) for times in found.values()), 3),
        "goal_seconds": 1.0,
    }


if __name__ == "__main__":
    main()
