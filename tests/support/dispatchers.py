"""Dispatching processes that a test starts one by one, against a prepared database and a sandbox, and that end with the test."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.processes import ROOT, Textdesk, environment, free_port


@dataclass
class Bench(Textdesk):
    """A prepared database and a sandbox, without a dispatcher."""

    started: list[subprocess.Popen] = field(default_factory=list)

    def dispatcher(self, *options: str) -> subprocess.Popen:
        with self.log.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "dispatch", *options],
                cwd=ROOT,
                env=self.env,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def cluster(self) -> subprocess.Popen:
        with self.log.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "qcluster"],
                cwd=ROOT,
                env=self.env,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def run(self, code: str) -> subprocess.CompletedProcess:
        return self.manage("shell", "--no-imports", "-c", code)

    def end(self) -> None:
        """SIGKILL for whatever was started, each with its group."""
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.started.clear()


@contextmanager
def bench(var_dir: Path, database_url: str, *sandbox: str) -> Iterator[Bench]:
    env = environment(var_dir, database_url)
    port = free_port()
    out = (var_dir / "sandbox.log").open("wb")
    provider = subprocess.Popen(
        [sys.executable, "-m", "sms.webex.sandbox", "--port", str(port), "--key", "sandbox-key", *sandbox],
        cwd=ROOT,
        env=env,
        stdout=out,
        stderr=out,
    )
    made = Bench(provider, free_port(), port, env, var_dir / "dispatch.log")
    made.log.touch()
    try:
        made.manage("prepare")
        made.run(
            "from portal.demo.loading import load; "
            f"load('http://127.0.0.1:{port}', 'sandbox-key', password='x' * 12)"
        )
        yield made
    finally:
        made.end()
        made.end_commands()
        provider.kill()
        provider.wait()
        out.close()
