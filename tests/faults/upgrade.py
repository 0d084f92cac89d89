"""An upgrade and its rollback by the letter of docs/operators/deploying.md, beside sends and their receipts: what a test and a bench share.

The release of this tree is the old one. The new one is a copy with another version and a column more in the tables that a send and its
receipts write; its migration is what Django makes of that. Two web servers stand behind nginx, and two dispatchers send.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import psycopg

from sms import VERSION
from tests.faults import reconciliation
from tests.faults.crash import Field, answers, field_of
from tests.support import proxies
from tests.support.processes import ROOT, free_port, until

TEXT = "upgrade"
RATE, LONG = 20, 8000  # messages a second, and enough of them for what is cancelled at the end
NEXT_VERSION = "1.1.0"
PROGRAM = ("manage.py", "portal", "sms", "static", "templates")
CHANGED = {"message.py": "class Message(models.Model):", "receipt.py": "class ReceiptInbox(models.Model):"}
COLUMN = 'of_the_next_version = models.CharField(max_length=10, blank=True, default="", db_default="")'
WEB, DISPATCH = ("web-a", "web-b"), ("dispatch-a", "dispatch-b")


def next_release(folder: Path) -> Path:
    """A copy of the program that is one release further."""
    release = folder / "next"
    for name in PROGRAM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, release / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            release.mkdir()
            shutil.copy(ROOT / name, release)
    version = release / "sms" / "__init__.py"
    version.write_text(version.read_text().replace(f'"{VERSION}"', f'"{NEXT_VERSION}"'))
    for name, begins in CHANGED.items():
        path = release / "sms" / "models" / name
        before, found, after = path.read_text().partition(begins)
        assert found, f"{begins} is not in {name}"
        at = re.search(r"^    \w+ = models\.", after, re.MULTILINE).start()
        path.write_text(f"{before}{found}{after[:at]}    {COLUMN}\n{after[at:]}")
    return release


@dataclass
class Installation:
    """Its processes by name, each of the release in whose folder it was started."""

    field: Field
    folder: Path
    ports: dict[str, int]
    url: str
    running: dict[str, subprocess.Popen] = field(default_factory=dict)

    def manage(self, release: Path, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=release, env=dict(self.field.env), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, name: str, release: Path) -> None:
        arguments = ["web", "--port", str(self.ports[name])] if name in WEB else ["dispatch"]
        command = [sys.executable, "manage.py", *arguments]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, cwd=release, env=dict(self.field.env), stdout=log, stderr=log
            )
        if name in WEB:
            until(lambda: answers(f"http://127.0.0.1:{self.ports[name]}/healthz"), f"{name} answers")
        else:
            until(lambda: self.version_of(self.running[name].pid), f"{name} shows signs of life")

    def stop(self, name: str) -> None:
        process = self.running.pop(name)
        process.terminate()
        assert process.wait(120) in (0, -signal.SIGTERM), (self.folder / f"{name}.log").read_text()[-2000:]

    def end(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def prepare_behind_a_reader(self, release: Path, *, meanwhile: Callable[[], None]) -> None:
        """Somebody reads the table that is to be changed, so that the change has to wait; `meanwhile` is called while it does."""
        with psycopg.connect(self.url) as reader:
            reader.execute("SELECT count(*) FROM sms_message")
            preparing = threading.Thread(target=self.manage, args=(release, "prepare"))
            preparing.start()
            until(self._change_waits, "the change to wait for the reader")
            meanwhile()
        preparing.join()

    def restart_as(self, release: Path) -> None:
        """One after the other, each web server out of the proxy first."""
        for name in WEB:
            with self.out_of_the_proxy(name):
                self.stop(name)
                self.start(name, release)
        for name in DISPATCH:
            self.stop(name)
            self.start(name, release)

    @contextmanager
    def out_of_the_proxy(self, name: str) -> Iterator[None]:
        site = self.folder / "site.conf"
        whole = site.read_text()
        site.write_text(whole.replace(f"server 127.0.0.1:{self.ports[name]};", ""))
        self._reload()
        yield
        site.write_text(whole)
        self._reload()

    def _reload(self) -> None:
        """Until the proxy's workers that know the old file have ended."""
        master = int((self.folder / "nginx.pid").read_text())
        children = Path(f"/proc/{master}/task/{master}/children")
        before = set(children.read_text().split())
        os.kill(master, signal.SIGHUP)
        until(
            lambda: (now := set(children.read_text().split())) and not now & before,
            "the proxy has its new file",
        )

    def _change_waits(self) -> bool:
        waiting = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted"
        with psycopg.connect(self.url) as link:
            return link.execute(waiting).fetchone() != (0,)

    def version_of(self, pid: int) -> str:
        """As /status shows it; "" where that process has not been heard of."""
        with psycopg.connect(self.url) as link:
            found = link.execute("SELECT version FROM sms_heartbeat WHERE pid = %s", [pid]).fetchone()
            return found[0] if found else ""

    def posted(self, text: str) -> list[dict]:
        log = reconciliation.of_text(reconciliation.ledger(self.field.sandbox_port), text)
        return [row for row in log if row["kind"] == "message"]

    def receipts_refused(self) -> int:
        """By any answer but 200."""
        log = reconciliation.ledger(self.field.sandbox_port)
        return sum(row["answer"] != 200 for row in log if row["kind"] == "receipt")


def drill(there: Installation, folder: Path) -> dict[str, object]:
    """There and back in the middle of a send; what stays of it is cancelled at the end. The figures of it."""
    release = next_release(folder)
    there.manage(release, "makemigrations", "sms", "--name", "of_the_next_version", "--verbosity", "0")
    send = there.field.send(TEXT, LONG)

    def goes_on() -> None:
        sofar = len(there.posted(TEXT))
        until(lambda: len(there.posted(TEXT)) > sofar + RATE, "the send goes on")

    goes_on()
    there.prepare_behind_a_reader(release, meanwhile=goes_on)
    goes_on()
    for place, version in ((release, NEXT_VERSION), (ROOT, VERSION)):
        there.restart_as(place)
        assert {there.version_of(there.running[name].pid) for name in DISPATCH} == {version}
        goes_on()
    there.field.clerk.ask("cancel", send=send)
    until(lambda: there.field.is_settled(send, TEXT), "all that was sent is told")
    verdict = there.field.verdict(send, TEXT, parking_allowed=False)
    return {
        "posted": verdict.arrived,
        "wrong": verdict.wrong,
        "receipts_refused": there.receipts_refused(),
        "reports": there.field.clerk.facts_differ() or "agree",
        "longest_pause_seconds": round(longest_pause(there.posted(TEXT)), 1),
        "leases_ran_out": sum(path.read_text().count("lease_ran_out") for path in there.folder.glob("*.log")),
    }


def longest_pause(messages: list[dict]) -> float:
    """Seconds between two messages that came one after the other."""
    moments = sorted(datetime.fromisoformat(row["at"]) for row in messages)
    return max((later - earlier).total_seconds() for earlier, later in pairwise(moments))


@contextmanager
def installed(folder: Path, url: str) -> Iterator[Installation]:
    """The old release: prepared, and all its processes at work."""
    ports = {name: free_port() for name in WEB}
    with proxies.nginx(folder, *ports.values()) as (front, _):
        more = {"PUBLIC_URL": f"http://127.0.0.1:{front}", "BEHIND_PROXY": "true", "DEBUG": "false"}
        with field_of(folder, url, web=False, **more) as made:
            made.rate = RATE
            there = Installation(made, folder, ports, url)
            try:
                there.manage(ROOT, "prepare")
                for name in (*WEB, *DISPATCH):
                    there.start(name, ROOT)
                yield there
            finally:
                there.end()
