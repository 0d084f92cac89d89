"""SIGSTOP that has arrived: a signal is only on its way when it was sent, and a thread may begin a transaction meanwhile."""

import os
import signal
from pathlib import Path

from tests.support.processes import until


def freeze(pid: int) -> None:
    """One process, with all its threads."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: stands(pid), f"process {pid} stands")


def freeze_group(group: int) -> None:
    """A process with all whom it started in its group."""
    os.killpg(group, signal.SIGSTOP)
    until(lambda: all(stands(pid) for pid in _members(group)), f"the group {group} stands")


def stands(pid: int) -> bool:
    """Whether every thread of a process is stopped."""
    return all(state in ("T", "Z") for state, _ in map(_state_and_group, Path(f"/proc/{pid}/task").glob("*")))


def _members(group: int) -> list[int]:
    everybody = Path("/proc").glob("[0-9]*")
    return [int(one.name) for one in everybody if _state_and_group(one)[1] == group]


def _state_and_group(process: Path) -> tuple[str, int]:
    try:
        state, _, group = (process / "stat").read_text().rpartition(")")[2].split()[:3]
    except (FileNotFoundError, ProcessLookupError):  # it ended at this moment
        return "Z", 0
    return state, int(group)
