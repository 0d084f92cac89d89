"""Databases of the kind under test, for tests that start real processes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import postgres
from tests.support.processes import ROOT, environment


@contextmanager
def empty(folder: Path) -> Iterator[str]:
    """The DATABASE_URL of a new database, which goes with the block or with its folder."""
    under_test = os.environ.get("DATABASE_URL", "")
    if under_test.startswith("postgres"):
        with postgres.fresh_database(postgres.of_url(under_test)) as url:
            yield url
    else:
        yield f"sqlite:///{folder / 'database.sqlite3'}"


@contextmanager
def migrated(folder: Path) -> Iterator[str]:
    """One with its schema."""
    with empty(folder) as url:
        for command in ("migrate", "createcachetable"):
            subprocess.run(
                [sys.executable, "manage.py", command, "--verbosity", "0"],
                cwd=ROOT,
                env=environment(folder, url),
                check=True,
            )
        yield url


@contextmanager
def copied(url: str, folder: Path) -> Iterator[str]:
    """A copy of one that nobody is connected to."""
    if url.startswith("postgres"):
        with postgres.fresh_database(postgres.of_url(url), template=_name(url)) as copy:
            yield copy
    else:
        path = folder / "database.sqlite3"
        shutil.copyfile(_path(url), path)
        yield f"sqlite:///{path}"


@contextmanager
def kept(url: str) -> Iterator[Callable[[], None]]:
    """What it holds now, while nobody is connected; calling what this gives brings exactly that back, whoever is connected then."""
    if url.startswith("postgres"):
        server = postgres.of_url(url)
        with postgres.fresh_database(server, template=_name(url)) as copy:
            yield lambda: postgres.create(server, name=_name(url), template=_name(copy)) and None
        return
    path = _path(url)
    copy = path.with_suffix(".kept")
    shutil.copyfile(path, copy)

    def restore() -> None:
        for rest in ("-wal", "-shm"):  # of processes that were killed
            path.with_name(path.name + rest).unlink(missing_ok=True)
        shutil.copyfile(copy, path)

    yield restore


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))
