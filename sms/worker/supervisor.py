"""What `manage.py up` runs: web, dispatch cluster and (with `--demo`) the sandbox, as real processes that live and die together.

Each child leads a process group of its own, so that Ctrl-C reaches only us and we end them in the right order: first the flag that
makes dispatch drain, then the cluster and the web, the sandbox last because it still owes answers. Whatever is left is killed.
They end by themselves where we are killed.
A child that ends, or of which its watch says that it hangs, is started again with its whole group.
"""

import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from django.conf import settings

from sms.worker.tied import tied
from sms.worker.watchdog import Watchdog

GRACE = 3.5  # seconds for a clean end, so that the whole stop stays within 5
RESTART_AFTER = 1.0  # seconds, doubled with every start that does not live for LIVED
LONGEST_PAUSE = 30.0
LIVED = 60.0


class CannotStart(RuntimeError):
    """A sentence for the operator."""


@dataclass(slots=True)
class Child:
    """One of our processes, with all that belong to its group."""

    name: str
    command: Sequence[str]
    watch: Watchdog | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    start_at: float | None = None  # while it waits for its next start
    kill_at: float | None = None  # while it has been asked to stop
    tries: int = 0

    def start(self, environment: Mapping[str, str], folder: Path) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own programs
            tied(self.command),
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        self.started, self.start_at, self.kill_at = time.monotonic(), None, None
        if self.watch is not None:
            self.watch.begin()

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        """The polite signal, to the leader alone: a group-wide one makes django-q2 hang."""
        if self.process is not None and self.running:
            self.process.send_signal(self.stop_signal)

    def kill(self) -> None:
        """End the whole group: orphans of a cluster would go on working."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def pause(self) -> float:
        """Seconds until the next start: short after a long life, ever longer for what ends again and again."""
        self.tries = 0 if time.monotonic() - self.started > LIVED else self.tries + 1
        return min(RESTART_AFTER * 2.0 ** max(self.tries - 1, 0), LONGEST_PAUSE)


@dataclass(slots=True)
class Supervisor:
    """Start, watch, restart and stop our processes. `say` prints to the person at the terminal."""

    children: list[Child]
    folder: Path
    environment: Mapping[str, str]
    stop_file: Path
    say: Callable[[str], None]
    _stopping: bool = field(default=False)

    def run(self, *, ready_urls: Sequence[str], when_ready: Callable[[], None]) -> int:
        """Run until a signal; returns the exit code. `when_ready` is called once all the addresses answer 200."""
        self.stop_file.unlink(missing_ok=True)
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, self._on_signal)
        try:
            for child in self.children:
                child.start(self.environment, self.folder)
            if all(self._wait_until_ready(url) for url in ready_urls):
                when_ready()
            while not self._stopping:
                time.sleep(0.2)
                for child in self.children:
                    self._look_after(child)
            return 0
        finally:
            self._stop()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _wait_until_ready(self, url: str) -> bool:
        deadline = time.monotonic() + 60
        while not self._stopping:
            for child in self.children:
                if not child.running:
                    says = f"The {child.name} process ended at once. Its last lines above say why."
                    raise CannotStart(says)
            try:
                with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own loopback address
                    if answer.status == 200:
                        return True
            except (urllib.error.URLError, OSError):
                pass
            if time.monotonic() > deadline:
                raise CannotStart(f"{url} did not answer within 60 s.")
            time.sleep(0.1)
        return False

    def _look_after(self, child: Child) -> None:
        """One look that never waits, so that Ctrl-C is heard at once."""
        now = time.monotonic()
        if child.start_at is not None:
            if now >= child.start_at:
                child.start(self.environment, self.folder)
        elif not child.running or (child.kill_at is not None and now >= child.kill_at):
            asked = child.kill_at is not None
            child.kill()  # the whole group: what is left of it would go on working, unguarded
            pause = child.pause()
            child.start_at = time.monotonic() + pause
            if not asked:
                self.say(f"The {child.name} process ended; starting it again in {pause:.0f} s.")
        elif child.kill_at is None and child.watch is not None and (why := child.watch.verdict()):
            self.say(f"The {child.name} is started again as a whole: {why}.")
            child.ask_to_stop()
            child.kill_at = now + GRACE

    def _stop(self) -> None:
        """In the right order, and never longer than GRACE."""
        self.say("Stopping …")
        self.stop_file.parent.mkdir(parents=True, exist_ok=True)
        self.stop_file.touch()
        for child in self.children:
            if child.watch is not None:
                child.watch.end()
        deadline = time.monotonic() + GRACE
        *others, last = sorted(self.children, key=lambda child: child.name == "sandbox")
        for group in (others, [last]):
            for child in group:
                child.ask_to_stop()
            while time.monotonic() < deadline and any(child.running for child in group):
                time.sleep(0.05)
        for child in self.children:
            child.kill()
        self.stop_file.unlink(missing_ok=True)
        self.say("Stopped.")


def must_be_free(port: int, option: str, *, host: str = "127.0.0.1") -> None:
    """Raises CannotStart, also for a host that is no address of this machine."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            if isinstance(problem, socket.gaierror) or problem.errno == errno.EADDRNOTAVAIL:
                says = (
                    f"{host} is no address of this machine. Give one with --host, or 0.0.0.0 for all of them."
                )
                raise CannotStart(says) from None
            raise CannotStart(
                f"Port {port} is busy. Stop what uses it, or choose another one with {option}, "
                f"for example: make run ARGS='{option} {port + 10}'"
            ) from None


def web(
    port: int,
    *,
    host: str = "127.0.0.1",
    workers: int = 1,
    most_memory: int | None = None,
    log_config: Path | None = None,
) -> Child:
    """The web server. `portal.web` has few threads for each kind of caller: each thread may hold a database connection.

    A second worker on PostgreSQL takes in receipts half as fast again on two cores; SQLite has one writer anyway. Workers that
    have more than `most_memory` MiB each, by default half of the machine's together, are replaced, and killed if they do not end.
    One that is killed is replaced too; the others meanwhile take what comes.
    """
    most_memory = most_memory or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**21 // workers
    listen = f"--interface asginl --task-impl asyncio --host {host} --port {port} --no-ws --log-level warning"
    # sockets that wait take the place of none that comes
    room = f"--workers {workers} --backlog 4096 --backpressure 4096"
    memory = f"--workers-max-rss {most_memory} --rss-sample-interval 1 --workers-kill-timeout 5"
    again = "--respawn-failed-workers --respawn-interval 1"
    command = f"-m granian {listen} {room} {memory} {again}"
    lines = () if log_config is None else ("--log-config", str(log_config))
    named = ("--process-name", "textdesk web", "portal.asgi:application")
    return Child("web", [sys.executable, *command.split(), *lines, *named])


def cluster(watch: Watchdog | None = None) -> Child:
    return Child("cluster", [*settings.COMMAND, "qcluster"], watch=watch)


def sandbox(port: int, key: str) -> Child:
    return Child("sandbox", [*settings.COMMAND, "webex_sandbox", "--port", str(port), "--key", key])
