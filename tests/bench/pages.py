"""What pages cost among ten million messages and thirty million receipts (PostgreSQL), and how large they are on the way.

`python -m tests.bench.pages [--messages 10000000] [--on URL --keys FOLDER]` prints one JSON line a page: milliseconds and CPU in the
server, queries, and kilobytes as a browser gets them. The history is that of `tests.bench.year`; with `--on` it is used as it stands
there. Pages are asked for through the application by somebody with all roles, without a network, where there are several each time
another one.
"""

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench import year
from tests.bench.rig.asking import TIMES, cost, signed_in
from tests.support.processes import environment

GOAL_MS, GOAL_LIVE_MS, GOAL_KB = 200, 30, 60
Address = Callable[[int], str]


def main() -> None:
    """The database, the history, and a process that knows them."""
    line = argparse.ArgumentParser()
    line.add_argument("--messages", type=int, default=10_000_000)
    line.add_argument("--on", help="the address of a database that holds a history")
    line.add_argument("--keys", type=Path, help="a folder with the keys of that database")
    line.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = line.parse_args()
    if options.one:
        one()
        return
    with ExitStack() as stack:
        url = options.on or stack.enter_context(year.fresh())
        keys = options.keys or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        env = environment(keys, url) | {
            "PUBLIC_URL": "http://127.0.0.1:8000",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        }
        if not options.on:
            making = ["--one", "--parts", "make,rebuild", "--messages", str(options.messages)]
            subprocess.run(
                [sys.executable, "-m", "tests.bench.year", *making], cwd=year.ROOT, env=env, check=True
            )
        subprocess.run(
            [sys.executable, "-m", "tests.bench.pages", "--one"], cwd=year.ROOT, env=env, check=True
        )


def one() -> None:
    """Each page."""
    import django

    django.setup()
    from django.db import connection

    from portal.models import Role
    from sms.models import Service

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # else it begins by itself, beside what is measured
    shop = Service.objects.get(slug="bench")
    client = signed_in(shop, *Role.values)
    for name, at, goal in pages(shop):
        costs = cost(lambda turn, at=at: client.get(at(turn)))
        print(
            json.dumps({"bench": "pages", "page": name, **costs, "goal_p95_ms": goal, "goal_kb": GOAL_KB}),
            flush=True,
        )
    sheets = sum(
        len(gzip.compress(path.read_bytes())) for path in (year.ROOT / "static" / "css").rglob("*.css")
    )
    print(json.dumps({"bench": "pages", "page": "stylesheets", "kb": round(sheets / 1000, 1)}), flush=True)


def pages(shop: Any) -> Iterator[tuple[str, Address, int]]:
    """Its name, its address by turn, and the limit of its p95 in milliseconds."""
    from django.urls import reverse

    from sms.models import Message, Send
    from sms.values.msisdn.person_key import person_key

    sends = list(Send.objects.order_by("-pk").values_list("pk", flat=True)[: TIMES + 2])
    last = Message.objects.order_by("-pk").values_list("pk", flat=True)[0]
    messages = [last - turn * (last // (TIMES + 3)) for turn in range(TIMES + 2)]
    numbers = [Message.objects.get(pk=pk).msisdn for pk in messages]
    day = Send.objects.get(pk=sends[TIMES]).due_at.date()

    def at(name: str, *given: Any, **query: Any) -> str:
        return reverse(name, args=[shop.slug, *given], query=query or None)

    yield "home", lambda turn: at("home"), GOAL_MS
    yield "home, live part", lambda turn: at("home_live", noted=int(time.time())), GOAL_LIVE_MS
    yield "sends", lambda turn: at("sends"), GOAL_MS
    yield "sends, a later page", lambda turn: at("sends", page=turn + 2), GOAL_MS
    yield "send", lambda turn: at("send", sends[turn]), GOAL_MS
    yield "send, live part", lambda turn: at("send_progress", sends[turn]), GOAL_LIVE_MS
    yield "messages", lambda turn: at("messages"), GOAL_MS
    yield "messages of a day", lambda turn: at("messages", **{"from": day, "until": day}), GOAL_MS
    yield "messages that failed", lambda turn: at("messages", state="failed"), GOAL_MS
    yield "message", lambda turn: at("message", messages[turn]), GOAL_MS
    yield "person", lambda turn: at("person_page", person_key(numbers[turn], key=shop.number_key)), GOAL_MS
    yield "approvals", lambda turn: at("approvals"), GOAL_MS
    yield "calendar", lambda turn: at("calendar"), GOAL_MS
    yield "audit", lambda turn: at("audit_list"), GOAL_MS
    yield "replies", lambda turn: at("replies"), GOAL_MS
    yield "opt-outs", lambda turn: at("opt_outs"), GOAL_MS
    yield "receipts", lambda turn: at("receipts_page"), GOAL_MS
    yield "reports", lambda turn: at("reports"), GOAL_MS
    year_of_it = {"from": day.replace(year=day.year - 1), "until": day}
    for by in ("day", "month", "sender", "country", "code", "send"):
        yield f"reports of a year by {by}", lambda turn, by=by: at("reports", by=by, **year_of_it), GOAL_MS


if __name__ == "__main__":
    main()
