"""Whether claiming and recording cost more with millions of old messages than with none (PostgreSQL).

`python -m tests.bench.history [--rows 5000000] [--messages 6000] [--runs 3]` prints one JSON line: messages a second before and after the
old rows were made, alternating in one database is not possible, so the runs before are paired with the runs after by their order.
"""

import argparse
import json
import statistics
import time

from tests.bench.rig.ground import Ground, ground
from tests.bench.rig.stub import Stub, per_second, stub

BATCH = 100  # so that the books, not the requests, are what is measured


def main() -> None:
    """Run and print."""
    line = argparse.ArgumentParser()
    line.add_argument("--rows", type=int, default=5_000_000)
    line.add_argument("--messages", type=int, default=30_000)
    line.add_argument("--runs", type=int, default=5)
    options = line.parse_args()
    with ground("postgresql") as here, stub() as provider:
        here.clerk.service(provider.url, batch=BATCH)
        before = [_rate(here, provider, options.messages, run) for run in range(options.runs + 1)][1:]
        started = time.monotonic()
        here.clerk.ask("history", rows=options.rows)
        seconds = time.monotonic() - started
        after = [_rate(here, provider, options.messages, run) for run in range(options.runs + 1)][1:]
    fast, slow = statistics.median(before), statistics.median(after)
    figure = {
        "bench": "history",
        "old_rows": options.rows,
        "made_in_seconds": round(seconds),
        "per_second_without": round(fast),
        "per_second_with": round(slow),
        "all_runs": [[round(rate) for rate in before], [round(rate) for rate in after]],
        "cost_ratio": round(fast / slow, 2),
        "goal_ratio": 1.2,
    }
    print(json.dumps(figure), flush=True)


def _rate(here: Ground, provider: Stub, count: int, run: int) -> float:
    send = here.clerk.send(f"History {run}", count, batch=BATCH, start=run * count)
    provider.arrivals()
    with here.dispatchers(1):
        here.wait_until_posted(send, timeout=300)
    return per_second(provider.arrivals())


if __name__ == "__main__":
    main()
