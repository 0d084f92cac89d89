"""Slow bodies: how long everybody else waits while strangers hold 8, 64 and 400 requests open at every kind of address.

`python -m tests.bench.slow_bodies [--only sqlite|postgresql] [--counts 8,64,400]` prints one JSON line for each count and one for none,
the same run's limit. All on this machine, and every sixth socket drips one byte a second.
"""

import argparse
import json
import statistics
import time
import urllib.request

from tests.bench.receipts import SECRET, server
from tests.bench.rig.databases import on_each
from tests.bench.rig.shooter import shoot
from tests.support.slow_bodies import slow_bodies

PAGES = ("/healthz", "/accounts/login/")
GOAL = 1000  # milliseconds


def main() -> None:
    line = argparse.ArgumentParser()
    line.add_argument("--counts", default="0,8,64,400")
    on_each(line, one)


def one(options: argparse.Namespace) -> None:
    """On the database of the environment."""
    from django.core.management import call_command

    from tests.bench.rig import receipts_desk as desk

    call_command("collectstatic", verbosity=0, interactive=False)
    shop = desk.service(SECRET)
    make = desk.maker(shop, SECRET)
    path = f"/receipts/{shop.webhook_token}/"
    for at, count in enumerate(map(int, options.counts.split(","))):
        with server() as port:
            shoot(port, path, make, seconds=1, first=(2 * at + 1) * 10**8)  # warm
            with slow_bodies(port, count) as sockets:
                shots = shoot(port, path, make, seconds=3, first=(2 * at + 2) * 10**8)
                pages = [waited(port, page) for _ in range(5) for page in PAGES]
                open_still = sum(not one.is_answered() for one in sockets)
            found = {
                "slow": count,
                "still_open": open_still,
                "receipts_p99_ms": shots.percentile(0.99),
                "receipts_per_second": round(shots.rate),
                "answers": dict(shots.answers),
                "lost": desk.lost(shots.bodies),
                "pages_median_ms": round(statistics.median(pages)),
                "pages_worst_ms": round(max(pages)),
                "goal_ms": GOAL,
            }
        print(json.dumps({"bench": "slow_bodies", "database": options.one} | found), flush=True)


def waited(port: int, page: str) -> float:
    """Milliseconds."""
    began = time.monotonic()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{page}", timeout=60) as answer:
        answer.read()
    return (time.monotonic() - began) * 1000


if __name__ == "__main__":
    main()
