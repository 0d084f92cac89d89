"""Textdesk as real processes, for journeys and benchmarks: `manage.py up --demo` on free ports, with a state folder of its own."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.forked_commands import ForkedCommands

ROOT = Path(__file__).resolve().parents[2]
OURS = (
    *("DATABASE_URL", "SECRET_KEY", "FIELD_KEYS", "AUDIT_KEYS", "PUBLIC_URL"),
    *("ALLOWED_HOSTS", "DEBUG", "VAR_DIR"),
)


CEILING = 120.0  # seconds for what a machine with nothing else to do does in a few


def until(found: Callable[[], object], what: str) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + CEILING
    while not found():
        assert time.monotonic() < deadline, f"after {CEILING} s it was still not so that {what}"
        time.sleep(0.05)


def free_port() -> int:
    """Below the range from which systems give ports to outgoing connections: one of those may take any port that is free now."""
    while True:
        port = random.randrange(10_000, 30_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def environment(var_dir: Path, database_url: str) -> dict[str, str]:
    """What a child sees: nothing of this shell's settings; keys of its own, since PostgreSQL asks for them."""
    keep = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in OURS}
    kept = var_dir / "keys.env"
    if not kept.exists():  # a second start on the same data has the same keys
        printed = subprocess.run(
            [sys.executable, "-m", "portal.keys"], cwd=ROOT, check=True, capture_output=True, text=True
        )
        kept.write_text(printed.stdout)
    keys = dict(line.split("=", 1) for line in kept.read_text().splitlines())
    return keep | keys | {"VAR_DIR": str(var_dir), "DATABASE_URL": database_url, "PYTHONUNBUFFERED": "1"}


@dataclass
class Textdesk:
    """A running Textdesk. `log` is where its processes write. `manage` works until the end of the block that started it."""

    process: subprocess.Popen
    port: int
    sandbox_port: int
    env: dict[str, str]
    log: Path
    _commands: ForkedCommands | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def password(self) -> str:
        found = re.search(r"with the password (\S+)", self.log.read_text())
        assert found, self.log.read_text()
        return found[1]

    def manage(
        self, *arguments: str, timeout: float = 300, check: bool = True
    ) -> subprocess.CompletedProcess:
        """Run a management command beside it; also when its processes have ended, within its block."""
        with self._lock:
            self._commands = self._commands or ForkedCommands(self.env)
        done = self._commands.manage(arguments, timeout=timeout)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def end_commands(self) -> None:
        """End the process that forks commands."""
        if self._commands is not None:
            self._commands.close()
            self._commands = None

    def send(self, audience: Path, *options: str, sender: str = "TEXTDESK", timeout: float = 300) -> dict:
        """`manage.py send … --wait --json`, parsed."""
        done = self.manage(
            *(
                "send",
                "--service",
                "demo",
                "--sender",
                sender,
                "--audience",
                str(audience),
                "--wait",
                "--json",
            ),
            *options,
            timeout=timeout,
        )
        return json.loads(done.stdout.strip().splitlines()[-1])

    def rows(self, query: str) -> list[dict]:
        """Rows of its database, by an ORM expression that ends in `.values(…)`."""
        code = f"import json; from sms.models import *; print(json.dumps(list({query}), default=str))"
        return json.loads(self.manage("shell", "--no-imports", "-c", code).stdout.strip().splitlines()[-1])

    def forget_at_provider(self) -> None:
        """The provider's side begins anew: no message, and no receipt to come."""
        reset = urllib.request.Request(
            f"http://127.0.0.1:{self.sandbox_port}/__sandbox__/reset", method="POST"
        )
        with urllib.request.urlopen(reset, timeout=60) as answer:
            assert answer.status == 200

    def sandbox_log(self) -> list[dict]:
        """What the provider's side received and sent."""
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.sandbox_port}/__sandbox__/log", timeout=60
        ) as answer:
            return [json.loads(line) for line in answer.read().decode().splitlines() if line]


@contextmanager
def textdesk(var_dir: Path, database_url: str, *options: str, ready: float = 300) -> Iterator[Textdesk]:
    """Start, wait until it says where it is, and stop it with Ctrl-C's signal."""
    env = environment(var_dir, database_url)
    port, sandbox_port = free_port(), free_port()
    log = var_dir / "up.log"
    command = [
        sys.executable,
        "manage.py",
        "up",
        "--demo",
        "--unfurnished",
        "--port",
        str(port),
        "--sandbox-port",
        str(sandbox_port),
        *options,
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    running = Textdesk(process, port, sandbox_port, env, log)
    try:
        deadline = time.monotonic() + ready
        while "Ctrl-C stops it" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, f"not ready in {ready} s: {log.read_text()}"
            time.sleep(0.1)
        yield running
    finally:
        stop(process)
        running.end_commands()


def stop(process: subprocess.Popen) -> bool:
    """SIGINT, as Ctrl-C sends it; whether it ended by itself."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return False
    return True
