"""Receipts: how fast they are taken in and folded, beside what the same server and the same table could do at most.

`python -m tests.bench.receipts [--only sqlite|postgresql] [--seconds 60] [--history 10000000]` prints one JSON line
per figure. Each line holds the goal, and the limit measured in the same run. Everything runs on this machine, the generator too.
"""

import argparse
import contextlib
import http.client
import json
import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from tests.bench.rig.databases import ROOT, on_each
from tests.bench.rig.shooter import Shots, shoot
from tests.support.processes import free_port, until

OURS, THREADED = "portal.asgi:application", "portal.wsgi:application"
SECRET = "bench-secret"
PART_OF_A_SECOND = 0.25


def main() -> None:
    """One process for each database, since Django knows one."""
    line = argparse.ArgumentParser()
    line.add_argument("--seconds", type=float, default=60.0)
    line.add_argument("--fold", type=int, default=200_000)
    line.add_argument(
        "--history", type=int, default=0, help="stored receipts for the last figure; 0 leaves it out"
    )
    line.add_argument("--parts", default="ingest,cpu,burst,forged,fold,history")
    line.add_argument("--rounds", type=int, default=7, help="pairs of runs for the CPU of a receipt")
    on_each(line, one)


def one(options: argparse.Namespace) -> None:
    """All figures on the database of the environment."""
    from tests.bench.rig import receipts_desk as desk

    parts = options.parts.split(",")
    shop = desk.service(SECRET)
    make = desk.maker(shop, SECRET)
    path = f"/receipts/{shop.webhook_token}/"
    if "ingest" in parts:
        with server() as port:
            shoot(port, path, make, seconds=3, first=10**9)  # warm
            shots = shoot(port, path, make, seconds=options.seconds)
        figures = _of(shots) | {"lost": desk.lost(shots.bodies)}
        say(options, "ingest", **figures, **_limits(options, path, make, shots))
    if "cpu" in parts:
        say(options, "cpu", **cpu(path, make, rounds=options.rounds))
    if "burst" in parts:
        say(options, "burst", **burst(path, make, desk))
    if "forged" in parts:
        say(options, "forged", **forged(path, make, desk))
    if "fold" in parts:
        say(options, "fold", **desk.fold(shop, options.fold))
    if "history" in parts and options.history:
        say(options, "history", **history(options, path, make, desk, shop))


def _of(shots: Shots) -> dict[str, object]:
    return {
        "per_second": round(shots.rate),
        "seconds": round(shots.took, 1),
        "p50_ms": shots.percentile(0.5),
        "p99_ms": shots.percentile(0.99),
        "answers": dict(shots.answers),
    }


def cpu(path: str, make, *, rounds: int, seconds: float = 3.0) -> dict[str, object]:
    """CPU milliseconds of the server for a receipt, in pairs: as it is, and with a thread for each request before its body is read."""
    took: dict[str, list[float]] = {OURS: [], THREADED: []}
    for number in range(rounds):
        for application, figures in took.items():
            with web_process(application, workers=1) as (port, process):
                first = (10 + number) * 10**9 + (application == OURS) * 10**8
                shoot(port, path, make, seconds=1, first=first + 10**7)  # warm
                before = cpu_of(process)
                shots = shoot(port, path, make, seconds=seconds, first=first)
                figures.append((cpu_of(process) - before) / len(shots.bodies) * 1000)
    ours, threaded = (round(statistics.median(took[name]), 3) for name in (OURS, THREADED))
    return {
        "cpu_ms": ours,
        "threaded_cpu_ms": threaded,
        "ratio": round(ours / threaded, 2),
        "goal_ratio": 1.05,
    }


def cpu_of(process: psutil.Process) -> float:
    """Seconds of processor time of a process and those that it started."""
    return sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True)))


def _limits(options: argparse.Namespace, path: str, make, shots: Shots) -> dict[str, object]:
    found: dict[str, object] = {
        "goal_per_second": 1500 if options.one == "postgresql" else 600,
        "goal_p99_ms": 100,
    }
    seconds = min(10.0, options.seconds)
    with server("tests.bench.rig.bare_django:application") as port:
        bare = shoot(port, path, make, seconds=seconds)
        assert bare.bodies, bare.answers
    found |= {
        "bare_django_per_second": round(bare.rate),
        "ratio_to_bare_django": round(shots.rate / bare.rate, 2),
    }
    if options.one == "postgresql":
        with server("tests.bench.rig.bare_asgi:application", interface="asgi") as port:
            raw = shoot(port, path, make, seconds=seconds)
        found |= {
            "bare_asgi_per_second": round(raw.rate),
            "ratio_to_bare_asgi": round(shots.rate / raw.rate, 2),
        }
    return found


def burst(path: str, make, desk) -> dict[str, object]:
    """2 000 on as many connections as fit in one second; what is not answered with 200 comes again, as the provider does it."""
    with server() as port:
        shoot(port, path, make, seconds=1, first=2 * 10**9)
        started = time.monotonic()
        shots = shoot(port, path, make, seconds=60, connections=256, first=3 * 10**9, count=2000)
        took = time.monotonic() - started
        bad = {status: count for status, count in shots.answers.items() if status not in (200, 503)}
        tries = 1
        missing = set(range(3 * 10**9, 3 * 10**9 + 2000))
        got = set(shots.bodies)
        left = [number for number in sorted(missing) if make(number)[0] not in got]
        while left and tries < 4:
            time.sleep(PART_OF_A_SECOND)
            again = shoot(port, path, lambda index, left=left: make(left[index]), seconds=60, count=len(left))
            got |= set(again.bodies)
            left = [number for number in left if make(number)[0] not in got]
            tries += 1
    return {
        "receipts": 2000,
        "answered_in_seconds": round(took, 2),
        "p99_ms": shots.percentile(0.99),
        "answers": dict(shots.answers),
        "other_answers": bad,
        "rounds": tries,
        "left": len(left),
        "lost": desk.lost(list(got)),
        "goal": "200, or 503 and then 200; 0 lost",
    }


def forged(path: str, make, desk, count: int = 10_000) -> dict[str, object]:
    """Mutated bodies, signatures and paths: none may be answered with 200, none may be stored."""
    before = desk.stored()
    answers_by_kind: dict[str, dict[int, int]] = {}
    with server() as port:
        shoot(port, path, make, seconds=5, first=3 * 10**9, count=1)  # shows that the secret is right
        before += 1
        for kind, (where, forge) in desk.forgeries(path, make).items():
            shots = shoot(port, where, forge, seconds=120, first=4 * 10**9, count=count // 5)
            answers_by_kind[kind] = dict(shots.answers)
    accepted = sum(found.get(200, 0) for found in answers_by_kind.values())
    return {
        "requests": count,
        "accepted": accepted,
        "stored": desk.stored() - before,
        "answers": answers_by_kind,
        "goal": 0,
    }


def history(options: argparse.Namespace, path: str, make, desk, shop) -> dict[str, object]:
    """Ingest with many old receipts beside ingest with few, each the best of three short runs."""

    def best(first: int) -> float:
        with server() as port:
            shoot(port, path, make, seconds=3, first=first)
            runs = [
                shoot(port, path, make, seconds=10, first=first + (run + 1) * 10**8).rate for run in range(3)
            ]
        return sorted(runs)[1]

    desk.empty()
    few = best(5 * 10**9)
    started = time.monotonic()
    desk.old_receipts(shop, options.history)
    made = time.monotonic() - started
    many = best(7 * 10**9)
    return {
        "stored": options.history,
        "made_in_seconds": round(made),
        "per_second_empty": round(few),
        "per_second_with": round(many),
        "ratio": round(many / few, 2),
        "goal_ratio": 0.9,
    }


def say(options: argparse.Namespace, name: str, **figures: object) -> None:
    """One line."""
    print(json.dumps({"bench": f"receipts_{name}", "database": options.one} | figures), flush=True)


def _speaks(port: int) -> bool:
    try:
        answer = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        answer.request("GET", "/healthz")
        return answer.getresponse().status > 0
    except OSError:
        return False


@contextmanager
def server(application: str = OURS, *, interface: str = "wsgi") -> Iterator[int]:
    """The web server as the supervisor starts it, or with another application, by WSGI or ASGI."""
    with web_process(application, interface=interface) as (port, _):
        yield port


@contextmanager
def web_process(
    application: str, *, interface: str = "wsgi", workers: int = 0
) -> Iterator[tuple[int, psutil.Process]]:
    """Its port, and the process whose children do the work."""
    from django.db import connection

    from sms.worker import supervisor

    port = free_port()
    # as `manage.py up` has it
    command = list(
        supervisor.web(port, workers=workers or (2 if connection.vendor == "postgresql" else 1)).command
    )
    if application != OURS:
        command[-1] = application
        command[command.index("asginl")] = interface
        if interface == "wsgi":
            command[-1:] = ["--blocking-threads", "8", application]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        try:
            until(lambda: _speaks(port), f"{application} answers")
            yield port, psutil.Process(process.pid)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:  # it has answered what it was asked, so its figure stands
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


if __name__ == "__main__":
    main()
