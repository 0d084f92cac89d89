"""What Textdesk keeps on disk is its user's alone: a umask for every process, and modes of an older installation narrowed.

Called by `portal.settings`, which every command and process imports. What belongs to another user cannot be narrowed from here;
`manage.py check --deploy` says so (`sms.checks`).
"""

import os
from contextlib import suppress
from pathlib import Path

UMASK = 0o077
OTHERS = 0o077  # the bits of everybody but the owner
BESIDE = ("", "-wal", "-shm", "-journal")  # what SQLite puts beside its database


def keep(folder: Path) -> None:
    """The folder is made if it is missing. Its first level is enough: nobody else gets past it, and backups copy the files' modes."""
    os.umask(UMASK)
    with suppress(OSError):  # with PostgreSQL nothing may need it; the checks and what does say so
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        narrow(folder)
        for path in folder.iterdir():
            narrow(path)


def keep_database(path: Path) -> None:
    for suffix in BESIDE:
        narrow(path.with_name(path.name + suffix))


def narrow(path: Path) -> None:
    """Where it is ours, and no link to what stands elsewhere."""
    with suppress(OSError):
        found = path.lstat()
        if found.st_uid == os.geteuid() and found.st_mode & OTHERS and not path.is_symlink():
            path.chmod(found.st_mode & 0o7777 & ~OTHERS)
