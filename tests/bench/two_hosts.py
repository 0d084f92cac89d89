"""Two hosts on one PostgreSQL: PgBouncer before the database, nginx and then Caddy before both web servers, by the files of `deploy/`.

`python -m tests.bench.two_hosts [--messages 2000] [--only nginx|caddy]` prints one JSON line per proxy: a whole send that the dispatchers
of both hosts share, its receipts by way of the proxy, and its reports. Lost and twice are 0, or it has failed.
It needs Debian's pgbouncer, nginx and caddy. A host is a state folder of its own, with processes of its own.
"""

import argparse
import atexit
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests import environment

# `tests.faults.crash` asks the product how its web server is started, which wants settings
atexit.register(shutil.rmtree, environment.isolate(), ignore_errors=True)

import django  # noqa: E402

django.setup()

import psycopg  # noqa: E402

from tests import postgres  # noqa: E402
from tests.faults.crash import Field, field_of  # noqa: E402
from tests.support import processes, proxies  # noqa: E402
from tests.support.pgbouncer import pgbouncer  # noqa: E402
from tests.support.processes import free_port, until  # noqa: E402

PROXIES = {"nginx": proxies.nginx, "caddy": proxies.caddy}
TEXT = "two hosts"
PATIENCE = 600.0


def main() -> None:
    """One after the other."""
    line = argparse.ArgumentParser()
    line.add_argument("--messages", type=int, default=2000)
    line.add_argument("--only", choices=PROXIES)
    options = line.parse_args()
    for name in PROXIES:
        if options.only in (None, name):
            print(json.dumps(measure(name, options.messages)), flush=True)


def measure(proxy: str, messages: int) -> dict[str, object]:
    """One send."""
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="host-"))) for _ in range(3)]
        url = stack.enter_context(postgres.fresh_database(stack.enter_context(postgres.server())))
        by_bouncer = stack.enter_context(pgbouncer(folders[2], url))
        ports = free_port(), free_port()
        front, _ = stack.enter_context(PROXIES[proxy](folders[2], *ports))
        more = {"PUBLIC_URL": f"http://127.0.0.1:{front}", "BEHIND_PROXY": "true"}
        field = stack.enter_context(field_of(folders[0], by_bouncer, port=ports[0], **more))
        other = stack.enter_context(second_host(field, folders[1], by_bouncer, port=ports[1]))
        dispatchers = []
        for host in (field, other):
            dispatchers.append(host.dispatcher(fresh=True, seconds=PATIENCE))
            stack.callback(dispatchers[-1].wait)
            stack.callback(dispatchers[-1].terminate)
        began = time.monotonic()
        send = field.send(TEXT, messages)
        deadline, backends, sent = began + PATIENCE, 0, set[str]()
        with psycopg.connect(url, autocommit=True) as looking:
            while not field.is_settled(send, TEXT) and time.monotonic() < deadline:
                assert all(one.poll() is None for one in dispatchers), field.log + other.log
                backends = max(backends, _backends(looking))
                sent |= _senders(looking)
                time.sleep(0.2)
        seconds = time.monotonic() - began
        verdict = field.verdict(send, TEXT, parking_allowed=False)
        until(lambda: not field.clerk.facts_differ(), "the reports have the figures of the ledger")
        return {
            "bench": "two_hosts",
            "proxy": proxy,
            "messages": messages,
            "seconds": round(seconds, 1),
            "lost": len(verdict.lost),
            "twice": len(verdict.duplicates),
            "unconfirmed": len(verdict.parked),
            "wrong": verdict.wrong,
            "states": verdict.states,
            "reports": "agree",
            "dispatchers_that_sent": len(sent),
            "connections_of_postgresql": backends,
            "goal_lost": 0,
            "goal_twice": 0,
        }


@contextmanager
def second_host(first: Field, folder: Path, url: str, *, port: int) -> Iterator[Field]:
    """With the keys of the first, and nothing else of it."""
    shutil.copy(first.folder / "keys.env", folder)
    (folder / "static").mkdir()
    env = {**first.env, **processes.environment(folder, url)}
    host = Field(env, port, first.sandbox_port, first.clerk, first.zygote, folder)
    host.start_web()
    try:
        yield host
    finally:
        host.kill_web()


def _backends(looking: psycopg.Connection) -> int:
    question = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    return int(looking.execute(question).fetchone()[0])


def _senders(looking: psycopg.Connection) -> set[str]:
    """The processes that have slices of it now."""
    found = looking.execute("SELECT DISTINCT split_part(owner, '-', 1) FROM sms_slice WHERE owner <> ''")
    return {pid for (pid,) in found}


if __name__ == "__main__":
    main()
