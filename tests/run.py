"""What `make test` runs: the suite on SQLite, then what needs a database again on PostgreSQL; one exit code, one closing line.

`python -m tests.run [--only sqlite|postgresql] [pytest arguments]`. The second pass leaves out what touches no database (the mark
`pure`, which `conftest.py` gives by itself). Ctrl-C ends pytest first and the PostgreSQL of `tests/postgres.py` after it.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from types import FrameType

from tests.environment import ROOT
from tests.postgres import NoPostgres, server

NO_TESTS = 5  # pytest's exit code when nothing was collected: fine in one pass, not in both
INTERRUPTED = 130
GRACE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Pass:
    """How one pass over the suite ended."""

    name: str
    code: int
    seconds: float
    words: str = ""

    def __str__(self) -> str:
        meaning = {0: "passed", NO_TESTS: "no tests", INTERRUPTED: "interrupted"}.get(self.code, "FAILED")
        return f"{self.name} {self.words or meaning} in {self.seconds:.0f} s"


def main(arguments: list[str]) -> int:
    """Run the passes; the exit code of pytest is ours."""
    parser = argparse.ArgumentParser(prog="python -m tests.run", allow_abbrev=False)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    options, rest = parser.parse_known_args(arguments)
    signal.signal(signal.SIGTERM, _terminated)
    started = time.monotonic()
    passes: list[Pass] = []
    if options.only != "postgresql":
        passes.append(_pytest("SQLite", rest, database_url="", whole=not rest))
    if options.only != "sqlite" and not any(one.code == INTERRUPTED for one in passes):
        passes.append(_on_postgres(rest, leave_out_pure=options.only is None))
    print(f"\n{' · '.join(map(str, passes))} · total {time.monotonic() - started:.0f} s", flush=True)
    return _exit_code(passes)


def _exit_code(passes: list[Pass]) -> int:
    codes = [one.code for one in passes]
    if all(code == NO_TESTS for code in codes):
        return NO_TESTS
    return max(code for code in codes if code != NO_TESTS)


def _on_postgres(rest: list[str], *, leave_out_pure: bool) -> Pass:
    started = time.monotonic()
    try:
        with server(forgetful=True) as found:
            print(f"\nPostgreSQL: {found.where}", flush=True)
            marks = ["-m", "not pure"] if leave_out_pure else []
            # the process id keeps two runs on one server apart
            url = found.url(f"textdesk_{os.getpid()}")
            return _pytest("PostgreSQL", [*marks, *rest], database_url=url, whole=not rest)
    except NoPostgres as problem:
        print(f"\n{'!' * 100}\nPostgreSQL was NOT tested: {problem}.\n{'!' * 100}", flush=True)
        forbidden = os.environ.get("TEXTDESK_NO_SKIPS") == "1"
        return Pass("PostgreSQL", int(forbidden), time.monotonic() - started, words="NOT TESTED")


def _pytest(name: str, rest: list[str], *, database_url: str, whole: bool) -> Pass:
    started = time.monotonic()
    # more workers than cores: half of what a worker does is to wait for the processes that a test started
    workers = [] if "-n" in rest else ["-n", str(min(6, 2 * (os.cpu_count() or 2)))]
    plugins = ["-p", "tests.slowest", *(["-p", "tests.early"] if whole else [])]
    command = [sys.executable, "-m", "pytest", *plugins, *workers, *rest]
    left_out = {"DATABASE_URL", "DATABASE_URL_FILE"}
    left_out |= {"PYTHONDONTWRITEBYTECODE"}  # hundreds of processes would compile us anew, each of them
    environment = {key: value for key, value in os.environ.items() if key not in left_out}
    if database_url:
        environment["DATABASE_URL"] = database_url
    print(f"\n=== {name}: {' '.join(command[1:])}", flush=True)
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        code = process.wait()
    except KeyboardInterrupt as stopped:
        _end(process, tell=isinstance(stopped, Terminated))
        code = INTERRUPTED
    return Pass(name, code, time.monotonic() - started)


class Terminated(KeyboardInterrupt):
    """`kill` asked us to end, and only us; a terminal's Ctrl-C reaches pytest too."""


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    raise Terminated


def _end(process: subprocess.Popen[bytes], *, tell: bool) -> None:
    """Let pytest drop its databases and stop what it started. A second SIGINT would cut that short."""
    if tell:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(GRACE_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
