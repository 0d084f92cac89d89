"""`POST /v2/messages`: requests a second through the web server, beside a bare DRF view with one insert, the generator on the same cores.

`python -m tests.bench.api [--only sqlite|postgresql] [--seconds 20] [--rounds 50]` prints one JSON line per figure.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests import postgres
from tests.bench.receipts import ROOT, server
from tests.bench.rig.shooter import Make, Shots, shoot
from tests.support.processes import environment

PATH = "/v2/messages"


def main() -> None:
    """One process for each database, since Django knows one."""
    line = argparse.ArgumentParser()
    line.add_argument("--only", choices=("sqlite", "postgresql"), default="postgresql")
    line.add_argument("--seconds", type=float, default=20.0)
    line.add_argument("--rounds", type=int, default=50)
    line.add_argument("--one", choices=("sqlite", "postgresql"), help=argparse.SUPPRESS)
    options = line.parse_args()
    if options.one:
        one(options)
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'bench.sqlite3'}"
        if options.only == "postgresql":
            url = stack.enter_context(postgres.fresh_database(stack.enter_context(postgres.server())))
        env = environment(folder, url) | {
            "PUBLIC_URL": "http://127.0.0.1:8000",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "ALLOWED_HOSTS": "127.0.0.1",
        }
        command = [sys.executable, "-m", "tests.bench.api", "--one", options.only, *sys.argv[1:]]
        subprocess.run(command, cwd=ROOT, env=env, check=True)


def one(options: argparse.Namespace) -> None:
    """All figures on the database of the environment."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    from sms.models import Message, Send
    from tests.support.partners import a_key, a_partner_service

    # spend caps are counted and far away, as on an ordinary day
    far = dict.fromkeys(("cap_day", "cap_key", "cap_country"), 100_000_000)
    token = a_key(a_partner_service(**far, cap_number=50), per_minute=1_000_000).encode()
    with server() as port:
        shoot(port, PATH, maker(token), seconds=3)
        shots = shoot(port, PATH, maker(token), seconds=options.seconds, first=10**6)
        calm = shoot(port, PATH, maker(token), seconds=5, first=2 * 10**6, connections=8)
        before = Message.objects.count()
        many = shoot(port, PATH, maker(token, 1000), seconds=120, first=3 * 10**6, count=40, connections=1)
        stored = Message.objects.count() - before
        twice, missing = 0, 0
        for round_ in range(options.rounds):
            sends = Send.objects.count()
            same = maker(token, more=f"Idempotency-Key: round-{round_}\r\n".encode())
            shoot(port, PATH, lambda _, same=same: same(7), seconds=60, count=100, connections=100)
            made = Send.objects.count() - sends
            twice, missing = twice + (made > 1), missing + (made < 1)
    with server("tests.bench.rig.bare_view:application") as port:
        shoot(port, PATH, maker(token), seconds=2)
        bare = shoot(port, PATH, maker(token), seconds=options.seconds / 2, first=10**6)
    goal = {"goal_per_second": 250, "goal_p99_ms": 150}
    figures = rate(shots) | {"p99_of_8_connections_ms": calm.percentile(0.99)} | goal
    bare_rate = rate(bare)["per_second"]
    say(
        options,
        "single",
        **figures,
        bare_per_second=bare_rate,
        ratio=round(figures["per_second"] / bare_rate, 2),
    )
    say(
        options,
        "thousand",
        answers=dict(many.answers),
        p95_ms=many.percentile(0.95),
        goal_ms=300,
        stored=stored,
    )
    say(options, "identical", rounds=options.rounds, each=100, sends_too_many=twice, rounds_without=missing)


def maker(token: bytes, destinations: int = 1, more: bytes = b"") -> Make:
    """The n-th request, to numbers of its own."""

    def make(number: int) -> tuple[bytes, bytes]:
        to = [
            {
                "msisdn": [f"4477{(number * destinations + at) % 10**8:08d}"],
                "correlationId": f"c{number}-{at}",
            }
            for at in range(destinations)
        ]
        text = {"type": "text", "text": "Your code is 123456. It is good for ten minutes."}
        body = json.dumps({"channel": "sms", "from": "SHOP", "to": to, "content": text}).encode()
        return body, b"key: %s\r\n%s" % (token, more)

    return make


def rate(shots: Shots) -> dict[str, object]:
    """201s a second, and how long they took."""
    return {
        "per_second": round(shots.answers[201] / shots.took),
        "p50_ms": shots.percentile(0.5),
        "p99_ms": shots.percentile(0.99),
        "answers": dict(shots.answers),
    }


def say(options: argparse.Namespace, name: str, **figures: object) -> None:
    """One line."""
    print(json.dumps({"bench": f"api_{name}", "database": options.one} | figures), flush=True)


if __name__ == "__main__":
    main()
