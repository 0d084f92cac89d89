"""PostgreSQL servers under Patroni, whose leader dies in mid-send: a pair that is asynchronous, and three that are synchronous.

`python -m tests.bench.failover [--messages 600] [--rate 20] [--only asynchronous|synchronous]` prints one JSON line for each: seconds
from the kill until Patroni has promoted the other, until Textdesk sends again by itself or has paused every service, and what was sent
twice, lost or left unconfirmed in the end. Needs Debian's packages `patroni`, `etcd-server` and PostgreSQL. Bounded and stops by
itself: each wait ends after two minutes, and every process with it.
"""

import argparse
import atexit
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from tests import environment

atexit.register(shutil.rmtree, environment.isolate(), ignore_errors=True)

import psycopg  # noqa: E402

from tests import postgres  # noqa: E402
from tests.support import restoring  # noqa: E402
from tests.support.dispatchers import Bench, bench  # noqa: E402
from tests.support.processes import free_port, stop, until  # noqa: E402
from tests.support.restoring import RESUME, arrived, export_of, states  # noqa: E402

PASSWORD = "of-this-bench"
TTL = 20  # seconds without a word after which Patroni takes a leader for dead; its least


@dataclass
class Member:
    """One server, with the Patroni that keeps it."""

    name: str
    port: int
    api: int
    process: subprocess.Popen
    pid_file: Path

    @property
    def leads(self) -> bool:
        with (
            contextlib.suppress(OSError),
            urlopen(f"http://127.0.0.1:{self.api}/primary", timeout=2) as answer,
        ):
            return bool(answer.status == 200)
        return False

    def kill(self) -> None:
        """Patroni and the whole server, as if the machine had died."""
        os.kill(self.process.pid, signal.SIGSTOP)  # so that it does not start the server again meanwhile
        pid = int(self.pid_file.read_text().split()[0])
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()


@contextmanager
def etcd(folder: Path) -> Iterator[str]:
    here, peers = (f"127.0.0.1:{free_port()}" for _ in range(2))
    command = [
        *("etcd", "--data-dir", str(folder / "etcd"), "--unsafe-no-fsync"),
        *("--listen-client-urls", f"http://{here}", "--advertise-client-urls", f"http://{here}"),
        *("--listen-peer-urls", f"http://{peers}", "--initial-advertise-peer-urls", f"http://{peers}"),
        *("--initial-cluster", f"default=http://{peers}"),
    ]
    with (folder / "etcd.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield here
    finally:
        process.kill()
        process.wait()


@contextmanager
def member(name: str, folder: Path, store: str, *, synchronous: bool) -> Iterator[Member]:
    person, programs = postgres.person_of_servers(), next(postgres.program_folders())
    port, api = free_port(), free_port()
    config = {
        "scope": "textdesk",
        "name": name,
        "restapi": {"listen": f"127.0.0.1:{api}", "connect_address": f"127.0.0.1:{api}"},
        "etcd3": {"hosts": store},
        "bootstrap": {
            "dcs": {
                "ttl": TTL,
                "loop_wait": 2,
                "retry_timeout": 5,
                "maximum_lag_on_failover": 1 << 30,
                "synchronous_mode": synchronous,
                "synchronous_mode_strict": synchronous,
                "postgresql": {"parameters": {"max_connections": 200, "fsync": "off"}},
            },
            "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "no-sync"],
        },
        "postgresql": {
            "listen": f"127.0.0.1:{port}",
            "connect_address": f"127.0.0.1:{port}",
            "data_dir": str(folder / name),
            "bin_dir": str(programs),
            "pgpass": str(folder / f"{name}.pgpass"),
            "parameters": {"unix_socket_directories": str(folder)},
            "authentication": {
                "superuser": {"username": "textdesk", "password": PASSWORD},
                "replication": {"username": "follower", "password": PASSWORD},
            },
            "pg_hba": [
                "host all all 127.0.0.1/32 md5",
                "host replication all 127.0.0.1/32 md5",
                "local all all trust",
            ],
        },
    }
    path = folder / f"{name}.json"  # which is YAML too
    path.write_text(json.dumps(config))
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [shutil.which("patroni") or "patroni", str(path)],
            cwd=folder, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            stdout=log, stderr=log, start_new_session=True, **person.popen(),
        )  # fmt: skip
    made = Member(name, port, api, process, folder / name / "postmaster.pid")
    try:
        yield made
    finally:
        if process.poll() is None:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                made.kill()
        process.kill()
        process.wait()


@contextmanager
def followed(*, synchronous: bool) -> Iterator[list[Member]]:
    """The leader and its standbys, once they follow. Strictly synchronous takes two: a leader that is left alone commits nothing."""
    folder = Path(tempfile.mkdtemp(prefix="textdesk-patroni-", dir="/tmp"))
    person = postgres.person_of_servers()
    os.chown(folder, person.uid, person.gid)
    try:
        with ExitStack() as stack:
            store = stack.enter_context(etcd(folder))
            until(lambda: _answers(store), what="etcd answers")
            leader = stack.enter_context(member("one", folder, store, synchronous=synchronous))
            until(lambda: leader.leads, what=f"Patroni has a leader ({folder})")
            standbys = [
                stack.enter_context(member(name, folder, store, synchronous=synchronous))
                for name in (("two", "three") if synchronous else ("two",))
            ]
            kept = ["async", "sync"] if synchronous else ["async"]
            until(lambda: _following(leader) == kept, what="the standbys follow")
            yield [leader, *standbys]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(store: str) -> bool:
    with contextlib.suppress(OSError), urlopen(f"http://{store}/health", timeout=2) as answer:
        return bool(answer.status == 200)
    return False


def _execute(server: Member, statement: str) -> list[tuple]:
    url = f"postgres://textdesk:{PASSWORD}@127.0.0.1:{server.port}/postgres"
    with psycopg.connect(url, autocommit=True) as connection:
        answer = connection.execute(statement.encode())
        return answer.fetchall() if answer.description else []


def _following(leader: Member) -> list[str]:
    found = _execute(
        leader, "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming' ORDER BY 1"
    )
    return [str(row[0]) for row in found]


def drill(*, synchronous: bool, messages: int, rate: int) -> dict[str, object]:
    with followed(synchronous=synchronous) as (leader, *standbys), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _execute(leader, "CREATE DATABASE textdesk")
        hosts = ",".join(f"127.0.0.1:{one.port}" for one in (leader, *standbys))
        os.environ["SYNCHRONOUS_STANDBY"] = str(synchronous).lower()
        with bench(folder, f"postgres://textdesk:{PASSWORD}@{hosts}/textdesk") as made:
            made.run(f"from sms.models import Service; Service.objects.update(rate={rate})")
            restoring.is_in_mid_send(made, folder, count=messages)
            leader.kill()
            killed, before = time.monotonic(), len(arrived(made))
            until(lambda: any(one.leads for one in standbys), what="Patroni has promoted one")
            found: dict[str, object] = {
                "bench": "failover",
                "mode": "synchronous" if synchronous else "asynchronous",
                "messages": messages,
                "sent_before": before,
                "promoted_after_s": round(time.monotonic() - killed, 1),
            }
            done = _goes_on if synchronous else _is_settled
            found |= done(made, folder, before=before, messages=messages, killed=killed)
            reached = Counter(one["msisdn"] for one in arrived(made))
            found["lost"] = messages - len(reached)
            found["sent_twice"] = sum(count - 1 for count in reached.values())
            return found


def _goes_on(made: Bench, folder: Path, *, before: int, messages: int, killed: float) -> dict[str, object]:
    until(lambda: len(arrived(made)) > before + 5, what="it sends again")
    goes_on = round(time.monotonic() - killed, 1)
    until(lambda: len(arrived(made)) == messages, what="the send has ended")
    until(lambda: not {"pending", "posting"} & set(states(made)), what="all is recorded")
    found = made.rows(restoring.FOUND)
    return {
        "goes_on_after_s": goes_on,
        "restored_copy": bool(found),
        "unconfirmed": states(made)["unconfirmed"],
    }


def _is_settled(made: Bench, folder: Path, *, killed: float, **_: object) -> dict[str, object]:
    until(lambda: made.rows(restoring.FOUND), what="it is found to be a restored copy")
    paused = round(time.monotonic() - killed, 1)
    stop(made.started[0])
    sent = arrived(made)
    exported = export_of(sent, folder / "export.csv")
    made.manage("after_restore", "--service", "demo", "--export", str(exported))
    unconfirmed = states(made)["unconfirmed"]
    made.run(RESUME)
    made.run(restoring.SEND_AGAIN)  # what no receipt names was never sent, as a person finds at the provider
    made.run(restoring.RUN)
    return {"paused_after_s": paused, "sent": len(sent), "restored_copy": True, "unconfirmed": unconfirmed}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--messages", type=int, default=600)
    asked.add_argument("--rate", type=int, default=20)
    asked.add_argument("--only", choices=("asynchronous", "synchronous"))
    given = asked.parse_args()
    if absent := [program for program in ("patroni", "etcd") if not shutil.which(program)]:
        print(json.dumps({"bench": "failover", "not_run": f"{' and '.join(absent)} not installed"}))
        return
    for mode in (given.only,) if given.only else ("asynchronous", "synchronous"):
        print(
            json.dumps(drill(synchronous=mode == "synchronous", messages=given.messages, rate=given.rate)),
            flush=True,
        )


if __name__ == "__main__":
    main()
