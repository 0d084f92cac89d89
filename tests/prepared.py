"""An empty database with its schema, made once for a whole run and copied for every test that starts real processes.

Migrating takes six seconds, a copy a tenth of one. Journeys about a first start begin with nothing instead (`fresh_database_url`).
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests import postgres
from tests.journey.processes import ROOT, environment


class Prepared:
    """`database_url` is of the database under test, and says of which kind copies are; empty is SQLite."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self._stack = ExitStack()
        self._file = folder / "prepared.sqlite3"
        self._server = postgres.of_url(database_url) if database_url.startswith("postgres") else None
        if self._server is None:
            self.url = f"sqlite:///{self._file}"
        else:
            self.url = self._stack.enter_context(postgres.fresh_database(self._server))
        for command in ("migrate", "createcachetable"):
            subprocess.run(
                [sys.executable, "manage.py", command, "--verbosity", "0"],
                cwd=ROOT,
                env=environment(folder, self.url),
                check=True,
            )

    @contextmanager
    def copy(self, folder: Path) -> Iterator[str]:
        """The address of a copy, which ends with the block or with its folder."""
        if self._server is not None:
            with postgres.fresh_database(self._server, template=self.url.rpartition("/")[2]) as url:
                yield url
            return
        made = folder / "journey.sqlite3"
        shutil.copyfile(self._file, made)
        yield f"sqlite:///{made}"

    def close(self) -> None:
        """Drop it."""
        self._stack.close()
