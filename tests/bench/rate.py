"""Whether the contracted rate is used, and never exceeded: two dispatchers on one service, arrivals stamped by the provider.

`python -m tests.bench.rate [--seconds 120] [--rate 20 --rate 100 --rate 300] [--only sqlite|postgresql]` prints one JSON line for each
database and rate: the share of the contract used between the first and the last arrival, and the fullest window of one second.
"""

import argparse
import json
import time

from tests.bench.rig.ground import DATABASES, Ground, ground
from tests.bench.rig.stub import Stub, fullest_second, stub

RATES = (20, 100, 300)
PROCESSES = 2


def main() -> None:
    """Run and print."""
    line = argparse.ArgumentParser()
    line.add_argument("--seconds", type=float, default=120.0)
    line.add_argument("--rate", type=int, action="append")
    line.add_argument("--only", choices=DATABASES)
    options = line.parse_args()
    for database in DATABASES:
        if options.only in (None, database):
            with ground(database) as here, stub() as provider:
                for rate in options.rate or RATES:
                    print(json.dumps(measure(here, provider, database, rate, options.seconds)), flush=True)


def measure(here: Ground, provider: Stub, database: str, rate: int, seconds: float) -> dict[str, object]:
    """One send that lasts a little longer than `seconds`, measured over exactly that long."""
    here.clerk.service(provider.url, batch=1, rate=rate)
    count = int(rate * seconds * 1.05) + rate
    send = here.clerk.send(f"At {rate} a second.", count, batch=1, start=rate * 100_000 % 5_000_000)
    provider.arrivals()
    provider.limit(rate)
    provider.throttled = 0
    with here.dispatchers(PROCESSES):
        time.sleep(seconds + 4)
        arrivals = provider.arrivals()
        here.clerk.ask("cancel", send=send)
    begin = arrivals[0].at + 1.0  # both dispatchers are there
    within = [one for one in arrivals if begin <= one.at < begin + seconds]
    return {
        "bench": "rate",
        "database": database,
        "contracted": rate,
        "dispatchers": PROCESSES,
        "seconds": seconds,
        "used": round(len(within) / (rate * seconds), 4),
        "goal_used": 0.98,
        "fullest_second": fullest_second(arrivals),
        "most_allowed": rate + 1,
        "throttled": provider.throttled,
    }


if __name__ == "__main__":
    main()
