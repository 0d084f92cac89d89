"""Backups of a database in use: on PostgreSQL by the very commands of docs/operators/backup.md, on SQLite as that page does it."""

import os
import re
import shutil
import sqlite3
import subprocess
import textwrap
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests import postgres
from tests.environment import ROOT

PAGE = ROOT / "docs" / "operators" / "backup.md"
BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", flags=re.DOTALL | re.MULTILINE)


def back_up(url: str, folder: Path) -> Path:
    """What the database holds at this moment, whoever writes to it."""
    if not url.startswith("postgres"):
        kept = folder / "backup"
        with sqlite3.connect(url.removeprefix("sqlite:///")) as source, sqlite3.connect(kept) as target:
            source.backup(target)
        source.close()
        target.close()
        return kept
    said = ""
    for programs in postgres.program_folders():  # an older pg_dump refuses a newer server
        done = paste("pg_dump", url, folder, programs)
        if not done.returncode:
            return folder / "textdesk.dump"
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
    done = paste("pg_restore", url, kept.parent, next(postgres.program_folders()))
    assert not done.returncode, done.stderr
    postgres.drop(postgres.of_url(url), f"{url.rpartition('/')[2]}_before")


def paste(program: str, url: str, folder: Path, programs: Path) -> subprocess.CompletedProcess[str]:
    """The block of the page that calls this program, with the variables of the page set for this database."""
    blocks = [textwrap.dedent(one) for one in BLOCK.findall(PAGE.read_text("utf-8"))]
    (wanted,) = [one for one in blocks if re.search(rf"^{program} ", one, flags=re.MULTILINE)]
    (exported,) = [one for one in blocks if one.startswith("export PG")]
    parts = urlsplit(url)
    told = {
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "DB": parts.path.removeprefix("/"),
        "OWNER": unquote(parts.username or ""),
    }
    assert set(re.findall(r"(\w+)=", exported)) == set(told)
    env = os.environ | told | {"PGPASSWORD": unquote(parts.password or "")}
    env["PATH"] = f"{programs}:{env['PATH']}"
    return subprocess.run(
        ["bash", "-euc", wanted], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
