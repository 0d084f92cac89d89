"""The supervisor with small real processes: restarts that never make Ctrl-C wait, and groups that end as a whole."""

import contextlib
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sms.worker import supervisor
from sms.worker.supervisor import Child, Supervisor


@dataclass
class Judge:
    """A watch that says what the test wants."""

    says: str = ""
    begun: int = 0

    def begin(self) -> None:
        self.begun += 1
        self.says = ""

    def end(self) -> None:
        self.says = ""

    def verdict(self) -> str:
        return self.says


@dataclass
class Ward:
    """A supervisor of one child, turned by hand."""

    child: Child
    folder: Path
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(
            children=[self.child],
            folder=self.folder,
            environment=dict(os.environ),
            stop_file=self.folder / "stop",
            say=self.said.append,
        )
        self.child.start(dict(os.environ), self.folder)

    def turn(self) -> None:
        self.supervisor._look_after(self.child)

    def turn_until(self, true) -> float:
        started = time.monotonic()
        while not true():
            assert time.monotonic() - started < 60
            self.turn()
            time.sleep(0.02)
        return time.monotonic() - started


@pytest.fixture
def ward(tmp_path):
    made = []

    def make(code: str, **fields) -> Ward:
        made.append(Ward(Child("worker", [sys.executable, "-c", code], **fields), tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.child.kill()


def test_what_ends_again_and_again_is_started_again_ever_more_seldom_and_blocks_nothing(ward):
    ours = ward("")
    first = ours.child.process
    ours.child.process.wait()
    ours.turn_until(lambda: ours.child.process is not first)
    assert ours.said == ["The worker process ended; starting it again in 1 s."]
    ours.child.process.wait()
    ours.turn()
    assert ours.said[-1] == "The worker process ended; starting it again in 2 s."
    ended = ours.child.process
    ours.supervisor._stop()
    assert ours.child.process is ended, "a stop does not wait for a restart"


def test_a_pause_has_a_bound_and_a_long_life_resets_it(ward):
    child = ward("").child
    pauses = [child.pause() for _ in range(8)]
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    child.started -= supervisor.LIVED + 1
    assert child.pause() == 1


DEAF = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open("worker.pid", "w").write(str(worker.pid))
time.sleep(60)
"""


def test_one_that_hangs_is_ended_with_its_whole_group_and_started_again(ward):
    judge = Judge()
    ours = ward(DEAF, watch=judge)
    first, note = ours.child.process, ours.folder / "worker.pid"
    ours.turn_until(lambda: note.exists() and note.read_text())
    worker = int(note.read_text())
    assert judge.begun == 1

    judge.says = "it hangs"
    took = ours.turn_until(lambda: ours.child.process is not first)

    assert took >= supervisor.GRACE, "it was asked first"
    assert ours.said == ["The worker is started again as a whole: it hangs."]
    assert (first.returncode, judge.begun) == (-9, 2)
    with contextlib.suppress(FileNotFoundError):  # gone, or a zombie until init looks
        assert Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_one_that_hangs_and_still_listens_ends_by_itself(ward):
    judge = Judge()
    ours = ward("import time; time.sleep(60)", watch=judge)
    first = ours.child.process
    judge.says = "it hangs"
    ours.turn_until(lambda: ours.child.process is not first)
    assert first.returncode == -15
    assert len(ours.said) == 1
