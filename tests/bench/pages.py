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
from tests.support.processes import environment

ASKED = 40  # times each
GOAL_MS, GOAL_LIVE_MS, GOAL_KB = 200, 30, 60
Ask = Callable[[int], str]


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

    from sms.models import Service

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # else it begins by itself, beside what is measured
    shop = Service.objects.get(slug="bench")
    client = somebody(shop)
    for name, ask, goal in pages(shop):
        print(
            json.dumps({"bench": "pages", "page": name, **asked(client, ask), "goal_p95_ms": goal}),
            flush=True,
        )
    sheets = sum(
        len(gzip.compress(path.read_bytes())) for path in (year.ROOT / "static" / "css").rglob("*.css")
    )
    print(json.dumps({"bench": "pages", "page": "stylesheets", "kb": round(sheets / 1000, 1)}), flush=True)


def somebody(shop: Any) -> Any:
    """Signed in, with every role."""
    from django.conf import settings
    from django.test import Client

    from portal.models import Membership, Role, User

    # as a desk that runs from its checkout: files of the pages are not collected here
    plain = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    settings.STORAGES = settings.STORAGES | plain
    person, _ = User.objects.get_or_create(email="bench@example.test")
    for role in Role.values:
        Membership.objects.get_or_create(user=person, service=shop, role=role)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(person)
    return client


def pages(shop: Any) -> Iterator[tuple[str, Ask, int]]:
    """Its name, its address by turn, and the limit of its p95 in milliseconds."""
    from django.urls import reverse

    from sms.models import Message, Send
    from sms.values.msisdn.person_key import person_key

    sends = list(Send.objects.order_by("-pk").values_list("pk", flat=True)[: ASKED + 2])
    last = Message.objects.order_by("-pk").values_list("pk", flat=True)[0]
    messages = [last - turn * (last // (ASKED + 3)) for turn in range(ASKED + 2)]
    numbers = [Message.objects.get(pk=pk).msisdn for pk in messages]
    day = Send.objects.get(pk=sends[ASKED]).due_at.date()

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


def asked(client: Any, ask: Ask) -> dict[str, object]:
    """Figures of one page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from portal.costly_pages import CostlyPages

    client.get(ask(ASKED))  # warm: templates
    with CaptureQueriesContext(connection) as captured:
        client.get(ask(ASKED + 1))
    queries, took, size = len(captured), [], 0
    cpu = time.process_time()
    for turn in range(ASKED):
        CostlyPages.forget()
        began = time.perf_counter()
        answer = client.get(ask(turn))
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, (ask(turn), answer.content[:500])
        size = max(size, len(gzip.compress(answer.content)))
    cpu = (time.process_time() - cpu) * 1000 / ASKED
    took.sort()
    return {
        "p50_ms": round(took[ASKED // 2], 1),
        "p95_ms": round(took[int(ASKED * 0.95)], 1),
        "cpu_ms": round(cpu, 1),  # of the application; the database's backend works beside it
        "queries": queries,
        "kb": round(size / 1000, 1),
        "goal_kb": GOAL_KB,
    }


if __name__ == "__main__":
    main()
