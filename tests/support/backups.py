"""Backups of a database in use, as an operator makes them: `pg_dump` and `psql`; on SQLite its own online backup, and a copy."""

import shutil
import sqlite3
import subprocess
from pathlib import Path

from tests import postgres


def back_up(url: str, folder: Path) -> Path:
    """What the database holds at this moment, whoever writes to it."""
    kept = folder / "backup"
    if not url.startswith("postgres"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as source, sqlite3.connect(kept) as target:
            source.backup(target)
        source.close()
        target.close()
        return kept
    said = ""
    for programs in postgres.program_folders():  # an older pg_dump refuses a newer server
        done = subprocess.run(
            [programs / "pg_dump", "--no-owner", "--file", kept, url], capture_output=True, text=True
        )
        if not done.returncode:
            return kept
        said += done.stderr
    raise AssertionError(said or "there is no pg_dump")


def restore(url: str, kept: Path) -> None:
    """That and nothing else, under the same name. Whoever is connected is thrown out."""
    if not url.startswith("postgres"):
        path = Path(url.removeprefix("sqlite:///"))
        for rest in ("-wal", "-shm"):
            path.with_name(path.name + rest).unlink(missing_ok=True)
        shutil.copyfile(kept, path)
        return
    postgres.create(postgres.of_url(url), name=url.rpartition("/")[2], template="template0")
    programs = next(postgres.program_folders())
    subprocess.run(
        [programs / "psql", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", kept, url],
        check=True,
        capture_output=True,
    )
