"""Databases of the kind under test, for tests that start real processes."""

import fcntl
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
        _migrate(folder, url)
        yield url


def migrated_once(folder: Path) -> str:
    """As `migrated`, for all workers of a run: the first that asks makes it in `folder`, and `forget_migrated` removes it at the end."""
    made = folder / "migrated.url"
    with (folder / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            under_test = os.environ.get("DATABASE_URL", "")
            url = f"sqlite:///{folder / 'migrated.sqlite3'}"
            if under_test.startswith("postgres"):
                server = postgres.of_url(under_test)
                url = server.url(postgres.create(server, name=_migrated_name(under_test)))
            _migrate(folder, url)
            made.write_text(url)
    return made.read_text()


def forget_migrated() -> None:
    """Remove what `migrated_once` made on a server; a file goes with the run's folder."""
    under_test = os.environ.get("DATABASE_URL", "")
    if under_test.startswith("postgres"):
        postgres.drop(postgres.of_url(under_test), _migrated_name(under_test))


def _migrated_name(under_test: str) -> str:
    return f"{_name(under_test)}_migrated"


def _migrate(folder: Path, url: str) -> None:
    for command in ("migrate", "createcachetable"):
        subprocess.run(
            [sys.executable, "manage.py", command, "--verbosity", "0"],
            cwd=ROOT,
            env=environment(folder, url),
            check=True,
        )


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


def copy_under_test(migrated_url: str, name: str) -> None:
    """Make the database in which tests of this process run, as a copy of the migrated one."""
    if migrated_url.startswith("postgres"):
        postgres.create(postgres.of_url(migrated_url), name=name, template=_name(migrated_url))
    else:
        shutil.copyfile(_path(migrated_url), name)


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))
