"""How long an urgent message waits while a send of 100 000 is under way: from its commit to its arrival at the provider.

`python -m tests.bench.urgent [--messages 60] [--bulk 100000] [--rate 100] [--only …]` prints one JSON line per database.
"""

import argparse
import json
import statistics
import time

from tests.bench.rig.ground import DATABASES, Ground, ground
from tests.bench.rig.stub import Stub, stub


def main() -> None:
    """Run and print."""
    line = argparse.ArgumentParser()
    line.add_argument("--messages", type=int, default=60)
    line.add_argument("--bulk", type=int, default=100_000)
    line.add_argument("--rate", type=int, default=100)
    line.add_argument("--only", choices=DATABASES)
    options = line.parse_args()
    for database in DATABASES:
        if options.only in (None, database):
            with ground(database) as here, stub() as provider:
                print(json.dumps(measure(here, provider, database, options)), flush=True)


def measure(here: Ground, provider: Stub, database: str, options: argparse.Namespace) -> dict[str, object]:
    """Urgent sends of one message each, some time apart, beside the large one."""
    here.clerk.service(provider.url, batch=1, rate=options.rate)
    bulk = here.clerk.send("Our summer sale begins.", options.bulk, batch=1, start=0)
    waits: list[float] = []
    with here.dispatchers(2):
        time.sleep(5)
        for number in range(options.messages):
            text = f"Your code is {number:06d}"
            accepted = here.clerk.ask("urgent", text=text, start=9_000_000 + number)
            time.sleep(0.9)
            arrived = [one.at for one in provider.arrivals() if one.text == text]
            while not arrived:
                assert time.time() < accepted + 30, "an urgent message did not come"
                time.sleep(0.2)
                arrived = [one.at for one in provider.arrivals() if one.text == text]
            waits.append(arrived[0] - accepted)
        here.clerk.ask("cancel", send=bulk)
    return {
        "bench": "urgent",
        "database": database,
        "beside": options.bulk,
        "rate": options.rate,
        "messages": len(waits),
        "p50_seconds": round(statistics.median(waits), 3),
        "p99_seconds": round(statistics.quantiles(waits, n=100)[98], 3),
        "longest_seconds": round(max(waits), 3),
        "goal_p99_seconds": 2.0,
    }


if __name__ == "__main__":
    main()
