"""Children that end with the process that started them, where the system can see to it (Linux).

A parent that is killed ends nothing by itself: its children would go on working, unguarded, beside those of the next start. Run as a
program (`python tied.py PARENT COMMAND …`) this file ties itself and becomes the command; it needs nothing but Python.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def tied(command: Sequence[str]) -> list[str]:
    """The command line that does the same and gets SIGTERM when this thread ends, however it does."""
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def end_with(parent: int, by: signal.Signals = signal.SIGTERM) -> None:
    """Have the system end this process with its parent. One that is gone already was missed, so then it ends at once."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(by), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def tie_forks(by: signal.Signals = signal.SIGKILL) -> None:
    """Every process that is forked from this one, or from its forks, ends with the one that forked it."""
    os.register_at_fork(before=_note_parent, after_in_child=lambda: end_with(_parent, by))


_parent = 0


def _note_parent() -> None:
    global _parent  # noqa: PLW0603 - the fork is the only way from here to there
    _parent = os.getpid()


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - our own programs, by path
