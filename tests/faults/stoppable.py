"""A PostgreSQL of one test's own that can be stopped at once, as if its machine lost power, and started again on the same port."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests import postgres
from tests.support.processes import free_port


@dataclass
class Stoppable:
    """The server; `base_url` and `port` stay the same over restarts."""

    programs: Path
    folder: Path
    port: int
    base_url: str
    process: subprocess.Popen | None = None

    def start(self) -> None:
        """Start, recover, and wait until it answers."""
        command = [str(self.programs / "postgres"), "-D", str(self.folder / "data")]
        command += ["-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **postgres._person().popen(),
            )
        postgres._wait_until_ready(self.process, self.base_url, self.folder / "log")

    def stop_immediately(self) -> None:
        """SIGQUIT: every session is cut off, nothing is written; the next start recovers from the log."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(timeout=60)
            self.process = None


@contextmanager
def stoppable() -> Iterator[Stoppable]:
    """One with an empty cluster, started; raises NoPostgres where there are no programs."""
    person = postgres._person()
    programs = next(postgres.program_folders(), None)
    if programs is None:
        raise postgres.NoPostgres("no initdb on PATH, under /usr/lib/postgresql, or in a package")
    folder = Path(tempfile.mkdtemp(prefix="textdesk-stoppable-", dir="/tmp" if person.switch else None))
    try:
        os.chown(folder, person.uid, person.gid)
        password, port = secrets.token_urlsafe(24), free_port()
        programs = postgres._reachable(programs, folder, person)
        postgres._create_cluster(programs, folder, person, password)
        made = Stoppable(programs, folder, port, f"postgres://textdesk:{password}@127.0.0.1:{port}")
        try:
            made.start()
            with psycopg.connect(f"{made.base_url}/postgres") as connection:
                assert connection.execute("SHOW fsync").fetchone() == ("on",), (
                    "or its stops would prove nothing"
                )
            yield made
        finally:
            with contextlib.suppress(ProcessLookupError):
                made.stop_immediately()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
