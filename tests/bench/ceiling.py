"""How fast dispatch can be where no contract slows it, books included, against a stub that takes everything.

`python -m tests.bench.ceiling [--messages 8000] [--runs 3] [--only sqlite|postgresql] [--processes 1]` prints one JSON line per
database and batch size. The limit of batch 1 is the best bare arrangement of httpx, measured just before in the same run.
"""

import argparse
import json
import statistics

from tests.bench.rig.ground import DATABASES, Ground, best_bare_httpx, ground
from tests.bench.rig.stub import Stub, per_second, stub


def main() -> None:
    """Run and print."""
    line = argparse.ArgumentParser()
    line.add_argument("--messages", type=int, default=8000)
    line.add_argument("--runs", type=int, default=3)
    line.add_argument("--only", choices=DATABASES)
    line.add_argument("--processes", type=int, default=1, help="dispatchers for batch 1")
    line.add_argument("--batch", type=int, action="append")
    options = line.parse_args()
    for database in DATABASES:
        if options.only not in (None, database):
            continue
        for batch in options.batch or (1, 100):
            processes = options.processes if batch == 1 else 2
            count = options.messages if batch == 1 else options.messages * 10
            print(json.dumps(measure(database, batch, count, options.runs, processes)), flush=True)


def measure(database: str, batch: int, count: int, runs: int, processes: int) -> dict[str, object]:
    """The median of several sends; each is paired with the limit measured beside it."""
    rates, limits, ratios = [], [], []
    with ground(database) as here, stub() as provider:
        how = ""
        here.clerk.service(provider.url, batch=batch)
        for run in range(runs):
            limit, how = best_bare_httpx(provider.url) if batch == 1 else (10_000.0, "the goal")
            provider.arrivals()
            rates.append(_rate(here, provider, batch=batch, count=count, run=run, processes=processes))
            limits.append(limit)
            ratios.append(rates[-1] / limit)
    return {
        "bench": "ceiling",
        "database": database,
        "batch": batch,
        "dispatchers": processes,
        "messages": count,
        "per_second": round(statistics.median(rates)),
        "all_runs": [round(rate) for rate in rates],
        "limit_per_second": round(statistics.median(limits)),
        "limit": how,
        "ratio": round(statistics.median(ratios), 2),
        "goal_ratio": 0.85 if batch == 1 else 1.0,
    }


def _rate(here: Ground, provider: Stub, *, batch: int, count: int, run: int, processes: int) -> float:
    send = here.clerk.send(f"Hello {run}, your order is on its way.", count, batch=batch, start=run * count)
    with here.dispatchers(processes):
        states = here.wait_until_posted(send, timeout=300)
    arrivals = provider.arrivals()
    assert states == {"queued": count}, states
    assert sum(one.destinations for one in arrivals) == count, "posted once each"
    return per_second(arrivals)


if __name__ == "__main__":
    main()
