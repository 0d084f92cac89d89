"""An empty database with its schema, made once for a whole run and copied for every worker and every test that starts real processes.

Migrating takes seconds, a copy a tenth of one. Journeys about a first start begin with nothing instead (`fresh_database_url`).
Workers of xdist are processes of their own: whoever comes first makes it, and whoever leaves last takes it away.
"""

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import postgres
from tests.support.processes import ROOT, environment


@dataclass(frozen=True, slots=True)
class Prepared:
    """`name` is a database on `server`, or the path of a SQLite file where there is no server."""

    name: str
    server: postgres.Server | None = None

    @contextmanager
    def copy(self, folder: Path) -> Iterator[str]:
        """The address of a copy, which ends with the block or with its folder."""
        if self.server is not None:
            with postgres.fresh_database(self.server, template=self.name) as url:
                yield url
        else:
            path = str(folder / "journey.sqlite3")
            self.copy_to(path)
            yield f"sqlite:///{path}"

    def copy_to(self, name: str) -> None:
        """A copy under a name, or path, of the caller's; what was there is replaced."""
        if self.server is not None:
            postgres.create(self.server, name=name, template=self.name)
        else:
            shutil.copyfile(self.name, name)

    def drop(self, name: str) -> None:
        """Remove what `copy_to` made."""
        if self.server is not None:
            postgres.drop(self.server, name)
        else:
            Path(name).unlink(missing_ok=True)


@contextmanager
def shared(folder: Path, database_url: str) -> Iterator[Prepared]:
    """The one of this run, whose processes all name the same `folder`. `database_url` says of which kind; empty is SQLite."""
    server = postgres.of_url(database_url) if database_url.startswith("postgres") else None
    with _book(folder) as book:
        if not book:
            book |= {"name": _make(folder, server), "users": 0}
        book["users"] += 1
        made = Prepared(book["name"], server)
    yield made
    with _book(folder) as book:
        book["users"] -= 1
        if not book["users"]:
            made.drop(made.name)
            book.clear()


@contextmanager
def snapshot(database_url: str) -> Iterator[Callable[[], None]]:
    """What a database holds now, while nobody is connected; calling what this gives brings exactly that back, whoever is connected."""
    if database_url.startswith("postgres"):
        server, name = postgres.of_url(database_url), database_url.rpartition("/")[2]
        kept = postgres.create(server, template=name)

        def recreate() -> None:
            postgres.create(server, name=name, template=kept)

        try:
            yield recreate
        finally:
            postgres.drop(server, kept)
        return
    path = Path(database_url.removeprefix("sqlite:///"))
    copy = path.with_suffix(".kept")
    shutil.copyfile(path, copy)

    def restore() -> None:
        for rest in ("-wal", "-shm"):  # of processes that were killed
            path.with_name(path.name + rest).unlink(missing_ok=True)
        shutil.copyfile(copy, path)

    yield restore


@contextmanager
def _book(folder: Path) -> Iterator[dict]:
    """What the processes of a run tell each other, one at a time: the name of the database, and how many use it."""
    with (folder / "prepared.json").open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        book = json.loads(file.read() or "{}")
        yield book
        file.truncate(0)
        file.write(json.dumps(book))


def _make(folder: Path, server: postgres.Server | None) -> str:
    if server is not None:
        name = postgres.create(server)
        url = server.url(name)
    else:
        name = str(folder / "prepared.sqlite3")
        url = f"sqlite:///{name}"
    for command in ("migrate", "createcachetable"):
        subprocess.run(
            [sys.executable, "manage.py", command, "--verbosity", "0"],
            cwd=ROOT,
            env=environment(folder, url),
            check=True,
        )
    return name
