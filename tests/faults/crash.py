"""An installation that can be killed: sandbox, web and clerk as real processes, and dispatchers that die at named points and are replaced.

`field()` starts what lives; `Field.crash` runs one dispatcher to its death, `Field.settle` clean ones until nothing moves, and
`Field.verdict` compares the records. Leases of the dead are moved into the past instead of waited for.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sms.worker import supervisor
from tests.faults import reconciliation
from tests.faults.clerk import ROOT, Clerk
from tests.faults.zygote import Forked, Zygote
from tests.support.processes import environment, free_port, until

VARIABLE = "TEXTDESK_CRASH_AT"  # as sms.ledger.crash_points reads it; importing that needs Django
DEATH = 120.0  # seconds in which a dispatcher must have passed its crash point
START = 60.0  # seconds in which a dispatcher must have begun to send
LONGEST_RUN = 300.0
# after these a message may stay unconfirmed: it was armed, and the dead dispatcher took the answer, or its absence, with it
PARKING = frozenset(
    {
        *("armed", "before_post", "mid_post", "after_post", "before_record", "record_uncommitted"),
        *("recorded", "swept", "folded"),
    }
)

Dispatcher = Forked | subprocess.Popen


@dataclass
class Field:
    """Everything one module of fault tests runs on. `provider_port`: where services send, the sandbox or a proxy before it."""

    env: Mapping[str, str]
    port: int
    sandbox_port: int
    clerk: Clerk
    zygote: Zygote
    folder: Path
    web: subprocess.Popen | None = None
    provider_port: int = 0
    rate: int | None = None
    _starts: int = 0
    _connected: dict[int, int] = field(default_factory=dict)  # port by batch size

    def send(self, text: str, count: int, *, batch: int = 1) -> int:
        """A send of `count` messages to numbers that no other send of this field has."""
        port = self.provider_port or self.sandbox_port
        if self._connected.get(batch) != port:
            self.clerk.service(f"http://127.0.0.1:{port}", batch=batch, rate=self.rate)
            self._connected[batch] = port
        self._starts += count
        return self.clerk.send(text, count, batch=batch, start=self._starts)

    def dispatcher(
        self, *, crash_at: str = "", plant: str = "", seconds: float = LONGEST_RUN, fresh: bool = False
    ) -> Dispatcher:
        """Start a dispatcher, perhaps with a bug: forked, or with `fresh` as the command line that users have, without bugs."""
        path = self.folder / "dispatchers.log"
        if not fresh:
            return self.zygote.fork(crash_at=crash_at, plant=plant, seconds=seconds, log=path)
        assert not plant, "manage.py has no bugs to plant"
        command = [sys.executable, "manage.py", "dispatch", "--seconds", str(seconds)]
        with path.open("ab") as log:
            return subprocess.Popen(
                command, cwd=ROOT, env={**self.env, VARIABLE: crash_at}, stdout=log, stderr=log
            )

    def crash(
        self, crash_at: str, *, plant: str = "", fresh: bool = False, leases_run_out: bool = True
    ) -> None:
        """Run a dispatcher that must die by its own SIGKILL at `crash_at`; its leases run out at once, or are left as they are."""
        process = self.dispatcher(crash_at=crash_at, plant=plant, seconds=DEATH, fresh=fresh)
        code = finished(process, DEATH + 60.0)
        assert code == -signal.SIGKILL, f"no dispatcher ever passed {crash_at} (exit code {code}): {self.log}"
        if leases_run_out:
            self.clerk.let_leases_run_out()

    def settle(self, send: int, text: str, *, plant: str = "", patience: float = 120.0) -> bool:
        """A clean dispatcher until nothing is open and every answered receipt is folded, then SIGTERM. False when patience ended.

        `patience` is seconds in which nothing happened, counted once something has: a busy machine takes long to start a dispatcher.
        """
        if self.is_settled(send, text):
            return True
        process, deadline = self.dispatcher(plant=plant), time.monotonic() + max(patience, START)
        before = self._states(send)
        try:
            while not (settled := self.is_settled(send, text)) and time.monotonic() < deadline:
                if (now := self._states(send)) != before:
                    before, deadline = now, time.monotonic() + patience
                assert process.poll() is None, f"a dispatcher ended with {process.returncode}: {self.log}"
                time.sleep(0.1)
            process.terminate()
            assert process.wait(timeout=120) == 0, self.log
        finally:
            process.kill()
            process.wait()
        return settled

    def _states(self, send: int) -> list[str]:
        return [row.state for row in self.clerk.rows(send)]

    def is_settled(self, send: int, text: str) -> bool:
        """Whether waiting longer would change nothing: all has left, all of that was told, and what was told is applied.

        In this order: what leaves after it was asked what is told would pass for told, and a receipt is in the inbox once it is answered.
        """
        if any(row.state in reconciliation.OPEN for row in self.clerk.rows(send)):
            return False
        if self.web is not None and not self._all_told(text):
            return False
        # the next case's dispatcher would close them in the middle of its own work
        return not self.clerk.waiting_receipts() and not self.clerk.open_slices(send)

    def _all_told(self, text: str) -> bool:
        """Whether we answered 200 to the last receipt of every message that arrived."""
        log = reconciliation.of_text(reconciliation.ledger(self.sandbox_port), text)
        sent = {line["correlationId"] for line in log if line["kind"] == "message"}
        told = {
            line["correlationId"]
            for line in log
            if line["kind"] == "receipt" and line["status"] != "Submitted" and line["answer"] == 200
        }
        return sent <= told

    def verdict(self, send: int, text: str, *, parking_allowed: bool = True) -> reconciliation.Verdict:
        """Compare the three records of one send."""
        rows = self.clerk.rows(send)
        return reconciliation.compare(
            rows,
            reconciliation.of_text(reconciliation.ledger(self.sandbox_port), text),
            page=self.clerk.page(send),
            recipients=len(rows),
            parking_allowed=parking_allowed,
        )

    def start_web(self) -> None:
        """The web server that takes receipts, on the same port every time."""
        with (self.folder / "web.log").open("ab") as log:
            self.web = subprocess.Popen(
                list(supervisor.web(self.port).command),
                cwd=ROOT,
                env=dict(self.env),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(lambda: answers(f"http://127.0.0.1:{self.port}/healthz"), "the web server answers")

    def kill_web(self) -> None:
        """SIGKILL for its whole group, workers included."""
        if self.web is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.web.pid, signal.SIGKILL)
            self.web.wait()
            self.web = None

    @property
    def log(self) -> str:
        """The last that dispatchers wrote."""
        path = self.folder / "dispatchers.log"
        return path.read_text(errors="replace")[-2000:] if path.exists() else ""


@contextmanager
def field_of(
    folder: Path, database_url: str, *sandbox_options: str, web: bool = True, port: int = 0, **variables: str
) -> Iterator[Field]:
    """Start the field in an empty `folder` on an empty database; everything ends with the block."""
    port, sandbox_port = port or free_port(), free_port()
    (folder / "static").mkdir(
        exist_ok=True
    )  # collected files are looked for here, and a missing folder is a warning
    env = environment(folder, database_url) | {
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LOG_FORMAT": "json",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        **variables,
    }
    command = [sys.executable, "-m", "sms.webex.sandbox", "--port", str(sandbox_port), *sandbox_options]
    sandbox = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    clerk, zygote = Clerk(env), Zygote(env)
    made = Field(env, port, sandbox_port, clerk, zygote, folder)
    try:
        clerk.ask("ready")  # the schema is there before anybody looks at it
        if web:
            made.start_web()
        until(lambda: answers(f"http://127.0.0.1:{sandbox_port}/__sandbox__/health"), "the sandbox answers")
        yield made
    finally:
        made.kill_web()
        sandbox.kill()
        sandbox.wait()
        zygote.close()
        clerk.close()


class Pack:
    """Several dispatchers that are started again when they end, as a supervisor would. `kills` counts the SIGKILLs it gave."""

    def __init__(self, field: Field, size: int) -> None:
        self.field = field
        self.starts, self.kills = size, 0
        self.processes = [field.dispatcher() for _ in range(size)]

    def revive(self) -> None:
        """Replace those that ended."""
        for index, process in enumerate(self.processes):
            if process.poll() is not None:
                self.processes[index] = self.field.dispatcher()
                self.starts += 1

    def kill(self, index: int) -> None:
        """SIGKILL one, and let what it held run out."""
        process = self.processes[index]
        process.kill()
        process.wait()
        self.kills += 1
        self.field.clerk.let_leases_run_out(of_pid=process.pid)

    def end(self) -> None:
        """SIGKILL all: whatever they held is left to the next process."""
        for process in self.processes:
            process.kill()
            process.wait()


def finished(process: Dispatcher, seconds: float) -> int:
    """Its exit code; killed by us, and a failure, where it takes longer."""
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"a dispatcher still ran after {seconds} s") from None


def answers(url: str) -> bool:
    """Whether a GET gets 200."""
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def figure(name: str, verdicts: Sequence[reconciliation.Verdict], **more: object) -> dict[str, object]:
    """The line a fault run prints."""
    return {
        "figure": name,
        "cases": len(verdicts),
        "messages": sum(verdict.messages for verdict in verdicts),
        "lost": sum(len(verdict.lost) for verdict in verdicts),
        "duplicates": sum(len(verdict.duplicates) for verdict in verdicts),
        "parked": sum(len(verdict.parked) for verdict in verdicts),
        **more,
    }
