"""Files that are on the disk when a call returns, names included: for spools, archives, audit checkpoints and lists of erasures."""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def created(path: Path) -> Iterator[BinaryIO]:
    """A new file to write to, readable by its owner alone; durable when the block ends. Raises FileExistsError."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def put(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """The whole content under this name, at once: at any moment there is what was there before, or all of one writer's."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    sync_folder(path.parent)


def append(path: Path, content: bytes) -> None:
    """More at the end of a file, which is made where there is none."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        write(fd, content)
    finally:
        os.close(fd)
    sync_folder(path.parent)


@contextlib.contextmanager
def left_behind(path: Path) -> Iterator[bool]:
    """Whether nobody has this file locked any more, as its owner does for as long as it lives; it is ours for the length of the block."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free = path.stat().st_ino == os.fstat(fd).st_ino
        except (BlockingIOError, FileNotFoundError):
            free = False
        yield free
    finally:
        os.close(fd)


def write(fd: int, content: bytes) -> None:
    """All of it to an open file, synced. Raises OSError, with some of it there."""
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]
    os.fsync(fd)


def sync_folder(folder: Path) -> None:
    """A new file is durable once its name is."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
