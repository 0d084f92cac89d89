"""What the dispatch benchmarks stand on: a database of either kind, a clerk to make sends, dispatcher processes, and the bare limit."""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests import postgres
from tests.faults.clerk import Clerk
from tests.support.processes import environment

ROOT = Path(__file__).resolve().parents[3]
DATABASES = ("sqlite", "postgresql")
BODY = (
    b'{"channel":"sms","from":"SHOP","to":[{"msisdn":["447710000001"],"correlationId":"1a2b-1-abcdefghijklmnop"}],'
    b'"content":{"type":"text","text":"Hello, your order is on its way and will be with you tomorrow before noon."},'
    b'"requestedReceipts":["SUBMITTED","DELIVERED","FAILED"],'
    b'"notifyUrl":"http://127.0.0.1:8000/receipts/abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq/"}'
)


@dataclass
class Ground:
    """A database with its clerk. `environment` is what a dispatcher process sees."""

    clerk: Clerk
    environment: Mapping[str, str]
    folder: Path

    @contextmanager
    def dispatchers(self, count: int) -> Iterator[list[subprocess.Popen]]:
        """So many `manage.py dispatch` processes for the length of the block; drained at its end."""
        log = (self.folder / "dispatch.log").open("a")
        command = [sys.executable, "manage.py", "dispatch", "--seconds", "600"]
        running = [
            subprocess.Popen(command, cwd=ROOT, env=dict(self.environment), stdout=log, stderr=log)
            for _ in range(count)
        ]
        try:
            yield running
        finally:
            for process in running:
                process.terminate()
            for process in running:
                try:
                    process.wait(timeout=35)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            log.close()

    def wait_until_posted(self, send: int, *, timeout: float) -> dict[str, int]:
        """The send's states once nothing of it waits."""
        end = time.monotonic() + timeout
        while True:
            states = self.clerk.ask("states", send=send)
            if not states.get("pending", 0) + states.get("posting", 0):
                return states
            assert time.monotonic() < end, f"not posted in time: {states}"
            time.sleep(0.2)


@contextmanager
def ground(database: str) -> Iterator[Ground]:
    """A fresh one."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'bench.sqlite3'}"
        if database == "postgresql":
            url = stack.enter_context(postgres.fresh_database(stack.enter_context(postgres.server())))
        env = environment(folder, url) | {
            "PUBLIC_URL": "http://127.0.0.1:8000",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "ALLOWED_HOSTS": "127.0.0.1",
        }
        clerk = Clerk(env)
        stack.callback(clerk.close)
        yield Ground(clerk, env, folder)


def best_bare_httpx(url: str, *, seconds: float = 2.0) -> tuple[float, str]:
    """Requests a second of the best bare arrangement of httpx: one Client per thread, at several widths, nothing else done."""
    found = {width: _bare(url, width=width, seconds=seconds) for width in (1, 2, 4, 8, 24)}
    width = max(found, key=found.__getitem__)
    return found[width], f"httpx.Client per thread, {width} threads"


def _bare(url: str, *, width: int, seconds: float) -> float:
    counts = [0] * width
    end = time.monotonic() + seconds

    def post(slot: int) -> None:
        headers = {"key": "a-key", "Content-Type": "application/json"}
        with httpx.Client(trust_env=False) as client:
            while time.monotonic() < end:
                client.post(f"{url}/v2/messages", content=BODY, headers=headers).json()
                counts[slot] += 1

    threads = [threading.Thread(target=post, args=(slot,)) for slot in range(width)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - started)
