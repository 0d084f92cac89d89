"""Dispatchers by fork: one process imports Django and the dispatcher once, and every case gets a copy of it.

`python -m tests.faults.zygote` reads one JSON command a line from standard input (`crash_at`, `plant`, `seconds`, `log`) and answers
`[pid, null]`, and `[pid, exit code]` when that child has ended. It has no thread and no database connection that a child could
inherit. At the end of its input it kills what still runs. `Zygote` is its other end, `Forked` one child, much like a Popen.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from tests.faults.clerk import ROOT


class Zygote:
    """The test's end; not for several threads."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._ended: dict[int, int] = {}  # exit code by process id
        self._begun: list[int] = []
        self._unread = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=ROOT,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def fork(self, *, crash_at: str, plant: str, seconds: float, log: Path) -> "Forked":
        """One dispatcher more, once it has its process id."""
        command = {"crash_at": crash_at, "plant": plant, "seconds": seconds, "log": str(log)}
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        while not self._begun:
            self._listen(None)
        pid = self._begun.pop()
        self._ended.pop(pid, None)  # of an earlier child with the same number
        return Forked(self, pid)

    def code(self, pid: int, *, seconds: float | None) -> int | None:
        """The exit code of a child, waited for at most so long; None while it runs."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while pid not in self._ended:
            left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
            if not self._listen(left) and left is not None and time.monotonic() >= deadline:
                return None
        return self._ended[pid]

    def close(self) -> None:
        """End it, and what it started."""
        self._process.stdin.close()
        try:
            self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _listen(self, seconds: float | None) -> bool:
        """Take in what it said; False when it said nothing for so long."""
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            return False
        said = os.read(self._process.stdout.fileno(), 65536)
        assert said, f"the zygote ended with {self._process.wait()}"
        *lines, self._unread = (self._unread + said).split(b"\n")
        for pid, code in map(json.loads, lines):
            if code is None:
                self._begun.append(pid)
            else:
                self._ended[pid] = code
        return True


class Forked:
    """One dispatcher, with as much of Popen as the tests use."""

    def __init__(self, zygote: Zygote, pid: int) -> None:
        self._zygote = zygote
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code (-9 for a SIGKILL), or None while it runs."""
        if self.returncode is None:
            self.returncode = self._zygote.code(self.pid, seconds=0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired after `timeout` seconds."""
        if self.returncode is None:
            self.returncode = self._zygote.code(self.pid, seconds=timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("a forked dispatcher", timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Nothing happens when it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


# --- The process ----------------------------------------------------------------------------------------------------------
def main() -> None:
    """Import, then fork at every command."""
    import django

    django.setup()
    from tests.faults import planted  # noqa: F401 - a child finds it loaded

    heard, bell = os.pipe()
    os.set_blocking(bell, False)
    os.set_blocking(heard, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
    children: set[int] = set()
    unread = b""
    try:
        while True:
            ready, _, _ = select.select([0, heard], [], [])
            if heard in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(heard, 4096)
                _reap(children)
            if 0 not in ready:
                continue
            given = os.read(0, 65536)
            if not given:
                return
            *lines, unread = (unread + given).split(b"\n")
            for line in lines:
                _refuse_what_a_child_would_inherit()
                pid = os.fork()
                if not pid:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    os.close(heard)
                    os.close(bell)
                    _dispatch(**json.loads(line))
                children.add(pid)
                _say(pid, None)
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)  # ours and not reaped, so the number is still theirs


def _refuse_what_a_child_would_inherit() -> None:
    from django.db import connections

    assert threading.active_count() == 1, threading.enumerate()
    assert not [one for one in connections.all(initialized_only=True) if one.connection is not None]


def _reap(children: set[int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        children.remove(pid)
        _say(pid, os.waitstatus_to_exitcode(status))


def _say(pid: int, code: int | None) -> None:
    os.write(1, json.dumps([pid, code]).encode() + b"\n")


def _dispatch(*, crash_at: str, plant: str, seconds: float, log: str) -> NoReturn:
    """What `manage.py dispatch` does, in the child; never returns into the zygote's loop."""
    code = 1
    try:
        written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (written, 1), (written, 2)):
            os.dup2(source, target)
        os.close(nothing)
        os.close(written)
        from django.core.management import call_command

        from tests.faults import planted

        _die_at(crash_at)
        if plant:
            planted.PLANTS[plant]()
        call_command("dispatch", seconds=seconds)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _die_at(setting: str) -> None:
    """`sms.ledger.crash_points` reads the variable at import, which is over: put the point where each module has taken its own."""
    from sms.ledger import crash_points

    os.environ[crash_points.VARIABLE] = setting
    unset, chosen = (
        crash_points.point,
        crash_points.chosen(setting, die=lambda: os.kill(os.getpid(), signal.SIGKILL)),
    )
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("sms.") and getattr(module, "point", None) is unset:
            module.point = chosen


if __name__ == "__main__":
    main()
