"""What a dispatcher leaves beside it, in `VAR_DIR`, for whoever comes after its death: which messages it had begun to post.

`<owner>.begun` is mapped into memory. A poster writes a message's id there before the first byte of its request leaves, without a system
call, and the kernel keeps what was written when the process is killed. The process holds a lock on the file for as long as it lives, so a
lock that can be had proves its death; the identifier of the boot says that the kernel which kept the file has kept all of it. Whoever has
that proof (`recovery`) knows that what was armed and is not in the file was never sent.

`<owner>.answers` is synced to the disk: what the provider answered while the database was away.
"""

import fcntl
import mmap
import os
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from sms.dispatch.post import PostOutcome
from sms.dispatch.stored_answers import packed
from sms.models.lease import new_owner
from sms.values import durable_file
from sms.values.meters import meters

log = structlog.get_logger(__name__)

PLACES = 65_536  # messages on their way at once, half a megabyte
HEAD = 64  # bytes: the boot's identifier, and in the last one whether ids were left out
LEFT_OUT = HEAD - 1
BOOT = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> bytes:
    """Another after each start of the machine; empty where there is none, and then nothing can be proved."""
    with suppress(OSError):
        return BOOT.read_bytes().strip()[:36]
    return b""


class Journal:
    """One run's at a time. `reserve` and `forget` are the coordinator's, `begin` is the posters'."""

    def __init__(self, folder: Path | None) -> None:
        self.owner = new_owner()
        self.folder = folder
        self.unfinished = False  # its last run broke off: what it had leased still bears its name
        self.owed: list[PostOutcome] = []  # answers that neither the database nor the disk took
        self.abandoned = (
            False  # a poster hangs and may yet post: nothing is handed back before the process is dead
        )
        self._place: dict[int, int] = {}  # by message
        self._free = list(range(PLACES))
        self._left_out: set[int] = set()
        self._fd = -1
        self._file: mmap.mmap | bytearray = bytearray(HEAD + 8 * PLACES)
        try:
            self._file = self._mapped()
        except (
            OSError
        ) as problem:  # without it there is no proof, and what was armed is unconfirmed after a death
            log.warning("dispatch_journal_missing", error=str(problem))
        self._ids = memoryview(self._file)[HEAD:].cast("q")

    def _mapped(self) -> mmap.mmap:
        if self.folder is None or not (boot := boot_id()):
            raise OSError("no folder is set, or no boot has a name")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path, size = self.path("begun"), HEAD + 8 * PLACES
        fresh = path.with_suffix(".new")  # under its own name only once it is locked and whole
        fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.posix_fallocate(fd, 0, size)  # or a full disk would end the process at the first write
            os.pwrite(fd, boot, 0)
            mapped = mmap.mmap(fd, size)
            fresh.rename(path)
        except OSError:
            os.close(fd)
            with suppress(OSError):
                fresh.unlink()
            raise
        self._fd = fd
        return mapped

    def path(self, kind: str) -> Path:
        return (self.folder or Path()) / f"{self.owner}.{kind}"

    def reserve(self, message_ids: Iterable[int]) -> None:
        """Places for messages that are about to be handed to the posters."""
        for pk in message_ids:
            if pk in self._place:
                continue
            if self._free:
                self._place[pk] = self._free.pop()
            else:  # until it is over, this file proves nothing
                self._left_out.add(pk)
                self._file[LEFT_OUT] = 1

    def begin(self, message_ids: Iterable[int]) -> None:
        """Before the first byte leaves."""
        for pk in message_ids:
            place = self._place.get(pk)
            if place is not None:
                self._ids[place] = pk

    def begun(self) -> set[int] | None:
        """What was begun and is not known to the database; None where some were left out."""
        return None if self._left_out else {pk for pk, place in self._place.items() if self._ids[place]}

    def forget(self, message_ids: Iterable[int]) -> None:
        """Once the database knows what became of them."""
        for pk in message_ids:
            place = self._place.pop(pk, None)
            if place is not None:
                self._ids[place] = 0
                self._free.append(place)
            elif self._left_out:
                self._left_out.discard(pk)
                self._file[LEFT_OUT] = bool(self._left_out)

    def finish(self) -> None:
        """Its run is over, and nothing of it is left."""
        self.forget([*self._place, *self._left_out])
        self.unfinished = False

    def keep(self, answers: Sequence[PostOutcome]) -> None:
        """Answers that could not be recorded: on the disk, or here where that is full."""
        wanted = [*self.owed, *answers]
        try:
            if self.folder is None:
                raise OSError("no folder is set")
            path = self.path("answers")
            before = path.read_bytes() if path.exists() else b""
            durable_file.put(path, before + packed(wanted))
            self.owed = []
            log.warning("answers_kept", outcomes=len(wanted), file=str(path))
        except OSError as problem:
            self.owed = wanted
            meters.add("textdesk_answers_lost_total", len(answers))
            log.error("answers_kept_in_memory", outcomes=len(wanted), error=str(problem))

    def let_go(self) -> None:
        """Unmap and close it: in a forked child, whose journal this is not, so that the lock goes with its parent."""
        if self._fd >= 0 and isinstance(self._file, mmap.mmap):
            self._ids.release()
            self._file.close()
            os.close(self._fd)
            self._fd = -1


class Journals:
    """Those of this process: one for each run that there is at once, so mostly one for each kind of send. They last as long as it."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self._lock = threading.Lock()
        self._idle: dict[bool, list[Journal]] = {False: [], True: []}
        self._all: list[Journal] = []

    @contextmanager
    def one(self, *, simulated: bool) -> Iterator[Journal]:
        """For the length of a run."""
        with self._lock:
            idle = self._idle[simulated]
            found = idle.pop() if idle else Journal(self.folder)
            if found not in self._all:
                self._all.append(found)
        try:
            yield found
        finally:
            if not found.abandoned:
                with self._lock:
                    self._idle[simulated].append(found)

    def unfinished(self) -> bool:
        """Whether a run of this process broke off and left leases behind."""
        return any(one.unfinished for idle in self._idle.values() for one in idle)

    @contextmanager
    def taken_up(self) -> Iterator[list[Journal]]:
        """Those that `unfinished` speaks of, kept from new runs meanwhile."""
        with self._lock:
            found = [(kind, one) for kind, idle in self._idle.items() for one in idle if one.unfinished]
            for kind, one in found:
                self._idle[kind].remove(one)
        try:
            yield [one for _, one in found]
        finally:
            with self._lock:
                for kind, one in found:
                    self._idle[kind].append(one)

    def _forked(self) -> None:
        for one in self._all:
            one.let_go()
        folder = self.folder
        self.__init__()  # type: ignore[misc]
        self.folder = folder


@contextmanager
def of_the_dead(path: Path) -> Iterator[Collection[int] | None]:
    """What a dead process had begun; None where that is not proved. Its file is removed when the block ends well."""
    with durable_file.left_behind(path) as free:
        if not free:
            yield None
            return
        content = path.read_bytes()
        whole = len(content) == HEAD + 8 * PLACES and not content[LEFT_OUT]
        same_boot = content[:36] == boot_id() != b""
        yield set(memoryview(content)[HEAD:].cast("q")) - {0} if whole and same_boot else None
        path.unlink(missing_ok=True)


journals = Journals()
os.register_at_fork(after_in_child=journals._forked)
