"""What `make test` runs: the suite on SQLite, then what needs a database again on PostgreSQL; one exit code, one closing line.

`python -m tests.run [--only sqlite|postgresql] [pytest arguments]`. The second pass leaves out what touches no database and what a
browser does (the marks `pure` and `once`, which `conftest.py` gives). Ctrl-C and `kill` end pytest first, then the PostgreSQL of
`tests/postgres.py`.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

from tests.environment import ROOT
from tests.postgres import NoPostgres, server

NO_TESTS = 5  # pytest's exit code when nothing was collected: fine in one pass, not in both
INTERRUPTED = 2
MEANING = {0: "passed", NO_TESTS: "no tests", INTERRUPTED: "interrupted"}


@dataclass(frozen=True, slots=True)
class Pass:
    """How one pass over the suite ended: pytest's exit code, and words for the closing line."""

    code: int
    words: str


def main(arguments: list[str]) -> int:
    """Run the passes; the exit code of pytest is ours."""
    parser = argparse.ArgumentParser(prog="python -m tests.run", allow_abbrev=False)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    options, rest = parser.parse_known_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    _compile_once()
    passes: list[Pass] = []
    if options.only != "postgresql":
        passes.append(_pytest("SQLite", rest))
    if options.only != "sqlite" and not any(one.code == INTERRUPTED for one in passes):
        passes.append(_on_postgres(rest, leave_out=options.only is None))
    print(
        f"\n{' · '.join(one.words for one in passes)} · total {time.monotonic() - started:.0f} s", flush=True
    )
    return exit_code([one.code for one in passes])


def _compile_once() -> None:
    """In a fresh checkout, rewrite the asserts of every test module before the workers start: else each of them does all, at one time."""
    if (ROOT / "tests" / "__pycache__").exists():
        return
    folders = sorted(path.parent for path in (ROOT / "tests").glob("*/__init__.py"))
    cores = os.cpu_count() or 2
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-n", "0", *folders[at::cores]],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for at in range(cores)
    ]
    try:
        for one in running:
            one.wait()
    finally:
        for one in running:
            one.kill()


def exit_code(codes: list[int]) -> int:
    """Of both passes together."""
    return max((code for code in codes if code != NO_TESTS), default=NO_TESTS)


def _on_postgres(rest: list[str], *, leave_out: bool) -> Pass:
    try:
        with server(forgetful=True) as found:
            print(f"\nPostgreSQL: {found.where}", flush=True)
            marks = ["-m", "not pure and not once"] if leave_out else []
            # the process id keeps two runs on one server apart
            return _pytest("PostgreSQL", [*marks, *rest], DATABASE_URL=found.url(f"textdesk_{os.getpid()}"))
    except NoPostgres as problem:
        print(f"\n{'!' * 100}\nPostgreSQL was NOT tested: {problem}.\n{'!' * 100}", flush=True)
        return Pass(int(os.environ.get("TEXTDESK_NO_SKIPS") == "1"), "PostgreSQL NOT TESTED")


def _pytest(name: str, rest: list[str], **database: str) -> Pass:
    # more workers than cores: half of what a worker does is to wait for the processes that a test started
    workers = [] if "-n" in rest else ["-n", str(min(6, 2 * (os.cpu_count() or 2)))]
    # files stay whole, since they share what they started, and in the order that conftest.py gives
    command = [sys.executable, "-m", "pytest", "--dist", "loadfile", "--no-loadscope-reorder", *workers]
    command += ["--durations", "10", *rest]
    # PYTHONDONTWRITEBYTECODE: hundreds of processes would compile us, each of them
    left_out = {"DATABASE_URL", "DATABASE_URL_FILE", "PYTHONDONTWRITEBYTECODE"}
    environment = {key: value for key, value in os.environ.items() if key not in left_out} | database
    print(f"\n=== {name}: {' '.join(command[1:])}", flush=True)
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    # a terminal's Ctrl-C reaches pytest too, `kill` only us: pytest ends what it started, and then we do
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGINT))
    try:
        code = process.wait()
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    seconds = time.monotonic() - started
    return Pass(code, f"{name} {MEANING.get(code, 'FAILED')} in {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
