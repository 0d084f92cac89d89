"""With LOG_FORMAT=json, what libraries and the interpreter write to stderr by themselves becomes lines of the log: a traceback is one."""

import io
import logging
import sys
import threading
from types import TracebackType
from typing import Any

STDERR = sys.stderr  # the log's own
log = logging.getLogger("stderr")

BEGINS = ("Traceback (most recent call last)", "Process ", "Exception ignored")
GOES_ON = (" ", "Traceback", "During handling", "The above exception")


def begin() -> None:
    """For this process and those that it forks. The log itself writes to STDERR."""
    if begun():
        return
    sys.stderr = ForeignLines()
    sys.excepthook = _uncaught
    threading.excepthook = lambda found: _uncaught(found.exc_type, found.exc_value, found.exc_traceback)


def begun() -> bool:
    return isinstance(sys.stderr, ForeignLines)


def _uncaught(kind: type[BaseException], problem: Any, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        log.critical("uncaught", exc_info=(kind, problem, trace))


class ForeignLines(io.TextIOBase):
    """Takes text; lines that belong to one traceback are kept until it ends."""

    def __init__(self) -> None:
        self._rest, self._trace = "", list[str]()
        self._lock = threading.RLock()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
            for line in lines:
                self._take(line)
        return len(text)

    def flush(self) -> None:
        """What has no end of line yet waits for it."""

    def _take(self, line: str) -> None:
        if self._trace:
            self._trace.append(line)
            if line and not line.startswith(GOES_ON):  # the exception itself
                log.error("\n".join(self._trace))
                self._trace = []
        elif line.startswith(BEGINS):
            self._trace = [line]
        elif line.strip():
            log.warning(line)
