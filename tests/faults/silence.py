"""A web server whose way to PostgreSQL can fall silent, and receipts that are posted to it one by one as the provider does."""

import http.client
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import django_htmx
import psycopg

from tests.faults import proxy
from tests.faults.crash import Field, field_of
from tests.support.processes import ROOT
from tests.support.receipts import receipt

PROVIDER_WAITS = 10.0  # seconds for an answer
# a process that holds the lock of the fold in a transaction, and stops
STOPPED_FOLDER = """
import os, signal, django
django.setup()
from django.db import transaction
from sms.models.sql.receipt_inbox import ONE_FOLDER
from sms.models.sql.session import hold_lock
with transaction.atomic():
    hold_lock(ONE_FOLDER)  # a dispatcher may be folding
    print(True, flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@dataclass
class Posted:
    """What was posted, by its answer, and how long answers took."""

    answers: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    bodies: set[bytes] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def lost(self) -> int:
        return self.answers.total() - self.answers[200]


@dataclass
class Silence:
    """`way` leads from the web server to the database; the clerk and dispatchers of `field` have a way of their own."""

    field: Field
    way: proxy.Proxy
    url: str
    token: str
    _numbers: int = 0

    def post(self, posted: Posted) -> None:
        """One receipt; without an answer in the provider's time it counts as 0."""
        with posted.lock:
            self._numbers += 1
            number = self._numbers
        body, began = receipt(f"nobody-{number}"), time.monotonic()
        status = self.ask("POST", f"/receipts/{self.token}/", body)
        with posted.lock:
            posted.answers[status] += 1
            posted.seconds.append(time.monotonic() - began)
            if status == 200:
                posted.bodies.add(body)

    def post_at_once(self, count: int, posted: Posted) -> None:
        """All together, as they come where a send has just left."""
        threads = [threading.Thread(target=self.post, args=(posted,)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def ask(self, method: str, path: str, body: bytes = b"") -> int:
        link = http.client.HTTPConnection("127.0.0.1", self.field.port, timeout=PROVIDER_WAITS)
        try:
            link.request(method, path, body or None, {"Content-Type": "application/json"} if body else {})
            return link.getresponse().status
        except OSError:
            return 0
        finally:
            link.close()

    def stored(self) -> set[bytes]:
        with psycopg.connect(self.url) as connection:
            return {bytes(raw) for (raw,) in connection.execute("SELECT raw FROM sms_receipt")}

    def spooled(self) -> list[Path]:
        folder = self.field.folder / "spool"
        return [path for end in ("spool", "taken") for path in folder.glob(f"*.{end}")]

    def kept(self) -> list[Path]:
        return list((self.field.folder / "spool").glob("*.kept"))

    def said(self, event: str) -> list[dict]:
        """Lines of the web server's log."""
        lines = (self.field.folder / "web.log").read_text().splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [line for line in found if line.get("event") == event]

    @contextmanager
    def stopped_folder(self) -> Iterator[subprocess.Popen]:
        """Stopped in the middle of a fold, with a transaction open."""
        command = [sys.executable, "-c", STOPPED_FOLDER]
        url = self.field.env["DATABASE_URL"]
        more = f"{'&' if '?' in url else '?'}idle_in_transaction_session_timeout=2s"
        env = {**self.field.env, "DATABASE_URL": url + more}
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE)
        try:
            assert process.stdout.readline() == b"True\n"
            yield process
        finally:
            process.kill()
            process.communicate()


@contextmanager
def silence_of(folder: Path, url: str, **options: str) -> Iterator[Silence]:
    """`options` go into the DATABASE_URL of all."""
    more = "&".join(f"{name}={value}" for name, value in options.items())
    parts = urlsplit(url)
    with (
        proxy.running(parts.port or 5432) as way,
        field_of(folder, urlunsplit(parts._replace(query=more)), web=False) as made,
    ):
        direct = made.env
        login = parts.netloc.rpartition("@")[0]
        through = parts._replace(netloc=f"{login}@127.0.0.1:{way.port}", query=more)
        made.env = {**direct, "DATABASE_URL": urlunsplit(through)}
        folders = (ROOT / "static", Path(django_htmx.__file__).parent / "static")
        names = [str(path.relative_to(one)) for one in folders for path in one.rglob("*.*")]
        manifest = {
            "version": "1.1",
            "hash": "",
            "paths": {name: name for name in names},
        }  # pages need no more of it
        (folder / "static" / "staticfiles.json").write_text(json.dumps(manifest))
        made.start_web()
        made.env = direct
        made.clerk.service(f"http://127.0.0.1:{made.sandbox_port}")
        with psycopg.connect(url) as connection:
            (token,) = connection.execute("SELECT receipt_token FROM sms_service").fetchone()
        yield Silence(made, way, url, token)
