"""`manage.py` commands beside a running Textdesk, each in a process of its own that has nothing left to import.

`python -m tests.support.forked_commands FD` imports Django once, then forks for each command that comes through the socket, with the files
that it writes to. Starting Python and Django takes longer than most of what a test asks. `ForkedCommands` is the other end; several
threads may use it at a time. What is tested as a process (a dispatcher, a cluster, all of Textdesk) is started by its own command line.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONGEST_COMMAND = 65536  # bytes


class ForkedCommands:
    """The test's end."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.forked_commands", str(theirs.fileno())],
                cwd=ROOT,
                env=dict(env),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the tests
            )

    def manage(self, arguments: Sequence[str], *, timeout: float) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run` of `manage.py` gives it. Raises subprocess.TimeoutExpired after `timeout` seconds."""
        heard, told = os.pipe()
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8") as out,
            tempfile.TemporaryFile("w+", encoding="utf-8") as err,
            os.fdopen(heard, "rb", buffering=0) as answer,
        ):
            try:
                command = json.dumps(list(arguments)).encode()
                socket.send_fds(self._socket, [command], [out.fileno(), err.fileno(), told])
            finally:
                os.close(told)
            code = _code(answer, arguments, timeout)
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(list(arguments), code, out.read(), err.read())

    def close(self) -> None:
        """End it; what still runs goes on to its own end."""
        self._socket.close()
        try:
            self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _code(answer: object, arguments: Sequence[str], timeout: float) -> int:
    """The exit code, which comes in a line behind the process id; -9 where only the end of the pipe comes."""
    deadline, said = time.monotonic() + timeout, b""
    while said.count(b"\n") < 2:
        if not select.select([answer], [], [], max(deadline - time.monotonic(), 0))[0]:
            if b"\n" in said:
                os.kill(int(said.split()[0]), signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(arguments), timeout)
        part = answer.read(64)
        if not part:
            return -signal.SIGKILL
        said += part
    return int(said.split()[1])


# --- The process ----------------------------------------------------------------------------------------------------------
def main(descriptor: int) -> None:
    """Import, then fork at every command, until the other end is closed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django
    from django.core.management.commands import shell  # noqa: F401 - a child finds it loaded

    django.setup()
    from sms.management.commands import send  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks for the ends of children
    with socket.socket(fileno=descriptor) as commands:
        while True:
            command, files, _, _ = socket.recv_fds(commands, LONGEST_COMMAND, 3)
            if not command:
                return
            _refuse_what_a_child_would_inherit()
            if not os.fork():
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                commands.close()
                _run(json.loads(command), *files)
            for file in files:
                os.close(file)


def _refuse_what_a_child_would_inherit() -> None:
    from django.db import connections

    assert threading.active_count() == 1, threading.enumerate()
    assert not [one for one in connections.all(initialized_only=True) if one.connection is not None]


def _run(arguments: list[str], out: int, err: int, told: int) -> None:
    """What `manage.py` does, in the child; never returns."""
    code = 1
    try:
        os.write(told, b"%d\n" % os.getpid())
        os.dup2(out, 1)
        os.dup2(err, 2)
        for file in (out, err):
            os.close(file)
        os.set_inheritable(told, False)
        from django.core.management import execute_from_command_line

        sys.argv = ["manage.py", *arguments]
        execute_from_command_line(sys.argv)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(told, b"%d\n" % code)
        os._exit(code)


if __name__ == "__main__":
    main(int(sys.argv[1]))
